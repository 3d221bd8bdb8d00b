package io.retel.ariproxy.command;

import io.retel.ariproxy.kafka.CommandHandle;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Begins a command, or ends its way here: when its partition has been given back, whoever reads
 * that next carries it out, and nobody twice.
 */
public final class StartCommand implements Processor {

  @Override
  public void process(Exchange exchange) {
    if (!exchange.getProperty(CommandHandle.PROPERTY, CommandHandle.class).tryStart()) {
      exchange.setRouteStop(true);
    }
  }
}
