// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tls;

/** An unusable PEM file. The message is one line that names the file and the problem. */
public final class PemException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  PemException(String message) {
    super(message);
  }
}
