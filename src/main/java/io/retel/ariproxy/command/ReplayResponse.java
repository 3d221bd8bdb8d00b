// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.component.lanes.LanesConstants;
import io.retel.ariproxy.kafka.OutgoingRecord;
import java.util.Objects;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Replays the recorded RESPONSE of a duplicate command, and sets {@code
 * ${exchangeProperty.duplicateCommand}} for the route.
 */
public final class ReplayResponse implements Processor {

  private final ResponseCache responses;

  public ReplayResponse(ResponseCache responses) {
    this.responses = responses;
  }

  @Override
  public void process(Exchange exchange) {
    Command command = Objects.requireNonNull(CommandProperties.command(exchange));
    Optional<byte[]> cached = responses.get(command);
    exchange.setProperty(CommandProperties.IS_DUPLICATE, cached.isPresent());
    exchange.setProperty(LanesConstants.HAS_RESULT, cached.isPresent());
    cached.ifPresent(envelope -> exchange.setProperty(CommandProperties.RESPONSE, envelope));
    cached.ifPresent(
        envelope -> OutgoingRecord.prepare(exchange, command.orderingKey(), envelope, false));
  }
}
