// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The level of a line in systemd's journal: a prefix such as {@code <3>}, which the journal removes
 * (sd-daemon(3)). Without it every line is {@code info}, and {@code journalctl -p err} shows none.
 */
final class JournalLevel {

  /** Of this process. */
  static final JournalLevel CURRENT =
      new JournalLevel(isJournal(System.getenv("JOURNAL_STREAM"), Path.of("/proc/self/fd/1")));

  private final boolean enabled;

  JournalLevel(boolean enabled) {
    this.enabled = enabled;
  }

  /**
   * Returns whether a stream is the one that systemd has connected to the journal. A program that
   * inherits the variable can write to a file.
   *
   * @param variable {@code JOURNAL_STREAM}: device and inode
   */
  static boolean isJournal(@Nullable String variable, Path stream) {
    if (variable == null) {
      return false;
    }
    try {
      Map<String, Object> file = Files.readAttributes(stream, "unix:dev,ino");
      return variable.equals(file.get("dev") + ":" + file.get("ino"));
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }

  /** Adds the prefix to each line of an encoded event: a stack trace has several. */
  byte[] addTo(ILoggingEvent event, byte[] lines) {
    if (!enabled) {
      return lines;
    }
    byte[] prefix = "<%d>".formatted(priority(event.getLevel())).getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream prefixed = new ByteArrayOutputStream(lines.length + prefix.length);
    boolean begins = true;
    for (byte octet : lines) {
      if (begins) {
        prefixed.writeBytes(prefix);
      }
      prefixed.write(octet);
      begins = octet == '\n';
    }
    return prefixed.toByteArray();
  }

  /** Of syslog. */
  private static int priority(Level level) {
    if (level.isGreaterOrEqual(Level.ERROR)) {
      return 3;
    }
    if (level.isGreaterOrEqual(Level.WARN)) {
      return 4;
    }
    return level.isGreaterOrEqual(Level.INFO) ? 6 : 7;
  }
}
