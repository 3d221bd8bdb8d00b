// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

/** A command is not sent to Asterisk; the message becomes part of its RESPONSE. */
public final class CommandRejectedException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int status;

  /**
   * @param status the RESPONSE's status code
   * @param message the error and how to correct it
   */
  public CommandRejectedException(int status, String message) {
    super(message, null, false, false);
    this.status = status;
  }

  public int status() {
    return status;
  }
}
