// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.envelope.CommandResult;
import io.retel.ariproxy.envelope.CommandResult.Failure;
import org.apache.camel.Exchange;

/**
 * The outcome of a command, as metric tags.
 *
 * @param name {@code answered} by Asterisk; from the proxy {@code rejected}, {@code not_sent},
 *     {@code failed}, {@code unknown} or {@code too_large}; or {@code repeated} from the cache
 * @param status the RESPONSE's status code; {@code none} for one from the cache, {@code other} if
 *     HTTP does not define it
 */
record ResponseOutcome(String name, String status) {

  /** Returns the outcome of a completed exchange. */
  static ResponseOutcome of(Exchange done) {
    if (CommandProperties.isDuplicate(done)) {
      return new ResponseOutcome("repeated", "none");
    }
    CommandResult result = CommandProperties.result(done);
    if (result == null) {
      return new ResponseOutcome("answered", "none");
    }
    return new ResponseOutcome(name(result), status(result.status()));
  }

  /** HTTP allows any number, which a metric must not repeat. */
  private static String status(int status) {
    return status >= 100 && status <= 599 ? Integer.toString(status) : "other";
  }

  private static String name(CommandResult result) {
    if (!(result instanceof Failure failure)) {
      return "answered";
    }
    return switch (failure.outcome()) {
      case NOT_SENT ->
          failure.status() == 503 ? "not_sent" : failure.status() < 500 ? "rejected" : "failed";
      case UNKNOWN -> "unknown";
      case ANSWERED -> "too_large";
    };
  }
}
