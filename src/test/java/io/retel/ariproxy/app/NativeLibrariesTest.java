// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NativeLibrariesTest {

  @AutoClose private final CapturedLog log = new CapturedLog();

  @TempDir private Path root;

  @ParameterizedTest
  @CsvSource({"Linux, ppc64le", "Linux, i386", "Mac OS X, aarch64", "Windows 11, amd64"})
  void warnsOnMachineWithoutNativeCode(String system, String machine) {
    NativeLibraries.warnIfMissing(system, machine, false);
    assertThat(log.lines(Level.WARN))
        .singleElement()
        .asString()
        .startsWith("Native libraries are missing for " + system + " on " + machine + ": ");
  }

  @ParameterizedTest
  @CsvSource({"Linux, amd64", "Linux, aarch64"})
  void acceptsMachineWithNativeCode(String system, String machine) {
    NativeLibraries.warnIfMissing(system, machine, false);
    assertThat(log.lines(Level.WARN)).isEmpty();
  }

  @Test
  void acceptsEveryMachineWithCompleteJars() {
    NativeLibraries.warnIfMissing("Linux", "ppc64le", true);
    assertThat(log.lines(Level.WARN)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/lib/ld-musl-x86_64.so.1", "/usr/lib/libc.musl-aarch64.so.1"})
  void warnsIfProcessRunsWithMusl(String library) throws IOException {
    writeMappedFiles("/opt/java/lib/server/libjvm.so", library);
    NativeLibraries.warnIfMusl(root);
    assertThat(log.lines(Level.WARN))
        .singleElement()
        .asString()
        .startsWith("The C library is musl")
        .contains("snappy");
  }

  /** Debian has a package of musl, for programs that need it. */
  @Test
  void acceptsGlibcWithMuslInstalled() throws IOException {
    writeMappedFiles("/opt/ld-musl-x86_64/libjvm.so", "/lib/x86_64-linux-gnu/libc.so.6");
    createLibraries("ld-musl-x86_64.so.1");
    NativeLibraries.warnIfMusl(root);
    assertThat(log.lines(Level.WARN)).isEmpty();
  }

  @Test
  void warnsWithoutMappedFilesIfOnlyMuslIsInstalled() throws IOException {
    createLibraries("ld-musl-x86_64.so.1");
    NativeLibraries.warnIfMusl(root);
    assertThat(log.lines(Level.WARN)).hasSize(1);

    createLibraries("ld-linux-x86-64.so.2");
    NativeLibraries.warnIfMusl(root);
    assertThat(log.lines(Level.WARN)).hasSize(1);
  }

  @Test
  void acceptsSystemWithoutThesePaths() {
    NativeLibraries.warnIfMusl(root);
    assertThat(log.lines(Level.WARN)).isEmpty();
  }

  @Test
  void findsMappedFilesOfThisProcess() throws IOException {
    assumeThat(Path.of("/proc/self/maps")).exists();
    assertThat(Files.readString(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1))
        .contains("/libjvm.so");
    NativeLibraries.warnIfMissing();
    assertThat(log.lines(Level.WARN)).noneMatch(line -> line.contains("musl"));
  }

  private void writeMappedFiles(String... files) throws IOException {
    Path maps = root.resolve("proc").resolve("self").resolve("maps");
    Files.createDirectories(maps.getParent());
    Files.write(
        maps,
        Stream.concat(Stream.of("/usr/bin/java"), Stream.of(files))
            .map(file -> "7f1c0a000000-7f1c0a028000 r-xp 00000000 08:01 1234    " + file)
            .toList());
  }

  private void createLibraries(String... loaders) throws IOException {
    Path libraries = Files.createDirectories(root.resolve("lib"));
    for (String loader : loaders) {
      Files.createFile(libraries.resolve(loader));
    }
  }
}
