// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import java.time.Instant;

/** A message or connection event of a websocket, in order of arrival. */
sealed interface WebSocketMessage {

  /** Approximate heap of the payload in bytes, for the buffer's limit. */
  long sizeBytes();

  /** A complete text message. */
  record Text(String text) implements WebSocketMessage {

    private static final int MAX_TYPICAL_LENGTH = 16_384;

    /**
     * Beyond a typical length, each character counts as two bytes, as one outside Latin-1 has in
     * the heap.
     */
    @Override
    public long sizeBytes() {
      return text.length() + Math.max(0, text.length() - MAX_TYPICAL_LENGTH);
    }
  }

  /** A complete binary message. */
  record Binary(byte[] bytes) implements WebSocketMessage {
    @Override
    public long sizeBytes() {
      return bytes.length;
    }
  }

  /**
   * A connect or disconnect at this position in the message sequence.
   *
   * @param timestamp the time of day
   * @param nanoTime the same on {@link System#nanoTime}'s clock
   */
  record ConnectionEvent(String event, Instant timestamp, long nanoTime)
      implements WebSocketMessage {

    static ConnectionEvent now(String event) {
      return new ConnectionEvent(event, Instant.now(), System.nanoTime());
    }

    @Override
    public long sizeBytes() {
      return 0;
    }
  }
}
