// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.retel.ariproxy.config.Settings;
import java.io.PrintStream;
import java.nio.file.Path;

/**
 * The command {@code check}: whether the files of a folder would load. Nothing is started, so what
 * only a server knows is not checked.
 */
final class CheckRoutes {

  private final Path configuration;
  private final Settings settings;

  /**
   * @param configuration the settings file, which can contain properties of routes
   * @param settings required ones can have any value
   */
  CheckRoutes(Path configuration, Settings settings) {
    this.configuration = configuration;
    this.settings = settings;
  }

  /**
   * Prints a line for each file.
   *
   * @param folder the route files; shipped ones that are not in it come from the proxy's folder
   * @return whether all would load
   */
  boolean run(Path folder, PrintStream out) {
    try (RoutesWithoutServers routes =
        new RoutesWithoutServers(configuration, settings, folder, context -> {})) {
      routes.results().forEach(result -> out.println(routes.describe(result)));
      long invalid = routes.results().stream().filter(result -> !result.loads()).count();
      out.println(
          invalid == 0
              ? "All %d files would load".formatted(routes.fileCount())
              : "%d of %d files would not load".formatted(invalid, routes.fileCount()));
      return invalid == 0;
    }
  }
}
