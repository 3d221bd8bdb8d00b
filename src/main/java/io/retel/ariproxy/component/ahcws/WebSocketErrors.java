// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.function.Function;

/** Error messages of a websocket: the cause and its remedy. */
final class WebSocketErrors {

  /** Of a reason that can contain what a server sent. */
  private static final int MAX_REASON_LENGTH = 200;

  /** Causes to search, since a chain of causes can have a cycle. */
  private static final int MAX_CAUSES = 20;

  private WebSocketErrors() {}

  /**
   * Describes a failed connect. A reason is abbreviated, since it can contain what a server sent.
   *
   * @param describeTlsError returns the reason if the cause is a TLS error
   */
  static String unreachable(
      String address, Throwable cause, Function<Throwable, Optional<String>> describeTlsError) {
    return describeTlsError
        .apply(cause)
        .map(reason -> address + ": TLS connection failed: " + reason)
        .orElseGet(() -> address + " is not reachable: " + abbreviate(failed(cause)));
  }

  private static String abbreviate(String reason) {
    return reason.length() <= MAX_REASON_LENGTH
        ? reason
        : reason.substring(0, MAX_REASON_LENGTH) + "… (" + reason.length() + " characters)";
  }

  /** Describes an upgrade that the server rejected. */
  static String refused(String address, int status) {
    String message = address + " rejects the websocket upgrade with " + status;
    return switch (status) {
      case 400 -> message + ": the request lacks a parameter, such as app";
      case 401, 403 -> message + ": check user name, password and permissions";
      case 404 -> message + ": check the path of the address, and that ARI is enabled";
      default ->
          status >= 500
              ? message + ": the server is not ready"
              : message + ": not a websocket; check the address";
    };
  }

  /** Whether a message was rejected as too large. */
  static boolean isTooLarge(Throwable cause) {
    return cause instanceof TooLongFrameException
        || (cause instanceof CorruptedWebSocketFrameException invalid
            && WebSocketCloseStatus.MESSAGE_TOO_BIG.equals(invalid.closeStatus()));
  }

  /** Describes a message rejected as too large. */
  static String tooLarge(int maxMessageSize) {
    return "message larger than maxMessageSize="
        + maxMessageSize
        + " bytes; raise ari.max-message-size";
  }

  /** Describes a failure, or a violation of the protocol. */
  static String failed(Throwable cause) {
    String message = rootCauseMessage(cause);
    return cause instanceof CorruptedWebSocketFrameException
        ? "the server violates the websocket protocol: " + message
        : message;
  }

  /** Returns the root cause's message, or its class name if it has none. */
  static String rootCauseMessage(Throwable cause) {
    Throwable root = cause;
    for (int i = 0; root.getCause() != null && i < MAX_CAUSES; i++) {
      root = root.getCause();
    }
    if (root instanceof UnknownHostException) {
      // its message varies with the JVM's cache of failed lookups
      return "its name cannot be resolved";
    }
    return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
  }
}
