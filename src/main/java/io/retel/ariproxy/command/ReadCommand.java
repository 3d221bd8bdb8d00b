package io.retel.ariproxy.command;

import io.retel.ariproxy.component.lanes.LanesConstants;
import io.retel.ariproxy.logging.AtWork;
import io.retel.ariproxy.logging.PayloadLog;
import java.time.Instant;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.kafka.KafkaConstants;

/**
 * Makes the Kafka record a {@link Command}, and gives it the lane of its call context.
 *
 * <p>From here on the message has no headers: none of the record's can steer the request to
 * Asterisk.
 */
public final class ReadCommand implements Processor {

  private final CommandReader reader;
  private final PayloadLog payloads;

  public ReadCommand(CommandReader reader, PayloadLog payloads) {
    this.reader = reader;
    this.payloads = payloads;
  }

  @Override
  public void process(Exchange exchange) {
    Message message = exchange.getMessage();
    Origin origin =
        new Origin(
            message.getHeader(KafkaConstants.TOPIC, String.class),
            message.getHeader(KafkaConstants.PARTITION, int.class),
            message.getHeader(KafkaConstants.OFFSET, long.class),
            message.getHeader(KafkaConstants.KEY, String.class),
            Instant.ofEpochMilli(message.getHeader(KafkaConstants.TIMESTAMP, long.class)));
    byte[] record = message.getBody(byte[].class);
    Command command = reader.read(origin, record);
    message.removeHeaders("*");
    message.setBody(command);
    exchange.setProperty(Command.PROPERTY, command);
    exchange.setProperty(LanesConstants.LANE, command.lane());
    AtWork.label(
        exchange,
        command.callContext(),
        command.commandId() == null ? null : command.commandId().asText(),
        command.resources());
    payloads.received(record);
  }
}
