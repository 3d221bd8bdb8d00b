// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.component.lanes.GroupActivity;

/** Thrown for a command that is not sent, since earlier ones of its operation hang. */
public final class OperationHangsException extends Exception {

  private static final long serialVersionUID = 1L;

  OperationHangsException(GroupActivity operation) {
    super(
        "not sent, since earlier ones hang: " + HangingCommands.describe(operation),
        null,
        false,
        false);
  }
}
