// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The temporary directory of this process: only its user can enter it, and it ends with the
 * process.
 *
 * <p>Libraries unpack native code into {@code java.io.tmpdir} and load it from there, as files of
 * any mode that remain after a SIGKILL. The next start deletes the directories of processes that
 * have ended: a running one holds a lock.
 */
public final class TemporaryDirectory {

  private static final Logger LOG = LoggerFactory.getLogger(TemporaryDirectory.class);

  private static final String PROPERTY = "java.io.tmpdir";

  /** Of systemd: the folders that the unit may write to, separated by colons. */
  private static final String STATE_DIRECTORY = "STATE_DIRECTORY";

  private static final String PREFIX = "ari-proxy-";
  private static final String UNLOCKED_PREFIX = "." + PREFIX;
  private static final String LOCK = "lock";

  /** A directory that has no lock after this time is not that of a process that starts. */
  private static final Duration START_TIMEOUT = Duration.ofMinutes(1);

  /** The time in which the application stops with default timeouts; less than that of the unit. */
  private static final Duration EXIT_TIMEOUT = Duration.ofSeconds(40);

  private final Path path;

  /** Held until the process ends: a lock ends with its channel, also when that is unreachable. */
  private final FileChannel lock;

  /** Its value of {@code java.io.tmpdir}, which this directory replaces. */
  private final String previous = System.getProperty(PROPERTY);

  private final CountDownLatch deleted = new CountDownLatch(1);

  private TemporaryDirectory(Path path, FileChannel lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Makes {@code java.io.tmpdir} a directory of this process: in the first folder of {@code
   * STATE_DIRECTORY} or {@code java.io.tmpdir} that is writable and from which native libraries can
   * be loaded. Must run before the first temporary file. Without a writable directory, such as in a
   * read-only container, it changes nothing.
   *
   * <p>Delete the directory after the application: one that drains can still unpack libraries. If
   * the process ends before, its shutdown hook does.
   */
  public static Optional<TemporaryDirectory> enter() {
    Optional<TemporaryDirectory> entered =
        createInFirst(
            parents(System.getenv(STATE_DIRECTORY), System.getProperty(PROPERTY)),
            MountOptions::permitsExecution);
    entered.ifPresent(
        directory -> {
          System.setProperty(PROPERTY, directory.path.toString());
          Runtime.getRuntime()
              .addShutdownHook(new Thread(directory::deleteAtExit, "temporary-directory"));
        });
    return entered;
  }

  static List<Path> parents(@Nullable String stateDirectory, String temporary) {
    return Stream.concat(
            Stream.of(stateDirectory == null ? new String[0] : stateDirectory.split(":")),
            Stream.of(temporary))
        .filter(name -> !name.isEmpty())
        .map(Path::of)
        .toList();
  }

  /** Creates the directory in the first suitable folder. */
  static Optional<TemporaryDirectory> createInFirst(
      List<Path> parents, Predicate<Path> permitsExecution) {
    List<String> problems = new ArrayList<>();
    List<Path> executable = parents.stream().filter(permitsExecution).toList();
    for (Path parent : executable) {
      try {
        return Optional.of(create(parent));
      } catch (IOException e) {
        problems.add(e.toString());
      }
    }
    for (Path parent : parents) {
      if (!executable.contains(parent)) {
        try {
          TemporaryDirectory directory = create(parent);
          LOG.warn(
              "Native libraries cannot be loaded: {} is mounted with noexec; a store in SQLite and"
                  + " records compressed with snappy or zstd fail. Set STATE_DIRECTORY or"
                  + " java.io.tmpdir to another folder",
              parent);
          return Optional.of(directory);
        } catch (IOException e) {
          problems.add(e.toString());
        }
      }
    }
    LOG.info("Temporary directory not created: {}; libraries cannot unpack files", problems);
    return Optional.empty();
  }

  /** Creates a directory for this process, and deletes those of processes that have ended. */
  static TemporaryDirectory create(Path parent) throws IOException {
    String name = PREFIX + UUID.randomUUID();
    // locked before it has the name that others look for
    Path unlocked = parent.resolve(UNLOCKED_PREFIX + name.substring(PREFIX.length()));
    Files.createDirectory(
        unlocked,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    FileChannel lock =
        FileChannel.open(
            unlocked.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    lock.lock();
    Path path = Files.move(unlocked, parent.resolve(name)).toAbsolutePath();
    deleteAbandoned(path);
    return new TemporaryDirectory(path, lock);
  }

  Path path() {
    return path;
  }

  /** Deletes it, after the last use, and restores {@code java.io.tmpdir}. */
  public void delete() {
    if (path.toString().equals(System.getProperty(PROPERTY))) {
      System.setProperty(PROPERTY, previous);
    }
    delete(path);
    try {
      lock.close();
    } catch (IOException e) {
      LOG.debug("Closing the lock of {} failed", path, e);
    }
    deleted.countDown();
  }

  private void deleteAtExit() {
    try {
      // the application drains, and its thread deletes the directory
      if (!deleted.await(EXIT_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
        delete();
      }
    } catch (InterruptedException e) {
      // the next start deletes it
      Thread.currentThread().interrupt();
    }
  }

  private static void deleteAbandoned(Path own) {
    try (DirectoryStream<Path> others =
        Files.newDirectoryStream(
            Objects.requireNonNull(own.getParent()), "{" + UNLOCKED_PREFIX + "," + PREFIX + "}*")) {
      UserPrincipal owner = Files.getOwner(own);
      for (Path other : others) {
        // not the own one: closing a second channel of its lock would release it
        if (!other.getFileName().equals(own.getFileName()) && isAbandoned(other, owner)) {
          delete(other);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // the next start tries again
      LOG.debug("Listing the directories of ended processes failed", e);
    }
  }

  private static boolean isAbandoned(Path directory, UserPrincipal owner) {
    Path file = directory.resolve(LOCK);
    try {
      // nothing of another user, such as a pipe, which would block
      if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
          || !Files.getOwner(directory, LinkOption.NOFOLLOW_LINKS).equals(owner)) {
        return false;
      }
      if (directory.getFileName().toString().startsWith(UNLOCKED_PREFIX)) {
        return Files.getLastModifiedTime(directory)
            .toInstant()
            .isBefore(Instant.now().minus(START_TIMEOUT));
      }
      if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        return false;
      }
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        return channel.tryLock() != null;
      }
    } catch (IOException e) {
      return false;
    }
  }

  private static void delete(Path directory) {
    try (Stream<Path> files = Files.walk(directory)) {
      List<Path> childrenFirst = files.sorted(Comparator.reverseOrder()).toList();
      for (Path file : childrenFirst) {
        Files.deleteIfExists(file);
      }
    } catch (IOException | UncheckedIOException e) {
      // the next start tries again
      LOG.debug("Deleting {} failed", directory, e);
    }
  }
}
