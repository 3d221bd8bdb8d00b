package io.retel.ariproxy.command;

import io.retel.ariproxy.component.lanes.LanesConstants;
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

  public ReadCommand(CommandReader reader) {
    this.reader = reader;
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
    Command command = reader.read(origin, message.getBody(byte[].class));
    message.removeHeaders("*");
    message.setBody(command);
    exchange.setProperty(Command.PROPERTY, command);
    exchange.setProperty(LanesConstants.LANE, command.lane());
  }
}
