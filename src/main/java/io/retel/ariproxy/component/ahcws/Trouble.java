package io.retel.ariproxy.component.ahcws;

import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.retel.ariproxy.settings.Setting;
import io.retel.ariproxy.tls.TlsTrouble;

/** Says in a sentence what is wrong with a websocket and what can be done about it. */
final class Trouble {

  private Trouble() {}

  /** No connection could be made. */
  static String unreachable(String address, Throwable cause) {
    return TlsTrouble.of(cause, Setting.ARI_CA_FILE.key())
        .map(what -> address + ": no TLS connection can be made: " + what)
        .orElseGet(() -> address + " is not reachable: " + rootMessage(cause));
  }

  /** The server answered the upgrade with something else. */
  static String refused(String address, int status) {
    String what = address + " refuses the websocket with " + status;
    return switch (status) {
      case 400 -> what + ": the upgrade names no application; set ari.app";
      case 401, 403 -> what + ": check user name and password, and that the user may use it";
      case 404 -> what + ": check the address's path, and that the server's ARI is enabled";
      default ->
          status >= 500
              ? what + ": the server is not ready for it"
              : what + ": this is no websocket; check the address";
    };
  }

  /** Whether a message was not taken for its size or its form. */
  static boolean isLostMessage(Throwable cause) {
    return cause instanceof TooLongFrameException
        || cause instanceof CorruptedWebSocketFrameException;
  }

  /** A message that was not taken. */
  static String lostMessage(int maxMessageSize, Throwable cause) {
    return "a message is larger than maxMessageSize="
        + maxMessageSize
        + " bytes or malformed ("
        + cause.getMessage()
        + ")";
  }

  /** What is at the bottom of it. */
  static String rootMessage(Throwable cause) {
    Throwable root = cause;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
  }
}
