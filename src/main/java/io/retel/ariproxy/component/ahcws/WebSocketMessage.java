package io.retel.ariproxy.component.ahcws;

/** What comes out of a websocket connection, in order. */
sealed interface WebSocketMessage {

  /** What it weighs in the buffer, in bytes. */
  long weight();

  /** A text message, whole. */
  record Text(String text) implements WebSocketMessage {
    @Override
    public long weight() {
      return text.length();
    }
  }

  /** A binary message, whole. */
  record Binary(byte[] bytes) implements WebSocketMessage {
    @Override
    public long weight() {
      return bytes.length;
    }
  }

  /** The connection was opened or lost here. */
  record ConnectionEvent(String event) implements WebSocketMessage {
    @Override
    public long weight() {
      return 0;
    }
  }
}
