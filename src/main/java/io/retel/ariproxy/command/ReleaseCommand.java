// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.envelope.CommandResult;
import io.retel.ariproxy.logging.RateLimitFilter;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Releases a command that was not sent to another proxy of the group (docs/contract.md#commands):
 * the offset stays uncommitted, and the route stops so that its partitions are revoked.
 */
public final class ReleaseCommand implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(ReleaseCommand.class);

  private final AsteriskReachablePolicy policy;

  public ReleaseCommand(AsteriskReachablePolicy policy) {
    this.policy = policy;
  }

  @Override
  public void process(Exchange exchange) {
    CommandResult result = CommandProperties.result(exchange);
    if (result != null && result.isSent()) {
      // the completion of the exchange publishes it
      throw new IllegalStateException("Not released: Asterisk has executed the command");
    }
    SubscriptionReservation.release(exchange);
    Exception cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    LOG.warn(
        RateLimitFilter.PER_MESSAGE,
        "Released to another proxy: {}, {}",
        CommandProperties.command(exchange),
        cause.getMessage());
    CommandProperties.handle(exchange).release();
    policy.markUnreachable();
  }
}
