package io.retel.ariproxy.component.ahcws;

import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.tls.TlsErrors;

/** Says in a sentence what is wrong with a websocket and what can be done about it. */
final class WebSocketErrors {

  private WebSocketErrors() {}

  /** No connection could be made. */
  static String unreachable(String address, Throwable cause) {
    return TlsErrors.describe(cause, Setting.ARI_CA_FILE.key())
        .map(reason -> address + ": no TLS connection can be made: " + reason)
        .orElseGet(() -> address + " is not reachable: " + rootCauseMessage(cause));
  }

  /** The server answered the upgrade with something else. */
  static String refused(String address, int status) {
    String message = address + " refuses the websocket with " + status;
    return switch (status) {
      case 400 -> message + ": the upgrade names no application; set ari.app";
      case 401, 403 -> message + ": check user name and password, and that the user may use it";
      case 404 -> message + ": check the address's path, and that the server's ARI is enabled";
      default ->
          status >= 500
              ? message + ": the server is not ready for it"
              : message + ": this is no websocket; check the address";
    };
  }

  /** Whether a message was not taken for its size or its form. */
  static boolean isInvalidMessage(Throwable cause) {
    return cause instanceof TooLongFrameException
        || cause instanceof CorruptedWebSocketFrameException;
  }

  /** A message that was not taken. */
  static String invalidMessage(int maxMessageSize, Throwable cause) {
    return "a message is larger than maxMessageSize="
        + maxMessageSize
        + " bytes or malformed ("
        + cause.getMessage()
        + ")";
  }

  /** What is at the bottom of it. */
  static String rootCauseMessage(Throwable cause) {
    Throwable root = cause;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
  }
}
