// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs pauses of reading while a buffer is full: the first one, then one a minute, since a buffer
 * of a few large messages is full many times a second. Thread-safe.
 */
final class BufferPauseLog {

  private static final Logger LOG = LoggerFactory.getLogger(WebSocketConnection.class);

  private static final Duration INTERVAL = Duration.ofMinutes(1);

  private long loggedNanos = System.nanoTime() - INTERVAL.toNanos();
  private int notLogged;
  private boolean endIsLogged;

  /**
   * Logs a pause.
   *
   * @param messages in the buffer
   */
  synchronized void paused(String address, int messages) {
    long now = System.nanoTime();
    if (now - loggedNanos < INTERVAL.toNanos()) {
      notLogged++;
      return;
    }
    loggedNanos = now;
    LOG.warn(
        "Buffer of {} full: {} messages; not reading the socket until the route catches up{}",
        address,
        messages,
        notLogged == 0 ? "" : "; " + notLogged + " times since the last such line");
    notLogged = 0;
    endIsLogged = true;
  }

  /** Logs the end of a pause that is logged. */
  synchronized void resumed(String address) {
    if (endIsLogged) {
      endIsLogged = false;
      LOG.info("Buffer of {} has room; reading the socket again", address);
    }
  }
}
