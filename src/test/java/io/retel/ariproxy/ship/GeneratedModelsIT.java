// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.Prerequisite;
import io.retel.ariproxy.fixtures.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The models that AsyncAPI's generator, Modelina, creates for call-controllers have the names of
 * the titles, and compile.
 */
@FullRun("npm packages")
@Tag(FullRun.ON_DEMAND)
class GeneratedModelsIT {

  private static final Path INSTALLED = Path.of("target", "modelina");
  private static final Path DOCUMENT =
      Path.of("src", "main", "resources", "io", "retel", "ariproxy", "asyncapi.yaml");

  @TempDir private static Path folder;

  @BeforeAll
  static void generate() throws IOException {
    Tool.NODE.path();
    Prerequisite.TOOLS.assumePresent(
        "modelina",
        Files.isDirectory(INSTALLED.resolve("node_modules")),
        "Modelina is not installed: cp -r src/test/modelina target && npm install --prefix target/modelina");
    Path script = INSTALLED.resolve("generate.js");
    Files.copy(
        Path.of("src", "test", "modelina", "generate.js"),
        script,
        StandardCopyOption.REPLACE_EXISTING);
    Tool.Result result = Tool.NODE.run(script.toString(), DOCUMENT.toString(), folder.toString());
    assertThat(result.exitCode()).as(result.output()).isZero();
  }

  @Test
  void javaModelsCompile() throws IOException {
    List<String> sources = files("java", ".java");
    assertThat(sources.stream().map(GeneratedModelsIT::modelName)).contains(MODELS);
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "-d",
                folder.resolve("classes").toString(),
                "-cp",
                System.getProperty("java.class.path")));
    arguments.addAll(sources);
    assertThat(
            ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, arguments.toArray(String[]::new)))
        .isZero();
  }

  @Test
  void typeScriptModelsCompile() throws IOException {
    List<String> sources = files("typescript", ".ts");
    assertThat(sources.stream().map(GeneratedModelsIT::modelName)).contains(MODELS);
    List<String> arguments =
        new ArrayList<>(
            List.of(
                INSTALLED.resolve("node_modules/typescript/bin/tsc").toString(),
                "--noEmit",
                "--strict",
                "--target",
                "es2020"));
    arguments.addAll(sources);
    Tool.Result result = Tool.NODE.run(arguments.toArray(String[]::new));
    assertThat(result.exitCode()).as(result.output()).isZero();
  }

  /** Names of models that every generator must have; others depend on the language. */
  private static final String[] MODELS = {
    "Command",
    "AriCommand",
    "AriMethod",
    "AriEventEnvelope",
    "AriEvent",
    "EventResource",
    "EventResourceType",
    "Response",
    "CommandRequest",
    "ResponseResource",
    "ResponseResourceType",
    "ResponsePayload",
    "ResponseFile",
    "ResponseFailure",
    "ResponseOutcome"
  };

  private static List<String> files(String language, String suffix) throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve(language))) {
      return files.map(Path::toString).filter(file -> file.endsWith(suffix)).sorted().toList();
    }
  }

  private static String modelName(String file) {
    return file.replaceAll(".*/|\\.\\w+$", "");
  }
}
