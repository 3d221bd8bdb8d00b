// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Starts a command, or stops its route if the partition has been revoked: its next consumer
 * executes the command, so it never runs twice.
 */
public final class StartCommand implements Processor {

  @Override
  public void process(Exchange exchange) {
    if (!CommandProperties.handle(exchange).tryStart()) {
      exchange.setRouteStop(true);
    }
  }
}
