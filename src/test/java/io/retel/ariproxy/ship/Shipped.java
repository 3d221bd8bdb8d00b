package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.ChildProcess;
import io.retel.ariproxy.fixtures.Patience;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What the build makes for those who run the proxy, unpacked. */
final class Shipped {

  private final Path folder;

  private Shipped(Path folder) {
    this.folder = folder;
  }

  /** The tar.gz of this build. */
  static Path archive() {
    List<Path> archives = new ArrayList<>();
    try (DirectoryStream<Path> found =
        Files.newDirectoryStream(Path.of("target"), "ari-proxy-*.tar.gz")) {
      found.forEach(archives::add);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    assertThat(archives).as("the tar.gz of this build: ./mvnw -DskipTests package").hasSize(1);
    return archives.get(0);
  }

  /** Unpacks the tar.gz of this build into an empty folder. */
  static Shipped unpackInto(Path folder) {
    run(
        Map.of(),
        "tar",
        "-xzf",
        archive().toString(),
        "-C",
        folder.toString(),
        "--strip-components=1");
    return new Shipped(folder);
  }

  Path file(String path) {
    return folder.resolve(path);
  }

  /** Runs a command to its end, which must be a good one, and returns what it has printed. */
  static String run(Map<String, String> environment, String... command) {
    Ended ended = runToItsEnd(Path.of("").toAbsolutePath(), environment, List.of(command));
    assertThat(ended.exitCode()).as("%s: %s", List.of(command), ended.printed()).isZero();
    return ended.printed();
  }

  /** Runs a command to its end, whatever that is. */
  static Ended runToItsEnd(
      Path workingDirectory, Map<String, String> environment, List<String> command) {
    ProcessBuilder builder = ChildProcess.of(command).directory(workingDirectory.toFile());
    builder.environment().putAll(environment);
    try {
      Process process = builder.redirectErrorStream(true).start();
      String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(Patience.SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException(command + " does not end");
      }
      return new Ended(process.exitValue(), printed);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** How a command ended. */
  record Ended(int exitCode, String printed) {}
}
