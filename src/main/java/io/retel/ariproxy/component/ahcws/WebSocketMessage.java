package io.retel.ariproxy.component.ahcws;

import java.time.Instant;

/** What comes out of a websocket connection, in order. */
sealed interface WebSocketMessage {

  /** What it weighs in the buffer, in bytes. */
  long sizeBytes();

  /** A text message, whole. */
  record Text(String text) implements WebSocketMessage {
    @Override
    public long sizeBytes() {
      return text.length();
    }
  }

  /** A binary message, whole. */
  record Binary(byte[] bytes) implements WebSocketMessage {
    @Override
    public long sizeBytes() {
      return bytes.length;
    }
  }

  /** The connection was opened or lost here, at that time. */
  record ConnectionEvent(String event, Instant timestamp) implements WebSocketMessage {
    @Override
    public long sizeBytes() {
      return 0;
    }
  }
}
