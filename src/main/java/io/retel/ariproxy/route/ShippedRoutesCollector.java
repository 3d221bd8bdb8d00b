// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.config.InvalidSettingException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.main.DefaultRoutesCollector;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.ResourceHelper;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Leaves the additional files of the routes folder to {@link RouteReloader#loadAdditional}: a file
 * that Camel loads while it starts, and that does not load, ends the process. Rejects a shipped
 * file that replaces a bean of the proxy or of another one.
 */
public final class ShippedRoutesCollector extends DefaultRoutesCollector {

  private final Path folder;

  /** Camel lists the files again once it has created their beans. */
  private final Set<String> checkedLocations = new HashSet<>();

  /** The file name of each bean of a file. */
  private final Map<String, String> fileOfBean = new HashMap<>();

  public ShippedRoutesCollector(Path folder) {
    this.folder = folder.toAbsolutePath().normalize();
  }

  @Override
  public Collection<Resource> findRouteResourcesFromDirectory(
      CamelContext camelContext, String excludePattern, String includePattern) {
    List<Resource> resources = new ArrayList<>(shipped(camelContext));
    // files elsewhere that a pattern of a user includes
    super.findRouteResourcesFromDirectory(camelContext, excludePattern, includePattern).stream()
        .filter(resource -> !isInFolder(resource))
        .forEach(resources::add);
    for (Resource resource : resources) {
      if (checkedLocations.add(resource.getLocation())) {
        rejectBeansOfOthers(camelContext, resource);
      }
    }
    return resources;
  }

  /** Camel itself does not list the files of a symbolic link to a folder. */
  private List<Resource> shipped(CamelContext context) {
    try {
      return RouteFiles.list(folder).stream()
          .filter(RouteFiles::isShipped)
          .map(file -> ResourceHelper.resolveResource(context, "file:" + file))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void rejectBeansOfOthers(CamelContext context, Resource resource) {
    Set<String> names;
    try (InputStream content = resource.getInputStream()) {
      names = RouteFiles.beanNames(content.readAllBytes());
    } catch (IOException | YamlEngineException e) {
      // Camel's error is more precise
      return;
    }
    // before Camel creates those of a file
    for (String name : names) {
      if (context.getRegistry().lookupByName(name) != null) {
        throw new InvalidSettingException(
            resource.getLocation() + ": " + RouteFiles.BEAN_OF_PROXY.formatted(name));
      }
      String owner =
          fileOfBean.putIfAbsent(name, String.valueOf(ActiveRoutes.toPath(resource).getFileName()));
      if (owner != null) {
        throw new InvalidSettingException(
            resource.getLocation() + ": " + RouteFiles.BEAN_OF_FILE.formatted(name, owner));
      }
    }
  }

  private boolean isInFolder(Resource resource) {
    return resource.getLocation().startsWith("file:")
        && folder.equals(ActiveRoutes.toPath(resource).getParent());
  }
}
