// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.fixtures.CapturedLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReloadedFilesTest {

  @TempDir private Path folder;

  private final AtomicLong nanos = new AtomicLong();
  private final AtomicInteger reads = new AtomicInteger();
  private Path file;

  @BeforeEach
  void writeFile() throws IOException {
    file = Files.writeString(folder.resolve("secret"), "one");
  }

  @Test
  void readsReplacedFile() throws IOException {
    ReloadedFiles<String> content = read(file);
    assertThat(content.get()).isEqualTo("one");

    replace("two");
    assertThat(content.get()).as("looks after an interval").isEqualTo("one");
    assertThat(afterInterval(content)).isEqualTo("two");
    assertThat(afterInterval(content)).isEqualTo("two");
    assertThat(reads).as("reads it after a change only").hasValue(2);
  }

  @Test
  void readsFileWrittenInPlaceOnceItIsComplete() throws IOException {
    ReloadedFiles<String> content = read(file);
    Files.writeString(file, "half");
    modifiedAt(Instant.now().plusSeconds(60));
    assertThat(afterInterval(content)).isEqualTo("one");
    Files.writeString(file, "half and half");
    modifiedAt(Instant.now().plusSeconds(61));
    assertThat(afterInterval(content)).isEqualTo("one");
    assertThat(afterInterval(content)).isEqualTo("half and half");
  }

  /** The first login after a change, hours later, must not use the previous password. */
  @Test
  void readsFileWrittenInPlaceLongAgoAtFirstUse() throws IOException {
    ReloadedFiles<String> content = read(file);
    Files.writeString(file, "two");
    modifiedAt(Instant.now().minusSeconds(10));
    assertThat(afterInterval(content)).isEqualTo("two");
  }

  @Test
  void readsFileBehindReplacedLinkOfKubernetes() throws IOException {
    Path mount = Files.createDirectory(folder.resolve("mount"));
    Files.writeString(Files.createDirectory(mount.resolve("..1")).resolve("secret"), "one");
    Files.writeString(Files.createDirectory(mount.resolve("..2")).resolve("secret"), "two");
    Files.createSymbolicLink(mount.resolve("..data"), Path.of("..1"));
    Path link = Files.createSymbolicLink(mount.resolve("secret"), Path.of("..data/secret"));
    ReloadedFiles<String> content = read(link);
    assertThat(content.get()).isEqualTo("one");

    Files.createSymbolicLink(mount.resolve("..data_tmp"), Path.of("..2"));
    Files.move(
        mount.resolve("..data_tmp"), mount.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
    assertThat(afterInterval(content)).isEqualTo("two");
  }

  @Test
  void keepsValueWhileFileIsMissingOrEmpty() throws IOException {
    ReloadedFiles<String> content = read(file);
    try (CapturedLog log = CapturedLog.atDebug()) {
      Files.delete(file);
      assertThat(afterInterval(content)).isEqualTo("one");
      assertThat(afterInterval(content)).isEqualTo("one");
      assertThat(lines(log))
          .containsExactly("secret is missing; the previous value remains in use");

      Files.writeString(file, "");
      assertThat(afterInterval(content)).isEqualTo("one");
      assertThat(afterInterval(content)).isEqualTo("one");
      assertThat(lines(log)).hasSize(2).last().asString().startsWith("secret is empty; ");

      replace("two");
      // the file system can reuse the inode, as if the file had been written in place
      afterInterval(content);
      assertThat(afterInterval(content)).isEqualTo("two");
      assertThat(lines(log))
          .hasSize(3)
          .last()
          .isEqualTo("setting-file was replaced; new connections use it");
      assertThat(lines(log)).noneMatch(line -> line.contains("two"));
    }
  }

  /** Opening a pipe waits for its writer. */
  @Test
  void doesNotOpenDeviceOrPipe() throws IOException {
    ReloadedFiles<String> content = read(file);
    try (CapturedLog log = CapturedLog.atDebug()) {
      Files.delete(file);
      Files.createSymbolicLink(file, Path.of("/dev/null"));
      afterInterval(content);
      assertThat(afterInterval(content)).isEqualTo("one");
      assertThat(reads).hasValue(1);
      assertThat(lines(log))
          .containsExactly(
              "setting-file names "
                  + file
                  + ", which is not a regular file; the previous value remains in use");
    }
  }

  @Test
  void readsAllFilesWhenOneIsReplaced() throws IOException {
    Path other = Files.writeString(folder.resolve("other"), "one");
    ReloadedFiles<String> content =
        ReloadedFiles.read(
            "setting-file",
            List.of(file, other),
            () -> {
              String both = content(file) + "+" + content(other);
              if (!content(file).equals(content(other))) {
                throw new IllegalArgumentException("files do not match");
              }
              return both;
            },
            nanos::get);
    replace("two");
    assertThat(afterInterval(content)).isEqualTo("one+one");
    Path next = Files.writeString(folder.resolve("next"), "two");
    Files.move(next, other, StandardCopyOption.ATOMIC_MOVE);
    assertThat(afterInterval(content)).isEqualTo("two+two");
  }

  @Test
  void rejectsUnusableFileAtFirst() throws IOException {
    Files.delete(file);
    assertThatThrownBy(() -> read(file)).hasMessage("secret is missing");
  }

  private ReloadedFiles<String> read(Path path) {
    return ReloadedFiles.read(
        "setting-file",
        List.of(path),
        () -> {
          reads.incrementAndGet();
          String content = content(path);
          if (content.isEmpty()) {
            throw new IllegalArgumentException("secret is empty");
          }
          return content;
        },
        nanos::get);
  }

  private static String content(Path path) {
    try {
      if (!Files.exists(path)) {
        throw new IllegalArgumentException("secret is missing");
      }
      return Files.readString(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String afterInterval(ReloadedFiles<String> content) {
    nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(200));
    return content.get();
  }

  private void modifiedAt(Instant time) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(time));
  }

  private void replace(String content) throws IOException {
    Path next = Files.writeString(folder.resolve("next"), content);
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static List<String> lines(CapturedLog log) {
    return log.events().stream()
        .filter(event -> event.getLoggerName().equals(ReloadedFiles.class.getName()))
        .map(event -> event.getFormattedMessage())
        .toList();
  }
}
