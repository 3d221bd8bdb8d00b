// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.command.RegisterCreatedResources.Registrations;
import io.retel.ariproxy.envelope.CommandResult;
import io.retel.ariproxy.kafka.CommandHandle;
import java.util.Objects;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/**
 * The exchange properties of a command. Routes can read those in
 * docs/routes.md#exchange-properties.
 */
public final class CommandProperties {

  /** The {@link Command}; set by {@link ParseCommand}. */
  static final String COMMAND = "command";

  /** The {@link CommandResult}; set by {@link BuildResponse}. */
  static final String RESULT = "commandResult";

  /** The {@link CommandOutcome}, for routes; set by {@link BuildResponse}. */
  static final String OUTCOME = "outcome";

  /**
   * The envelope of the RESPONSE, as bytes; set by {@link BuildResponse} and {@link
   * ReplayResponse}.
   */
  static final String RESPONSE = "response";

  /** The {@link CommandHandle}; set by {@link CommitOnResponse}. */
  static final String HANDLE = "commandHandle";

  /** The {@link Registrations}; set by {@link RegisterCreatedResources}. */
  static final String REGISTRATIONS = "registered";

  /** Whether the request can have been sent, a Boolean; set by {@link BuildAriRequest}. */
  static final String IS_REQUEST_BUILT = "requestBuilt";

  /** Whether the command has a recorded RESPONSE, a Boolean; set by {@link ReplayResponse}. */
  static final String IS_DUPLICATE = "duplicateCommand";

  private CommandProperties() {}

  /** Returns the command, or null before {@link ParseCommand}. */
  public static @Nullable Command command(Exchange exchange) {
    return exchange.getProperty(COMMAND, Command.class);
  }

  /**
   * Returns the accepted command.
   *
   * @throws CommandRejectedException if it was rejected
   */
  static Command.Accepted acceptedCommand(Exchange exchange) {
    return Objects.requireNonNull(command(exchange)).accepted();
  }

  /** Returns the registrations; empty before {@link RegisterCreatedResources}. */
  static Registrations registrations(Exchange exchange) {
    return exchange.getProperty(REGISTRATIONS, Registrations.NONE, Registrations.class);
  }

  /** Returns the result, or null before {@link BuildResponse}. */
  static @Nullable CommandResult result(Exchange exchange) {
    return exchange.getProperty(RESULT, CommandResult.class);
  }

  /** Returns the envelope of the RESPONSE, which exists if the result does, or for a duplicate. */
  static byte[] response(Exchange exchange) {
    return Objects.requireNonNull((byte[]) exchange.getProperty(RESPONSE));
  }

  /** Returns the handle of the command's offset. */
  static CommandHandle handle(Exchange exchange) {
    return exchange.getProperty(HANDLE, CommandHandle.class);
  }

  /** Whether Asterisk can have executed the command, now or the first time. */
  static boolean isPossiblySent(Exchange exchange) {
    return exchange.getProperty(IS_REQUEST_BUILT, false, boolean.class) || isDuplicate(exchange);
  }

  /** Whether the command has a recorded RESPONSE; false before {@link ReplayResponse}. */
  static boolean isDuplicate(Exchange exchange) {
    return exchange.getProperty(IS_DUPLICATE, false, boolean.class);
  }
}
