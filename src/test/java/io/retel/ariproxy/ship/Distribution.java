// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.ChildProcess;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The unpacked tar.gz that the build creates for operators. */
final class Distribution {

  private final Path folder;

  private Distribution(Path folder) {
    this.folder = folder;
  }

  /** Returns the tar.gz of this build. */
  static Path archive() {
    return built("ari-proxy-*.tar.gz");
  }

  /** Returns the Debian package of this build. */
  static Path debianPackage() {
    return built("ari-proxy_*.deb");
  }

  private static Path built(String name) {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(Path.of("target"), name)) {
      found.forEach(files::add);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    assertThat(files).as("%s of this build: ./mvnw -DskipTests package", name).hasSize(1);
    return files.get(0);
  }

  /** Unpacks the tar.gz of this build into an empty folder. */
  static Distribution unpack(Path folder) {
    run(
        Map.of(),
        "tar",
        "-xzf",
        archive().toString(),
        "-C",
        folder.toString(),
        "--strip-components=1");
    return new Distribution(folder);
  }

  Path file(String path) {
    return folder.resolve(path);
  }

  /**
   * Adds a Camel component with the command of docs/recipes.md#add-components, from Maven's local
   * repository.
   */
  void addComponent(String name, String... options) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of("mvnw").toAbsolutePath().toString(),
                "-q",
                "-o",
                "-f",
                file("examples/components/pom.xml").toString(),
                "dependency:copy-dependencies",
                "-Dcomponent=" + name,
                "-Dto=" + Files.createDirectories(file("lib/extra"))));
    command.addAll(List.of(options));
    run(Map.of(), command.toArray(String[]::new));
  }

  /** Adds a file of {@code examples/routes} and lines of {@code application.properties}. */
  void addRecipe(String name, String properties) throws IOException {
    Files.copy(Path.of("examples", "routes", name), file("routes").resolve(name));
    Files.writeString(
        file("config/application.properties"), "\n" + properties, StandardOpenOption.APPEND);
  }

  /** Starts the proxy with its start script. */
  ProxyProcess start(ProxySettings settings, Map<String, String> environment, Path log) {
    Map<String, String> all = new HashMap<>(settings.environment());
    all.put("JAVA_OPTS", ProxyProcess.LOW_CPU_OPTIONS);
    all.putAll(environment);
    return ProxyProcess.start(
        List.of(file("bin/ari-proxy").toString()), all, folder.getParent(), log);
  }

  /** Runs a command, which must exit with 0, and returns its output. */
  static String run(Map<String, String> environment, String... command) {
    Result result = runToExit(Path.of("").toAbsolutePath(), environment, List.of(command));
    assertThat(result.exitCode()).as("%s: %s", List.of(command), result.output()).isZero();
    return result.output();
  }

  /** Runs a command and returns its exit code and output. */
  static Result runToExit(
      Path workingDirectory, Map<String, String> environment, List<String> command) {
    ProcessBuilder builder = ChildProcess.builder(command).directory(workingDirectory.toFile());
    builder.environment().put("JAVA_OPTS", ProxyProcess.LOW_CPU_OPTIONS);
    builder.environment().putAll(environment);
    try {
      Process process = builder.redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(DefaultTimeout.SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException(command + " did not exit in time");
      }
      return new Result(process.exitValue(), output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Outcome of a command. */
  record Result(int exitCode, String output) {}
}
