// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.config.InvalidSettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RouteFilesTest {

  @TempDir private Path folder;

  @Test
  void rejectsPipe() throws Exception {
    Path pipe = folder.resolve("events.camel.yaml");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    assertRejected(pipe, "is not a regular file");
  }

  @Test
  void rejectsDevice() throws IOException {
    Path link = folder.resolve("events.camel.yaml");
    Files.createSymbolicLink(link, Path.of("/dev/zero"));
    assertRejected(link, "is not a regular file");
  }

  @Test
  void rejectsLargeFile() throws IOException {
    Path file = folder.resolve("events.camel.yaml");
    Files.writeString(file, "#".repeat((1 << 20) + 1));
    assertRejected(file, "is larger than 1024 KB");
  }

  @Test
  void leavesAdditionalFilesAlone() throws IOException {
    Files.writeString(folder.resolve("own.camel.yaml"), "");
    RouteFiles.validate(folder);
  }

  @Test
  void namesShippedFiles() throws IOException {
    assertThat(RouteFiles.list(Path.of("routes")))
        .extracting(file -> file.getFileName().toString())
        .containsExactlyInAnyOrderElementsOf(RouteFiles.SHIPPED);
  }

  private void assertRejected(Path file, String problem) {
    assertThatThrownBy(() -> RouteFiles.validate(folder))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessage(file + " " + problem + ". " + RouteFiles.REMEDY);
  }

  /** Otherwise a reload of another file would be rejected for it. */
  @Test
  void startRejectsElementThatReloadRejects(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("events.camel.yaml");
    Files.writeString(file, "- intercept:\n    steps:\n      - stop: {}\n- route: {id: events}\n");
    assertThatThrownBy(() -> RouteFiles.validate(folder))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageContaining(file + " is invalid: intercept and interceptFrom are not");
    // Camel names the line
    Files.writeString(file, "- route: [");
    assertThatCode(() -> RouteFiles.validate(folder)).doesNotThrowAnyException();
  }
}
