// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * A database file that only its owner can read, regardless of the umask. SQLite gives the files
 * that it adds, such as {@code -wal}, the permissions of the database.
 */
final class OwnerOnlyFile {

  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  private OwnerOnlyFile() {}

  /**
   * Creates a missing file. Restricts one that every user can read, as earlier versions created it;
   * other permissions, such as of a group, are an operator's.
   */
  static void prepare(Path file) {
    if (file.toString().contains(":") || file.toString().contains("%")) {
      // in memory, or a URI
      return;
    }
    try {
      if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        return;
      }
      for (String suffix : new String[] {"", "-wal", "-shm", "-journal"}) {
        Path each = Path.of(file + suffix);
        if (Files.exists(each)
            && Files.getPosixFilePermissions(each).contains(PosixFilePermission.OTHERS_READ)) {
          Files.setPosixFilePermissions(each, OWNER_ONLY);
        }
      }
    } catch (IOException e) {
      // of another owner, or in a missing folder, which the driver reports
    }
  }
}
