// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.config.SmallFile.UnsuitableFileException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SmallFileTest {

  private static final int MAX_BYTES = 10;

  @TempDir private Path folder;

  @Test
  void readsFilesUpToTheLimit() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "0123456789");
    assertThat(SmallFile.readRegular(file, MAX_BYTES)).hasSize(MAX_BYTES);
    assertThat(SmallFile.readText(file, MAX_BYTES)).isEqualTo("0123456789");
    assertThatThrownBy(() -> SmallFile.readRegular(file, MAX_BYTES - 1))
        .isInstanceOf(UnsuitableFileException.class);
    assertThatThrownBy(() -> SmallFile.readRegular(folder.resolve("none"), MAX_BYTES))
        .isInstanceOf(NoSuchFileException.class);
  }

  /** Its open waits for a writer. */
  @Test
  void abandonsReadOfPipe() throws Exception {
    Path pipe = pipe("pipe");
    Duration timeout = Duration.ofMillis(10);
    for (int i = 0; i < TimedRead.MAX_READS; i++) {
      assertThatThrownBy(() -> TimedRead.get(() -> SmallFile.read(pipe, MAX_BYTES), timeout))
          .isInstanceOf(UnsuitableFileException.class)
          .hasMessageContaining("is not read within");
    }
    assertThatThrownBy(() -> TimedRead.get(() -> "unread", timeout))
        .isInstanceOf(UnsuitableFileException.class)
        .hasMessage("is not read: 8 reads of files hang");

    release(pipe);
    Path file = Files.writeString(folder.resolve("file"), "x");
    Awaitility.await("reads have ended")
        .ignoreExceptions()
        .until(() -> SmallFile.readRegular(file, MAX_BYTES).length == 1);
  }

  @Test
  void pipeThatReplacesFileAfterCheckDoesNotBlock() throws Exception {
    Path pipe = pipe("pipe");
    Path file = Files.writeString(folder.resolve("file"), "x");
    Path link = folder.resolve("link");
    Thread swapping =
        new Thread(
            () -> {
              for (Path target = file;
                  !Thread.interrupted();
                  target = target == file ? pipe : file) {
                point(link, target);
              }
            });
    point(link, file);
    swapping.start();
    try {
      for (int i = 0; i < 2_000; i++) {
        try {
          assertThat(SmallFile.readRegular(link, MAX_BYTES, Duration.ofMillis(100))).hasSize(1);
        } catch (UnsuitableFileException e) {
          release(pipe);
        }
      }
    } finally {
      swapping.interrupt();
      swapping.join();
      release(pipe);
    }
  }

  private Path pipe(String name) throws Exception {
    Path pipe = folder.resolve(name);
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    return pipe;
  }

  /** Ends all reads of a pipe. */
  private static void release(Path pipe) throws IOException {
    // does not wait for a reader, since it is one
    FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE).close();
  }

  private static void point(Path link, Path target) {
    try {
      Path next = link.resolveSibling("next");
      Files.deleteIfExists(next);
      Files.createSymbolicLink(next, target);
      Files.move(next, link, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
