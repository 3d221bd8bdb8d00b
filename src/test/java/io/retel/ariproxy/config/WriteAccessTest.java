// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.WriteAccess.Exposure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WriteAccessTest {

  @TempDir private Path parent;

  private Path folder;
  private Path file;

  @BeforeEach
  void createFile() throws IOException {
    folder = Files.createDirectory(parent.toRealPath().resolve("routes"));
    file = Files.createFile(folder.resolve("x.yaml"));
    permit(folder, "rwxr-xr-x");
    permit(file, "rw-r--r--");
  }

  @Test
  void ofOwner() throws IOException {
    assertThat(WriteAccess.exposure(file)).isEmpty();
    assertThat(WriteAccess.exposure(folder)).isEmpty();
  }

  @Test
  void followsModeOfFile() throws IOException {
    permit(file, "rw-rw-r--");
    assertExposed(file, file, WriteAccess.GROUP);
    permit(file, "rw-rw-rw-");
    assertExposed(file, file, WriteAccess.EVERYONE);
  }

  @Test
  void followsModeOfAnyFolder() throws IOException {
    permit(folder, "rwxrwxr-x");
    assertExposed(file, folder, WriteAccess.GROUP);
    permit(parent, "rwxrwxrwx");
    assertExposed(file, parent.toRealPath(), WriteAccess.EVERYONE);
  }

  @Test
  void stickyFolderProtectsExistingFilesOnly() throws IOException {
    Files.setAttribute(folder, "unix:mode", 01777);
    assertThat(WriteAccess.exposure(file)).isEmpty();
    assertExposed(folder, folder, WriteAccess.EVERYONE);
  }

  @Test
  void followsLinkAndItsTarget() throws IOException {
    Path elsewhere = Files.createDirectory(parent.toRealPath().resolve("elsewhere"));
    Path target = Files.createFile(elsewhere.resolve("y.yaml"));
    Path link = Files.createSymbolicLink(folder.resolve("y.yaml"), target);
    assertThat(WriteAccess.exposure(link)).isEmpty();
    permit(elsewhere, "rwxrwxrwx");
    assertExposed(link, elsewhere, WriteAccess.EVERYONE);
    permit(elsewhere, "rwxr-xr-x");
    permit(folder, "rwxrwxrwx");
    assertExposed(link, folder, WriteAccess.EVERYONE);
  }

  private static void assertExposed(Path path, Path by, WriteAccess writers) throws IOException {
    assertThat(WriteAccess.exposure(path))
        .contains(new Exposure(by, writers, by.equals(path.toRealPath())));
  }

  private static void permit(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }
}
