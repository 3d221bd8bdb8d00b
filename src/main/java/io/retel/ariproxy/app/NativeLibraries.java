// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Native code of SQLite, zstd and snappy: the shipped jars contain that of two machines, for glibc.
 *
 * <p>With musl on x86-64, that of zstd and LZ4 can be loaded, and SQLite has its own; that of
 * snappy requires the loader of glibc, which gcompat replaces (seen with musl 1.2.3).
 */
public final class NativeLibraries {

  private static final Logger LOG = LoggerFactory.getLogger(NativeLibraries.class);

  private static final String SYSTEM = "Linux";
  private static final Set<String> MACHINES = Set.of("amd64", "x86_64", "aarch64");

  /** In the jar of Maven Central, which a development environment uses, but not in ours. */
  private static final String ONLY_IN_COMPLETE_JAR =
      "/org/sqlite/native/Windows/x86_64/sqlitejdbc.dll";

  /** The mapped files of the process: a system with glibc can have musl installed as well. */
  private static final Path MAPPED_FILES = Path.of("proc", "self", "maps");

  /** In musl, the C library and its loader are one file. */
  private static final Pattern MUSL = Pattern.compile("/(ld-musl-|libc\\.musl-)[^/]*$");

  private static final Path LIBRARIES = Path.of("lib");

  private NativeLibraries() {}

  /** Logs a warning if native code of the shipped libraries can fail on this machine. */
  public static void warnIfMissing() {
    warnIfMissing(
        System.getProperty("os.name"),
        System.getProperty("os.arch"),
        NativeLibraries.class.getResource(ONLY_IN_COMPLETE_JAR) != null);
    warnIfMusl(Path.of("/"));
  }

  /**
   * Logs a warning if this process runs with musl.
   *
   * @param root of the file system
   */
  static void warnIfMusl(Path root) {
    if (isMusl(root)) {
      LOG.warn(
          "The C library is musl, with which the proxy is not tested: on x86-64, records"
              + " compressed with snappy fail without gcompat. Run the proxy with glibc");
    }
  }

  private static boolean isMusl(Path root) {
    try (Stream<String> files =
        Files.lines(root.resolve(MAPPED_FILES), StandardCharsets.ISO_8859_1)) {
      return files.anyMatch(file -> MUSL.matcher(file).find());
    } catch (IOException | UncheckedIOException e) {
      return hasMuslAlone(root.resolve(LIBRARIES));
    }
  }

  /** Whether musl is installed, and the loader of glibc is not. */
  private static boolean hasMuslAlone(Path libraries) {
    try (Stream<Path> files = Files.list(libraries)) {
      List<String> loaders =
          files
              .map(file -> file.getFileName().toString())
              .filter(file -> file.startsWith("ld-"))
              .toList();
      return loaders.stream().anyMatch(loader -> loader.startsWith("ld-musl-"))
          && loaders.stream().noneMatch(loader -> loader.startsWith("ld-linux"));
    } catch (IOException | UncheckedIOException e) {
      // such as on another system
      return false;
    }
  }

  static void warnIfMissing(String system, String machine, boolean complete) {
    if (!complete && !(system.equals(SYSTEM) && MACHINES.contains(machine))) {
      LOG.warn(
          "Native libraries are missing for {} on {}: a store in SQLite and records compressed with"
              + " snappy or zstd fail. Run the proxy on Linux, on x86-64 or ARM64",
          system,
          machine);
    }
  }
}
