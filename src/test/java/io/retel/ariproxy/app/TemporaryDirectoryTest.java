// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link TemporaryFilesIT} tests it in a process that is killed. */
class TemporaryDirectoryTest {

  @TempDir private Path parent;
  @AutoClose private final CapturedLog log = new CapturedLog();

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
  void prefersWritableFolderFromWhichLibrariesCanBeLoaded() throws IOException {
    Path state = Files.createDirectory(parent.resolve("state"));
    Path temporary = Files.createDirectory(parent.resolve("tmp"));
    Path absent = parent.resolve("absent");
    List<Path> parents = TemporaryDirectory.parents(absent + ":" + state, temporary.toString());
    assertThat(parents).containsExactly(absent, state, temporary);
    assertThat(TemporaryDirectory.parents(null, temporary.toString())).containsExactly(temporary);

    assertThat(parentOfFirst(parents, folder -> true)).isEqualTo(state);
    assertThat(parentOfFirst(parents, folder -> !folder.equals(state))).isEqualTo(temporary);
    assertThat(log.lines(Level.WARN)).isEmpty();

    assertThat(parentOfFirst(parents, folder -> false)).isEqualTo(state);
    assertThat(log.lines(Level.WARN))
        .singleElement()
        .asString()
        .startsWith("Native libraries cannot be loaded: " + state + " is mounted with noexec;");
    assertThat(TemporaryDirectory.createInFirst(List.of(absent), folder -> true)).isEmpty();
  }

  private static Path parentOfFirst(List<Path> parents, Predicate<Path> permitsExecution) {
    TemporaryDirectory directory =
        TemporaryDirectory.createInFirst(parents, permitsExecution).orElseThrow();
    directory.delete();
    return directory.path().getParent();
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
