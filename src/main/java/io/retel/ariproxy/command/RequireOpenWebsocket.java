// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import java.net.ConnectException;
import java.util.function.BooleanSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Rejects a command that creates a channel in Stasis while the websocket is closed: Asterisk has
 * removed the application, and would respond 200 and then hang up the channel immediately
 * (docs/contract.md#asterisk).
 *
 * <p>Throws a {@link ConnectException}, so the command is retried as if Asterisk were unreachable.
 */
public final class RequireOpenWebsocket implements Processor {

  private final BooleanSupplier connected;

  /**
   * @param connected whether the websocket is open
   */
  public RequireOpenWebsocket(BooleanSupplier connected) {
    this.connected = connected;
  }

  @Override
  public void process(Exchange exchange) throws ConnectException {
    Command.Accepted command = CommandProperties.acceptedCommand(exchange);
    boolean entersStasis = !command.created().isEmpty() && command.prepared().namesApplication();
    if (entersStasis && !connected.getAsBoolean()) {
      throw new ConnectException(
          "the websocket is closed, so Asterisk does not know the application");
    }
  }
}
