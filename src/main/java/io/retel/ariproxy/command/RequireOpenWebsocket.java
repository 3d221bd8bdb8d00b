package io.retel.ariproxy.command;

import java.net.ConnectException;
import java.util.function.BooleanSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Fails on a command that creates a channel in Stasis while the websocket is not open: Asterisk
 * forgets an application without a websocket, would answer 200, and end the channel at once
 * (contract.md section 6). So such a command has not reached Asterisk, and is tried again as if it
 * had not been there.
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
    Command command = exchange.getProperty(Command.PROPERTY, Command.class);
    boolean entersStasis = !command.created().isEmpty() && command.prepared().entersStasis();
    if (entersStasis && !connected.getAsBoolean()) {
      throw new ConnectException(
          "the websocket is not open, and without it Asterisk does not know the application");
    }
  }
}
