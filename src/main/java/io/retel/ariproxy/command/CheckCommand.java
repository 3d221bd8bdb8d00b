package io.retel.ariproxy.command;

import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Fails on a command that is not to be sent, so that the route's error handling answers it. */
public final class CheckCommand implements Processor {

  @Override
  public void process(Exchange exchange) {
    Command command = exchange.getProperty(Command.PROPERTY, Command.class);
    if (command.rejection() != null) {
      throw command.rejection();
    }
  }
}
