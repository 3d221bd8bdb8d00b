// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.config.WriteAccess;
import io.retel.ariproxy.route.RouteFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks at startup who else can write what the proxy executes or trusts: settings, routes,
 * secrets, certificates. A route can run any code as the proxy's user.
 */
final class ConfigurationAccess {

  private static final Logger LOG = LoggerFactory.getLogger(ConfigurationAccess.class);

  private ConfigurationAccess() {}

  /**
   * Warns of files that a group can write to, of folders in their paths that others can write to,
   * and of route files outside the routes directory.
   *
   * @throws InvalidSettingException if every user can write to a file or the routes directory
   */
  static void check(Path configuration, Settings settings) {
    Path routes = Path.of(settings.get(Setting.ROUTES_DIRECTORY));
    try {
      WriteAccess.check(files(configuration, routes, settings));
      for (Path file : RouteFiles.list(routes)) {
        RouteFiles.targetOutside(routes, file)
            .ifPresent(target -> LOG.warn(RouteFiles.LINK_OUTSIDE, file, target));
      }
    } catch (IOException e) {
      throw new InvalidSettingException("cannot read the permissions of " + e.getMessage());
    }
  }

  private static List<Path> files(Path configuration, Path routes, Settings settings)
      throws IOException {
    List<Path> files = new ArrayList<>();
    if (Files.exists(configuration)) {
      files.add(configuration);
    }
    files.add(routes);
    files.addAll(RouteFiles.list(routes));
    files.addAll(settings.files());
    return files;
  }
}
