package io.retel.ariproxy.command;

import io.retel.ariproxy.command.CommandResult.Failure;
import org.apache.camel.Exchange;

/**
 * What a command came to, as it is counted.
 *
 * @param name {@code answered} by Asterisk; or by the proxy: {@code rejected}, {@code not_sent},
 *     {@code unknown}, {@code too_large}; or {@code repeated} from memory
 * @param status the RESPONSE's status code, or {@code none} for one from memory
 */
record ResponseOutcome(String name, String status) {

  /** The outcome of the command that an exchange has carried to its end. */
  static ResponseOutcome of(Exchange done) {
    if (done.getProperty(ReplayResponse.IS_DUPLICATE, false, boolean.class)) {
      return new ResponseOutcome("repeated", "none");
    }
    CommandResult result = done.getProperty(CommandResult.PROPERTY, CommandResult.class);
    if (result == null) {
      return new ResponseOutcome("answered", "none");
    }
    return new ResponseOutcome(name(result), Integer.toString(result.status()));
  }

  private static String name(CommandResult result) {
    if (!(result instanceof Failure failure)) {
      return "answered";
    }
    return switch (failure.outcome()) {
      case NOT_SENT -> failure.status() == 503 ? "not_sent" : "rejected";
      case UNKNOWN -> "unknown";
      case ANSWERED -> "too_large";
    };
  }
}
