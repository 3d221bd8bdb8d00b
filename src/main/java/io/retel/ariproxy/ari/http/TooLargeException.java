// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import java.io.IOException;

/** What is read is larger than its limit. The same request will fail again. */
public final class TooLargeException extends IOException {

  private static final long serialVersionUID = 1L;

  TooLargeException(String message) {
    super(message);
  }
}
