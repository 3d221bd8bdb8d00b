// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.WriteAccess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.camel.util.ObjectHelper;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/** Route files: listing and validation. */
public final class RouteFiles {

  /** How to correct an invalid file before the next start. */
  public static final String REMEDY = "Correct it, or move it out of the folder";

  /** Log line for a route file and its target. */
  public static final String LINK_OUTSIDE =
      "Route file {} is a link to {}, outside the routes directory: anyone who can write there"
          + " controls the proxy";

  private RouteFiles() {}

  /** Returns the YAML files of a folder, as absolute paths. */
  public static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".yaml"))
          .map(file -> file.toAbsolutePath().normalize())
          .toList();
    }
  }

  /**
   * Rejects empty and unreadable files, since Camel's error does not always name the file.
   *
   * @throws InvalidSettingException if a file is empty or cannot be read
   */
  public static void validate(Path folder) {
    Path current = folder.toAbsolutePath();
    try {
      for (Path file : list(folder)) {
        current = file;
        if (Files.readString(file).isBlank()) {
          throw invalidFile(file, "is empty");
        }
      }
    } catch (IOException e) {
      throw invalidFile(current, "cannot be read: " + e);
    }
  }

  /** Describes a file that every user can change. */
  public static String writableByEveryone(Path file, WriteAccess.Exposure exposure) {
    return "Every user of this host can change "
        + file
        + ", and so control the proxy; chmod o-w "
        + exposure.path();
  }

  /**
   * Returns the target of a link that leads out of the folder; empty for any other file, including
   * links within a ConfigMap of Kubernetes.
   */
  public static Optional<Path> targetOutside(Path folder, Path file) throws IOException {
    Path real = folder.toRealPath();
    return Optional.of(file.toRealPath()).filter(target -> !target.startsWith(real));
  }

  private static InvalidSettingException invalidFile(Path file, String problem) {
    return new InvalidSettingException(file + " " + problem + ". " + REMEDY);
  }

  /** Returns whether a file is not YAML or not a route; the failure then names it. */
  public static boolean isRouteFileError(Throwable failure) {
    return ObjectHelper.getException(YamlEngineException.class, failure) != null;
  }
}
