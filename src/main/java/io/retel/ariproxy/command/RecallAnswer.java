package io.retel.ariproxy.command;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.Meters;
import io.retel.ariproxy.kafka.Publication;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Gives a command that was answered already its RESPONSE again; a route sees that by {@code
 * ${exchangeProperty.answeredBefore}}.
 */
public final class RecallAnswer implements Processor {

  static final String ANSWERED_BEFORE = "answeredBefore";

  private final AnswerMemory answers;
  private final Counter repeated;

  public RecallAnswer(AnswerMemory answers, MeterRegistry meters) {
    this.answers = answers;
    this.repeated = Meters.COMMANDS_REPEATED.in(meters);
  }

  @Override
  public void process(Exchange exchange) {
    Command command = exchange.getProperty(Command.PROPERTY, Command.class);
    Optional<byte[]> before = answers.recall(command);
    exchange.setProperty(ANSWERED_BEFORE, before.isPresent());
    before.ifPresent(
        envelope -> {
          repeated.increment();
          Publication.prepare(exchange, command.lane(), envelope, false);
        });
  }
}
