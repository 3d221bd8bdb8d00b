package io.retel.ariproxy.command;

import io.retel.ariproxy.kafka.CommandHandle;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leaves a command that never reached this proxy's Asterisk to another proxy of the group
 * (contract.md section 4): it stays uncommitted, and the route gives its partitions back.
 */
public final class ReleaseCommand implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(ReleaseCommand.class);

  private final AsteriskReachablePolicy policy;

  public ReleaseCommand(AsteriskReachablePolicy policy) {
    this.policy = policy;
  }

  @Override
  public void process(Exchange exchange) {
    Exception cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    LOG.warn(
        "{} is left to another proxy: {}",
        exchange.getProperty(Command.PROPERTY),
        cause.getMessage());
    exchange.getProperty(CommandHandle.PROPERTY, CommandHandle.class).release();
    policy.markUnreachable();
  }
}
