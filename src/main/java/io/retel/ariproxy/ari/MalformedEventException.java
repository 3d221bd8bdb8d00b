package io.retel.ariproxy.ari;

/** A websocket message that is no ARI event; the message says why. */
public final class MalformedEventException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public MalformedEventException(String message) {
    super(message, null, false, false);
  }
}
