package io.retel.ariproxy.ari;

/** A websocket message that is no ARI event; the message says why. */
public final class UnreadableEventException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public UnreadableEventException(String message) {
    super(message, null, false, false);
  }
}
