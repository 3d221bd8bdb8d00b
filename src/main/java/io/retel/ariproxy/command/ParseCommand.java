// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.component.lanes.LanesConstants;
import io.retel.ariproxy.logging.ExchangeContext;
import io.retel.ariproxy.logging.PayloadLog;
import java.time.Instant;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.kafka.KafkaConstants;
import org.jspecify.annotations.Nullable;

/**
 * Parses the Kafka record into a {@link Command}, and sets its lane and group: call context and
 * operation.
 *
 * <p>Removes all message headers, so no record header can influence the request to Asterisk.
 */
public final class ParseCommand implements Processor {

  private static final String OTHER_OPERATION = "other";

  private final CommandParser parser;
  private final PayloadLog payloads;

  public ParseCommand(CommandParser parser, PayloadLog payloads) {
    this.parser = parser;
    this.payloads = payloads;
  }

  @Override
  public void process(Exchange exchange) {
    Message message = exchange.getMessage();
    RecordPosition origin =
        new RecordPosition(
            message.getHeader(KafkaConstants.TOPIC, String.class),
            message.getHeader(KafkaConstants.PARTITION, int.class),
            message.getHeader(KafkaConstants.OFFSET, long.class),
            message.getHeader(KafkaConstants.KEY, String.class),
            Instant.ofEpochMilli(message.getHeader(KafkaConstants.TIMESTAMP, long.class)));
    Object record = message.getBody();
    Command command =
        record instanceof LargeRecord large
            ? parser.reject(origin, large)
            : parser.parse(origin, message.getBody(byte[].class));
    message.removeHeaders("*");
    message.setBody(command);
    exchange.setProperty(CommandProperties.COMMAND, command);
    exchange.setProperty(LanesConstants.LANE, command.orderingKey());
    exchange.setProperty(LanesConstants.GROUP, operation(command));
    ExchangeContext.tag(
        exchange,
        command.callContext(),
        command.commandId() == null || command.commandId().isPojo()
            ? null
            : command.commandId().asText(),
        command.resources());
    if (record instanceof byte[] received) {
      payloads.logReceived(received);
    }
  }

  /** The operation, whose requests tend to hang together; null if nothing will be sent. */
  private static @Nullable String operation(Command command) {
    return command instanceof Command.Accepted accepted
        ? accepted.prepared().template().orElse(OTHER_OPERATION)
        : null;
  }
}
