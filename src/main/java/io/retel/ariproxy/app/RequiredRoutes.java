// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.route.RouteFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.camel.CamelContext;
import org.apache.camel.StartupListener;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.Resource;

/**
 * Routes without which events or commands do not flow between Asterisk and Kafka. A proxy without
 * one of them would execute commands without a RESPONSE, or lose events.
 *
 * <p>Checked once all route files are loaded, and before the first route starts.
 */
final class RequiredRoutes implements StartupListener {

  /** Ids of the routes; the shipped file of each has its name. */
  static final List<String> IDS =
      List.of(CommandModule.ROUTE, EventModule.ROUTE, "execute-command", "publish");

  private final Path directory;

  /**
   * @param directory the route files
   */
  RequiredRoutes(Path directory) {
    this.directory = directory.toAbsolutePath().normalize();
  }

  /**
   * Ends the start if one of the routes is missing, or never starts.
   *
   * @throws InvalidSettingException names the route and its file
   */
  @Override
  public void onCamelContextStarting(CamelContext context, boolean alreadyStarted) {
    for (String id : IDS) {
      // without a status, the route is not built: no file contains it, or its precondition is false
      RouteDefinition route = ((ModelCamelContext) context).getRouteDefinition(id);
      if (route == null || context.getRouteController().getRouteStatus(id) == null) {
        throw unusable(id, directory.resolve(id + ".camel.yaml"), "is missing in");
      }
      if (RouteFiles.neverStarts(context, route)) {
        throw unusable(
            id, file(route), "never starts, since it has autoStartup: false and no routePolicy in");
      }
    }
  }

  @Override
  public void onCamelContextStarted(CamelContext context, boolean alreadyStarted) {
    // checked before the start
  }

  private Path file(RouteDefinition route) {
    return Optional.ofNullable(route.getResource())
        .map(Resource::getLocation)
        .map(location -> Path.of(location.replaceFirst("^file:", "")).toAbsolutePath().normalize())
        .orElse(directory);
  }

  private static InvalidSettingException unusable(String id, Path file, String problem) {
    return new InvalidSettingException(
        "Required route %s %s %s; restore the shipped file".formatted(id, problem, file));
  }
}
