// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.envelope.CommandResult;
import io.retel.ariproxy.envelope.CommandResult.Failure;
import java.util.Locale;

/**
 * The outcome of a command, for steps of routes (docs/routes.md#exchange-properties).
 *
 * @param name as in docs/contract.md#commands: {@code answered}, {@code not_sent} or {@code
 *     unknown}
 * @param status the status of the RESPONSE
 * @param sent whether the request was sent to Asterisk
 */
public record CommandOutcome(String name, int status, boolean sent) {

  static CommandOutcome of(CommandResult result) {
    CommandResult.Outcome outcome =
        result instanceof Failure failure ? failure.outcome() : CommandResult.Outcome.ANSWERED;
    return new CommandOutcome(
        outcome.name().toLowerCase(Locale.ROOT), result.status(), result.isSent());
  }

  /** The name, so that a route can compare the property. */
  @Override
  public String toString() {
    return name;
  }
}
