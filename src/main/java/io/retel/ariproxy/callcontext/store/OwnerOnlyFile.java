// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.config.WriteAccess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A database file that only its owner can read, regardless of the umask. SQLite gives the files
 * that it adds, such as {@code -wal}, the permissions of the database.
 */
final class OwnerOnlyFile {

  private static final Logger LOG = LoggerFactory.getLogger(OwnerOnlyFile.class);

  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  private static final String[] SUFFIXES = {"", "-wal", "-shm", "-journal"};

  private static final int ROOT = 0;

  private final Path file;
  private final boolean kubernetes;
  private boolean warned;

  OwnerOnlyFile(Path file) {
    this(file, WriteAccess.isKubernetes());
  }

  /**
   * @param kubernetes whether owners and modes of files are those of a volume's driver
   */
  OwnerOnlyFile(Path file, boolean kubernetes) {
    this.file = file;
    this.kubernetes = kubernetes;
  }

  /**
   * Creates a missing file. Restricts one that every user can read, as earlier versions created it;
   * other permissions, such as of a group, are an operator's.
   *
   * @throws SQLException if another user can have written it: mappings and subscriptions are read
   *     from it
   */
  void prepare() throws SQLException {
    if (Files.isDirectory(file)) {
      // which the driver reports
      return;
    }
    try {
      if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
      }
      checkLink(file);
      // SQLite adds its files to the one that a link names
      Path real = file.toRealPath();
      List<Path> existing =
          Stream.of(SUFFIXES)
              .map(suffix -> Path.of(real + suffix))
              .filter(each -> Files.exists(each, LinkOption.NOFOLLOW_LINKS))
              .toList();
      for (Path each : existing) {
        check(each);
      }
      for (Path each : existing) {
        restrict(each);
      }
    } catch (IOException e) {
      // of another owner, or in a missing folder, which the driver reports
    }
  }

  private void check(Path each) throws IOException, SQLException {
    try {
      checkLink(each);
      if (!kubernetes) {
        checkOwner(each);
        checkWriters(each);
      }
    } catch (NoSuchFileException e) {
      // another proxy has closed the database
    }
  }

  private static void restrict(Path each) {
    try {
      if (Files.getPosixFilePermissions(each).contains(PosixFilePermission.OTHERS_READ)) {
        Files.setPosixFilePermissions(each, OWNER_ONLY);
      }
    } catch (IOException e) {
      // of root, or of a mount without permissions
      LOG.debug("Permissions of {} cannot be changed: {}", each, e.toString());
    }
  }

  private static void checkLink(Path path) throws IOException, SQLException {
    if (!Files.isSymbolicLink(path)) {
      return;
    }
    Path folder = path.toAbsolutePath().resolveSibling("").toRealPath();
    if (!Files.exists(path) || !folder.equals(path.toRealPath().getParent())) {
      throw new SQLException(
          path + " is a link that leaves its folder; name its target in callcontext.jdbc-url");
    }
  }

  /** Accepts root, which SQLite or an operator can have run as. */
  private static void checkOwner(Path path) throws IOException, SQLException {
    int owner = (int) Files.getAttribute(path, "unix:uid");
    Path self = Path.of("/proc/self");
    if (!Files.exists(self)) {
      // not Linux
      return;
    }
    int user = (int) Files.getAttribute(self, "unix:uid");
    if (owner != user && owner != ROOT) {
      throw new SQLException(
          "%s belongs to user %d instead of user %d; if you trust its content, chown it"
              .formatted(path, owner, user));
    }
  }

  private void checkWriters(Path path) throws IOException, SQLException {
    Optional<WriteAccess.Exposure> exposure = WriteAccess.exposure(path);
    if (exposure.filter(WriteAccess.Exposure::isToEveryone).isPresent()) {
      throw new SQLException(
          "every user of this host can change %s; if you trust its content, chmod o-w"
              .formatted(path));
    }
    if (exposure.isPresent() && !warned) {
      warned = true;
      LOG.warn(
          "Other users can change the call contexts: {}; remove the permission unless you trust them",
          exposure.get());
    }
  }
}
