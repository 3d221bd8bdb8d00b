// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link TemporaryFilesIT} tests it in a process that is killed. */
class TemporaryDirectoryTest {

  @TempDir private Path parent;

  @Test
  void isEnteredByItsUserOnly() throws IOException {
    TemporaryDirectory directory = TemporaryDirectory.create(parent);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.path())))
        .isEqualTo("rwx------");
    Files.createDirectories(directory.path().resolve("folder/folder"));
    directory.delete();
    assertThat(parent).isEmptyDirectory();
  }

  @Test
  void deletesThoseOfEndedProcesses() throws IOException {
    Path abandoned = Files.createDirectories(parent.resolve("ari-proxy-1/folder")).getParent();
    Files.createFile(abandoned.resolve("lock"));
    Files.createFile(abandoned.resolve("libsnappy.so"));
    TemporaryDirectory.create(parent).delete();
    assertThat(parent).isEmptyDirectory();
  }

  /** Those of processes that were killed before they had locked their directory. */
  @Test
  void deletesUnlockedOnesOfEndedProcesses() throws IOException {
    Path abandoned = Files.createDirectory(parent.resolve(".ari-proxy-1"));
    Files.createFile(abandoned.resolve("lock"));
    Files.setLastModifiedTime(abandoned, FileTime.from(Instant.now().minus(Duration.ofMinutes(2))));
    Path starting = Files.createDirectory(parent.resolve(".ari-proxy-2"));
    TemporaryDirectory.create(parent).delete();
    assertThat(Files.list(parent)).containsExactly(starting);
  }

  @Test
  void deletesNothingElse(@TempDir Path elsewhere) throws IOException {
    Files.createFile(elsewhere.resolve("lock"));
    Files.createSymbolicLink(parent.resolve("ari-proxy-link"), elsewhere);
    Files.createFile(parent.resolve("ari-proxy-file"));
    Files.createDirectory(parent.resolve("ari-proxy-unlocked"));
    Files.createFile(Files.createDirectory(parent.resolve("other")).resolve("lock"));
    TemporaryDirectory.create(parent).delete();
    assertThat(parent).isDirectoryContaining("glob:**/ari-proxy-link");
    assertThat(Files.list(parent)).hasSize(4);
    assertThat(elsewhere.resolve("lock")).exists();
  }
}
