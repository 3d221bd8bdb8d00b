// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.retel.ariproxy.config.WriteAccess.Exposure;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
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

  /** As with {@code ProtectSystem=strict} of systemd, or a bind mount of Docker. */
  @Test
  void readOnlyMountProtectsFilesInKubernetesOnly() throws IOException {
    Path readOnly = readOnlyMount();
    FileStore mount = Files.getFileStore(readOnly);
    assertThat(WriteAccess.protectsFiles(mount, false)).isFalse();
    assertThat(WriteAccess.protectsFiles(mount, true)).isTrue();
    assertThat(WriteAccess.protectsFiles(Files.getFileStore(file), true)).isFalse();
  }

  private static Path readOnlyMount() throws IOException {
    try (Stream<String> mounts = Files.lines(Path.of("/proc/mounts"))) {
      Optional<Path> readOnly =
          mounts
              .map(mount -> mount.split(" "))
              .filter(fields -> List.of(fields[3].split(",")).contains("ro"))
              .map(fields -> Path.of(fields[1]))
              .filter(Files::isReadable)
              .findFirst();
      assumeThat(readOnly).as("a mount that is read-only").isPresent();
      return readOnly.orElseThrow();
    }
  }

  private static void assertExposed(Path path, Path by, WriteAccess writers) throws IOException {
    assertThat(WriteAccess.exposure(path))
        .contains(new Exposure(by, writers, by.equals(path.toRealPath())));
  }

  private static void permit(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }
}
