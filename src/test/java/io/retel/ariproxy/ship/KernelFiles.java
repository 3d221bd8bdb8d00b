// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The kernel's files that the start script reads, of a machine without limits. */
record KernelFiles(Path folder) {

  /** Writes a start script that reads them. */
  void writeScript(Path script) throws IOException {
    Files.writeString(
        script,
        Files.readString(Path.of("packaging", "bin", "ari-proxy"))
            .replaceAll("/proc/meminfo|/proc/self/cgroup|/sys/fs/cgroup", folder + "$0"));
    script.toFile().setExecutable(true);
    write("/proc/meminfo", "MemTotal:        65536000 kB\nMemFree:         1024000 kB\n");
    write("/proc/self/cgroup", "0::/\n");
    write("/sys/fs/cgroup/memory.max", "max\n");
  }

  /** Sets a memory limit. */
  void limit(String file, long megabytes) throws IOException {
    write(file, (megabytes << 20) + "\n");
  }

  /** Writes a file. */
  void write(String file, String content) throws IOException {
    Path path = path(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, content);
  }

  /** Returns where a file is. */
  Path path(String file) {
    return Path.of(folder + file);
  }
}
