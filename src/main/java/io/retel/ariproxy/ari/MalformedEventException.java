// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

/** A websocket message is not an ARI event; the message states the reason. */
public final class MalformedEventException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public MalformedEventException(String message) {
    super(message, null, false, false);
  }
}
