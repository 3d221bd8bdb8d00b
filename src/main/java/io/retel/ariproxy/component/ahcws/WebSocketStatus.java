package io.retel.ariproxy.component.ahcws;

import java.time.Duration;
import java.time.Instant;

/**
 * How a websocket and its buffer are at a moment, for who watches.
 *
 * @param address where it leads, without what might be secret
 * @param connected whether messages can arrive
 * @param since since when it is so
 * @param lastError why it was not connected the last time, in a sentence; empty if it never failed
 * @param failures how many tries have failed since it was last connected for a while
 * @param reconnects how often it was opened again
 * @param gaps how long it was not connected in all since it was first open
 * @param bufferedMessages how many messages wait for the route
 * @param bufferedBytes what they weigh
 * @param bufferLimit at what weight the socket is no longer read
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

  /** Whether the socket is not read. */
  public boolean isBufferFull() {
    return bufferedBytes >= maxBufferedBytes;
  }
}
