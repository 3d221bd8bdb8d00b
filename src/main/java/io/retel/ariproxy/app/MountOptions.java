// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Options of the file systems of this process, on Linux: {@code /proc/self/mountinfo}. */
final class MountOptions {

  private static final Path MOUNTS = Path.of("/proc/self/mountinfo");

  private static final int MOUNT_POINT = 4;
  private static final int OPTIONS = 5;

  private MountOptions() {}

  /**
   * Returns whether native libraries can be loaded from a folder: its file system is not mounted
   * with {@code noexec}, or that is unknown.
   */
  static boolean permitsExecution(Path folder) {
    try {
      return permitsExecution(folder.toRealPath(), Files.readAllLines(MOUNTS));
    } catch (IOException | InvalidPathException e) {
      return true;
    }
  }

  /**
   * @param folder without links
   * @param mounts see proc(5); a later one covers an earlier one at the same place
   */
  static boolean permitsExecution(Path folder, List<String> mounts) {
    int depth = -1;
    boolean permitted = true;
    for (String mount : mounts) {
      String[] fields = mount.split(" ");
      if (fields.length > OPTIONS) {
        // a space in the name of a folder
        Path point = Path.of(fields[MOUNT_POINT].replace("\\040", " "));
        if (folder.startsWith(point) && point.getNameCount() >= depth) {
          depth = point.getNameCount();
          permitted = !Arrays.asList(fields[OPTIONS].split(",")).contains("noexec");
        }
      }
    }
    return permitted;
  }
}
