package io.retel.ariproxy.command;

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

  public RecallAnswer(AnswerMemory answers) {
    this.answers = answers;
  }

  @Override
  public void process(Exchange exchange) {
    Command command = exchange.getProperty(Command.PROPERTY, Command.class);
    Optional<byte[]> before = answers.recall(command);
    exchange.setProperty(ANSWERED_BEFORE, before.isPresent());
    before.ifPresent(envelope -> Publication.prepare(exchange, command.lane(), envelope, false));
  }
}
