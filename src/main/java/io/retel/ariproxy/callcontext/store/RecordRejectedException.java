// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.error.ErrorMessages;

/**
 * Thrown when the store can never accept one of the changes, such as one that is too large: a retry
 * would fail as well, but the other changes can be written without it.
 */
public final class RecordRejectedException extends Exception {

  private static final long serialVersionUID = 1L;

  /**
   * @param cause the error of the store, whose message is used
   */
  public RecordRejectedException(Throwable cause) {
    this(ErrorMessages.singleLine(cause));
  }

  public RecordRejectedException(String message) {
    super(message, null, false, false);
  }
}
