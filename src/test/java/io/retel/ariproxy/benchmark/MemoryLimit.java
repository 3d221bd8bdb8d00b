// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** A memory limit of the kernel, without swap, for a process that enters it, as a container's. */
final class MemoryLimit implements AutoCloseable {

  private static final Path ROOT = Path.of("/sys/fs/cgroup");
  private static final Path VERSION_1 = ROOT.resolve("memory");

  private final Path folder;
  private final boolean isVersion1 = Files.exists(VERSION_1);

  private MemoryLimit(int megabytes) throws IOException {
    folder = (isVersion1 ? VERSION_1 : ROOT).resolve("ari-proxy-" + ProcessHandle.current().pid());
    Files.createDirectory(folder);
    String bytes = Long.toString((long) megabytes << 20);
    Files.writeString(file("memory.limit_in_bytes", "memory.max"), bytes);
    Path swap = file("memory.memsw.limit_in_bytes", "memory.swap.max");
    if (Files.exists(swap)) {
      Files.writeString(swap, isVersion1 ? bytes : "0");
    }
  }

  /** Returns the limit, or nothing if this user can create none on this machine. */
  static Optional<MemoryLimit> of(int megabytes) {
    try {
      return Optional.of(new MemoryLimit(megabytes));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Returns a command line that enters the limit and becomes the command that is appended. */
  List<String> entry() {
    return List.of("sh", "-c", "echo $$ >\"$0\" && exec \"$@\"", folder + "/cgroup.procs");
  }

  /** The memory that the kernel cannot take back from the processes, in bytes. */
  long usedBytes() {
    return value(folder.resolve("memory.stat"), isVersion1 ? "total_rss" : "anon");
  }

  /** How many processes the kernel has killed. */
  long kills() {
    return value(file("memory.oom_control", "memory.events"), "oom_kill");
  }

  private Path file(String version1, String version2) {
    return folder.resolve(isVersion1 ? version1 : version2);
  }

  private static long value(Path file, String key) {
    try {
      return Files.readAllLines(file).stream()
          .filter(line -> line.startsWith(key + " "))
          .mapToLong(line -> Long.parseLong(line.substring(key.length() + 1)))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Its processes must have ended. */
  @Override
  public void close() throws IOException {
    // an ended process leaves it a moment later
    for (int attempt = 0; attempt < 100; attempt++) {
      try {
        Files.delete(folder);
        return;
      } catch (IOException e) {
        LockSupport.parkNanos(100_000_000);
      }
    }
    Files.delete(folder);
  }
}
