// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.config.InvalidSettingException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.main.DefaultRoutesCollector;
import org.apache.camel.spi.Resource;
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
    List<Resource> shipped =
        super.findRouteResourcesFromDirectory(camelContext, excludePattern, includePattern).stream()
            .filter(resource -> !isAdditional(resource))
            .toList();
    for (Resource resource : shipped) {
      if (checkedLocations.add(resource.getLocation())) {
        rejectBeansOfOthers(camelContext, resource);
      }
    }
    return shipped;
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

  private boolean isAdditional(Resource resource) {
    if (!resource.getLocation().startsWith("file:")) {
      return false;
    }
    Path file = ActiveRoutes.toPath(resource);
    return folder.equals(file.getParent()) && !RouteFiles.isShipped(file);
  }
}
