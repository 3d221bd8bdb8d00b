// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import java.time.Duration;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs pauses of reading while a buffer is full: the first one, then one a minute, since a buffer
 * of a few large messages is full many times a second. The last line is always the current state: a
 * pause that is not logged at its start is logged once the minute is over, if it lasts.
 * Thread-safe.
 */
final class BufferPauseLog {

  private static final Logger LOG = LoggerFactory.getLogger(WebSocketConnection.class);

  static final Duration INTERVAL = Duration.ofMinutes(1);

  private final String address;
  private final IntSupplier messages;
  private final Scheduler scheduler;
  private final LongSupplier nanoTime;

  private long loggedNanos;
  private int notLogged;
  private boolean paused;

  /** Whether the current pause is logged. */
  private boolean pauseLogged;

  /** Whether a check is scheduled for the end of the minute. */
  private boolean checkScheduled;

  /** Runs a task later. */
  @FunctionalInterface
  interface Scheduler {
    void schedule(long delayMs, Runnable task);
  }

  /**
   * @param address of the websocket
   * @param messages returns the number of messages in the buffer
   * @param nanoTime the clock, in nanoseconds
   */
  BufferPauseLog(String address, IntSupplier messages, Scheduler scheduler, LongSupplier nanoTime) {
    this.address = address;
    this.messages = messages;
    this.scheduler = scheduler;
    this.nanoTime = nanoTime;
    this.loggedNanos = nanoTime.getAsLong() - INTERVAL.toNanos();
  }

  /** Logs a pause, now or at the end of the minute if it still lasts then. */
  synchronized void paused() {
    paused = true;
    notLogged++;
    long remaining = remainingNanos();
    if (remaining <= 0) {
      logPause();
    } else if (!checkScheduled) {
      checkScheduled = true;
      scheduler.schedule(Duration.ofNanos(remaining).toMillis() + 1, this::check);
    }
  }

  private synchronized void check() {
    checkScheduled = false;
    if (paused && !pauseLogged) {
      logPause();
    }
  }

  private long remainingNanos() {
    return INTERVAL.toNanos() - (nanoTime.getAsLong() - loggedNanos);
  }

  private void logPause() {
    int previous = notLogged - 1;
    LOG.warn(
        "Buffer of {} full: {} messages; not reading the socket until the route catches up{}",
        address,
        messages.getAsInt(),
        previous == 0 ? "" : "; " + previous + " times since the last such line");
    loggedNanos = nanoTime.getAsLong();
    notLogged = 0;
    pauseLogged = true;
  }

  /** Logs the end of a pause that is logged. */
  synchronized void resumed() {
    if (pauseLogged) {
      LOG.info("Buffer of {} has room; reading the socket again", address);
    }
    ended();
  }

  /** Ends a pause without a line: the connection has ended, with its own line. */
  synchronized void ended() {
    paused = false;
    pauseLogged = false;
  }
}
