// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import io.retel.ariproxy.config.SmallFile.UnsuitableFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A value read from one or more files, as they are now: a password, certificates, a key.
 *
 * <p>{@link #get} looks at the files at most five times a second and reads them after a change,
 * also of a symbolic link in their path, such as {@code ..data} of Kubernetes. While the new
 * content cannot be used, such as an empty file or a key without its certificate, the previous
 * value remains. Thread-safe; never waits for another thread.
 */
public final class ReloadedFiles<T> implements Supplier<T> {

  private static final Logger LOG = LoggerFactory.getLogger(ReloadedFiles.class);

  /** A rejected command is sent again for longer than two intervals. */
  private static final long CHECK_INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  /** The age at which a file counts as complete: more than the resolution of file systems. */
  private static final Duration COMPLETE_AGE = Duration.ofSeconds(2);

  private final String name;
  private final List<Path> files;
  private final Supplier<T> reader;
  private final LongSupplier clock;

  /** A check can hang for a while. */
  private final AtomicBoolean checking = new AtomicBoolean();

  private final AtomicLong lastCheck;

  private volatile T value;

  // of the thread that checks
  private volatile List<Version> accepted;
  private volatile @Nullable List<Version> growing;
  private volatile @Nullable String problem;

  /** What changes with the content of a file; all null if it cannot be read. */
  private record Version(@Nullable Object file, @Nullable FileTime modifiedAt, long size) {

    private static final Version MISSING = new Version(null, null, -1);

    static Version of(Path file) {
      try {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        return new Version(attributes.fileKey(), attributes.lastModifiedTime(), attributes.size());
      } catch (IOException e) {
        return MISSING;
      }
    }

    /** Whether the file was written in place. */
    boolean isSameFileAs(Version other) {
      return Objects.equals(file, other.file);
    }

    boolean isModifiedAfter(Instant time) {
      return modifiedAt != null && modifiedAt.toInstant().isAfter(time);
    }
  }

  private ReloadedFiles(String name, List<Path> files, Supplier<T> reader, LongSupplier clock) {
    this.name = name;
    this.files = List.copyOf(files);
    this.reader = reader;
    this.clock = clock;
    this.lastCheck = new AtomicLong(clock.getAsLong());
    this.accepted = versions();
    this.value = reader.get();
  }

  /**
   * Reads the files.
   *
   * @param name the setting, for the log
   * @param reader reads and validates them in bounded time, since a pipe can replace a file after
   *     its check; the message of its exception is logged
   * @throws RuntimeException of the reader
   */
  public static <T> ReloadedFiles<T> read(String name, List<Path> files, Supplier<T> reader) {
    return read(name, files, reader, System::nanoTime);
  }

  static <T> ReloadedFiles<T> read(
      String name, List<Path> files, Supplier<T> reader, LongSupplier clock) {
    return new ReloadedFiles<>(name, files, reader, clock);
  }

  @Override
  public T get() {
    long now = clock.getAsLong();
    long last = lastCheck.get();
    if (now - last >= CHECK_INTERVAL_NANOS
        && lastCheck.compareAndSet(last, now)
        && checking.compareAndSet(false, true)) {
      try {
        check();
      } finally {
        checking.set(false);
      }
    }
    return value;
  }

  private void check() {
    List<Version> current = versions();
    if (current.equals(accepted)) {
      growing = null;
      if (problem != null) {
        problem = null;
        LOG.info("{} is usable again, and unchanged", name);
      }
      return;
    }
    if (isBeingWritten(current) && !current.equals(growing)) {
      growing = current;
      return;
    }
    growing = null;
    try {
      checkRegular();
      T changed = reader.get();
      if (!versions().equals(current)) {
        // changed while it was read: the next check reads it
        return;
      }
      value = changed;
      accepted = current;
      problem = null;
      LOG.info("{} was replaced; new connections use it", name);
    } catch (RuntimeException e) {
      String message = String.valueOf(e.getMessage());
      if (!message.equals(problem)) {
        problem = message;
        LOG.warn("{}; the previous value remains in use", message);
      }
    }
  }

  /** The reader would wait for the writer of a pipe. */
  private void checkRegular() {
    for (Path file : files) {
      try {
        SmallFile.checkRegular(file);
      } catch (UnsuitableFileException e) {
        throw new InvalidSettingException(name + " names " + file + ", which " + e.getMessage());
      }
    }
  }

  /**
   * Whether a file was just written in place, so that it can be incomplete; one that was renamed is
   * complete.
   */
  private boolean isBeingWritten(List<Version> current) {
    List<Version> previous = accepted;
    Instant complete = Instant.now().minus(COMPLETE_AGE);
    for (int i = 0; i < current.size(); i++) {
      Version version = current.get(i);
      if (!version.equals(previous.get(i))
          && version.isSameFileAs(previous.get(i))
          && version.isModifiedAfter(complete)) {
        return true;
      }
    }
    return false;
  }

  private List<Version> versions() {
    List<Version> versions = new ArrayList<>(files.size());
    files.forEach(file -> versions.add(Version.of(file)));
    return versions;
  }
}
