// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import java.net.ConnectException;

/** Thrown if Asterisk closes a new connection before it answers; nothing of a request was sent. */
final class SessionRefusedException extends ConnectException {

  private static final long serialVersionUID = 1L;

  SessionRefusedException() {
    super(
        "Asterisk closed the new connection without a response, as it does at its sessionlimit"
            + " (http.conf)");
  }
}
