// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.component.lanes.GroupActivity;

/** Thrown for a command that is not sent, since earlier ones of its operation or call hang. */
public final class EarlierCommandsHangException extends Exception {

  private static final long serialVersionUID = 1L;

  private EarlierCommandsHangException(String reason) {
    super(reason, null, false, false);
  }

  static EarlierCommandsHangException of(GroupActivity operation) {
    return new EarlierCommandsHangException(
        "not sent, since earlier ones hang: " + HangingCommands.describe(operation));
  }

  /** For a command whose call would fill what the proxy holds of all calls. */
  static EarlierCommandsHangException ofCall() {
    return new EarlierCommandsHangException(
        "not sent, since earlier ones of its call hang, and commands of other calls wait"
            + " (docs/contract.md#in-flight-limits)");
  }
}
