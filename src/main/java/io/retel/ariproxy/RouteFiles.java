package io.retel.ariproxy;

import io.retel.ariproxy.config.InvalidSettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.camel.util.ObjectHelper;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/** The files that routes are read from, and what keeps them from being read. */
final class RouteFiles {

  /** What is to be done before the proxy is started again. */
  static final String REMEDY = "Correct it, or move it out of the folder";

  private RouteFiles() {}

  /** Those of a folder. */
  static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".yaml"))
          .map(file -> file.toAbsolutePath().normalize())
          .toList();
    }
  }

  /**
   * Sees to it that each has something: Camel does not say of all of them which one it cannot read.
   *
   * @throws InvalidSettingException if one has nothing, or cannot be read
   */
  static void validate(Path folder) {
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

  private static InvalidSettingException invalidFile(Path file, String problem) {
    return new InvalidSettingException(file + " " + problem + ". " + REMEDY);
  }

  /** Whether a start failed for one that is no YAML, or that of no route; the failure names it. */
  static boolean isRouteFileError(Throwable failure) {
    return ObjectHelper.getException(YamlEngineException.class, failure) != null;
  }
}
