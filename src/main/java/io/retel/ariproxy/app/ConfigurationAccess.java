// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.ReadAccess;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.config.WriteAccess;
import io.retel.ariproxy.route.RouteFiles;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks at startup who else can write what the proxy executes or trusts: its program, settings,
 * routes, secrets, certificates; and who can read its secrets. A route can run any code as the
 * proxy's user.
 */
final class ConfigurationAccess {

  private static final Logger LOG = LoggerFactory.getLogger(ConfigurationAccess.class);

  private static final String CLASS_ARCHIVE = "-XX:SharedArchiveFile=";

  private ConfigurationAccess() {}

  /**
   * Warns of files that a group can write to, of folders in their paths that others can write to,
   * of secrets that every user can read, and of route files outside the routes directory.
   *
   * @param program the jar or folder that contains the proxy's classes
   * @param jvmArguments arguments of this JVM, which name its class archive
   * @throws InvalidSettingException if every user can write to a file, the routes directory, or a
   *     folder of the program
   */
  static void check(
      Path program, List<String> jvmArguments, Path configuration, Settings settings) {
    Path routes = Path.of(settings.get(Setting.ROUTES_DIRECTORY));
    try {
      List<Path> files = new ArrayList<>(programFiles(program));
      files.addAll(classArchives(jvmArguments));
      files.addAll(files(configuration, routes, settings));
      WriteAccess.check(files);
      ReadAccess.check(secretFiles(configuration, settings));
      // an additional file is checked when it is loaded
      for (Path file : RouteFiles.list(routes).stream().filter(RouteFiles::isShipped).toList()) {
        RouteFiles.targetOutside(routes, file)
            .ifPresent(target -> LOG.warn(RouteFiles.LINK_OUTSIDE, file, target));
      }
    } catch (IOException e) {
      throw new InvalidSettingException("cannot read the permissions of " + e.getMessage());
    }
  }

  /** Returns the jar or folder that contains the proxy's classes. */
  static Path program() {
    try {
      return Path.of(
          ConfigurationAccess.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The class archives that this JVM can load code from, if they exist. */
  private static List<Path> classArchives(List<String> jvmArguments) {
    return jvmArguments.stream()
        .filter(argument -> argument.startsWith(CLASS_ARCHIVE))
        .map(argument -> Path.of(argument.substring(CLASS_ARCHIVE.length())))
        .filter(Files::exists)
        .toList();
  }

  /** The jar, libraries and start script; none outside a distribution. */
  private static List<Path> programFiles(Path program) throws IOException {
    if (!Files.isRegularFile(program)) {
      return List.of();
    }
    List<Path> files = new ArrayList<>(List.of(program));
    for (String name : List.of("lib", "lib/extra", "bin")) {
      Path folder = program.resolveSibling(name);
      if (Files.isDirectory(folder)) {
        files.add(folder);
        try (Stream<Path> content = Files.list(folder)) {
          content.sorted().forEach(files::add);
        }
      }
    }
    return files;
  }

  private static List<Path> secretFiles(Path configuration, Settings settings) {
    List<Path> files = new ArrayList<>(settings.secretFiles());
    if (settings.hasSecretInConfiguration()) {
      files.add(configuration);
    }
    return files;
  }

  /** Returns the file or, if it does not exist, the folder in which it could be created. */
  private static Path existing(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    return Files.exists(file) || parent == null ? file : existing(parent);
  }

  private static List<Path> files(Path configuration, Path routes, Settings settings)
      throws IOException {
    List<Path> files = new ArrayList<>();
    files.add(existing(configuration));
    files.add(routes);
    RouteFiles.list(routes).stream().filter(Files::exists).forEach(files::add);
    files.addAll(settings.files());
    return files;
  }
}
