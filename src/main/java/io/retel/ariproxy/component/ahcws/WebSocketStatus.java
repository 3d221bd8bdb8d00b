// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import java.time.Duration;
import java.time.Instant;

/**
 * A snapshot of a websocket and its buffer, for monitoring.
 *
 * @param address without query and credentials
 * @param connected whether messages can arrive
 * @param since when it entered this state
 * @param lastError why it was last disconnected; empty if it never was
 * @param failures failed attempts since it was last stable
 * @param reconnects how often it was reopened
 * @param totalGap total time disconnected since the first connect
 * @param bufferedMessages messages buffered for the route
 * @param bufferedBytes their size, including overhead
 * @param maxBufferedBytes size at which reads from the socket pause
 */
public record WebSocketStatus(
    String address,
    boolean connected,
    Instant since,
    String lastError,
    int failures,
    long reconnects,
    Duration totalGap,
    int bufferedMessages,
    long bufferedBytes,
    long maxBufferedBytes) {

  /** Whether reads from the socket are paused. */
  public boolean isBufferFull() {
    return bufferedBytes >= maxBufferedBytes;
  }
}
