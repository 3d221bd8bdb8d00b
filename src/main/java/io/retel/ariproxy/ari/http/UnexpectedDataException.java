// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import java.net.ConnectException;

/**
 * Thrown if data arrives on a connection before a request: a response to the request could not be
 * distinguished from it. Nothing of the request was sent.
 */
final class UnexpectedDataException extends ConnectException {

  private static final long serialVersionUID = 1L;

  UnexpectedDataException() {
    super("Asterisk, or a proxy in between, sent data before a request; closed the connection");
  }
}
