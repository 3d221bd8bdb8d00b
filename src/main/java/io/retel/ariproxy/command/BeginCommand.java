package io.retel.ariproxy.command;

import io.retel.ariproxy.kafka.CommandOffset;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Begins a command, or ends its way here: when its partition has been given back, whoever reads
 * that next carries it out, and nobody twice.
 */
public final class BeginCommand implements Processor {

  @Override
  public void process(Exchange exchange) {
    if (!exchange.getProperty(CommandOffset.PROPERTY, CommandOffset.class).begin()) {
      exchange.setRouteStop(true);
    }
  }
}
