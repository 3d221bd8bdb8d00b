package io.retel.ariproxy.command;

import io.retel.ariproxy.command.AriAnswer.Outcome;
import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.kafka.Publication;
import java.util.function.Function;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes the failure of a command its RESPONSE (contract.md section 4). */
public final class AnswerFailure implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(AnswerFailure.class);

  private final Envelopes envelopes;
  private final Function<Exception, AriAnswer.Failure> answer;

  private AnswerFailure(Envelopes envelopes, Function<Exception, AriAnswer.Failure> answer) {
    this.envelopes = envelopes;
    this.answer = answer;
  }

  /** The command was not to be sent. */
  public static AnswerFailure rejected(Envelopes envelopes) {
    return new AnswerFailure(
        envelopes,
        cause ->
            cause instanceof CommandRejectedException rejection
                ? new AriAnswer.Failure(
                    rejection.status(), rejection.getMessage(), Outcome.NOT_SENT)
                : new AriAnswer.Failure(400, String.valueOf(cause.getMessage()), Outcome.NOT_SENT));
  }

  /** Asterisk could not be reached. */
  public static AnswerFailure notSent(Envelopes envelopes) {
    return new AnswerFailure(
        envelopes,
        cause ->
            new AriAnswer.Failure(
                503, "Asterisk could not be reached: " + why(cause), Outcome.NOT_SENT));
  }

  /** It was sent, and no answer came. */
  public static AnswerFailure unknown(Envelopes envelopes) {
    return new AnswerFailure(
        envelopes,
        cause ->
            new AriAnswer.Failure(
                504, "Asterisk gave no answer to the request: " + why(cause), Outcome.UNKNOWN));
  }

  /** Asterisk answered, and Kafka does not take the answer for its size. */
  public static AnswerFailure tooLarge(Envelopes envelopes) {
    return new AnswerFailure(
        envelopes,
        cause ->
            new AriAnswer.Failure(
                413, "Asterisk's answer is too large for Kafka: " + why(cause), Outcome.ANSWERED));
  }

  @Override
  public void process(Exchange exchange) {
    Command command = exchange.getProperty(Command.PROPERTY, Command.class);
    Exception cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    AriAnswer.Failure failure = answer.apply(cause);
    LOG.warn("{} for {}: {}", failure.status(), command, failure.message());
    Publication.prepare(exchange, command.lane(), envelopes.response(command, failure), false);
  }

  private static String why(Exception cause) {
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }
}
