// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.nio.file.Path;
import java.util.Collection;
import org.apache.camel.CamelContext;
import org.apache.camel.main.DefaultRoutesCollector;
import org.apache.camel.spi.Resource;

/**
 * Leaves the additional files of the routes folder to {@link RouteReloader#loadAdditional}: a file
 * that Camel loads while it starts, and that does not load, ends the process.
 */
public final class ShippedRoutesCollector extends DefaultRoutesCollector {

  private final Path folder;

  public ShippedRoutesCollector(Path folder) {
    this.folder = folder.toAbsolutePath().normalize();
  }

  @Override
  public Collection<Resource> findRouteResourcesFromDirectory(
      CamelContext camelContext, String excludePattern, String includePattern) {
    return super.findRouteResourcesFromDirectory(camelContext, excludePattern, includePattern)
        .stream()
        .filter(resource -> !isAdditional(resource))
        .toList();
  }

  private boolean isAdditional(Resource resource) {
    if (!resource.getLocation().startsWith("file:")) {
      return false;
    }
    Path file = ActiveRoutes.toPath(resource);
    return folder.equals(file.getParent()) && !RouteFiles.isShipped(file);
  }
}
