// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import io.retel.ariproxy.error.ErrorMessages;
import java.io.IOException;

/**
 * Thrown if a connection cannot be encrypted: nothing has been sent. After that, JSSE throws the
 * same exceptions for alerts of the server, which can have read a request.
 */
public final class TlsNotEstablishedException extends IOException {

  private static final long serialVersionUID = 1L;

  public TlsNotEstablishedException(IOException cause) {
    super(ErrorMessages.singleLine(cause), cause);
  }
}
