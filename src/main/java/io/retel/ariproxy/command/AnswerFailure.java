package io.retel.ariproxy.command;

import io.retel.ariproxy.logging.Mask;
import io.retel.ariproxy.settings.Setting;
import io.retel.ariproxy.tls.TlsTrouble;
import java.util.function.Function;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes the failure of a command its RESPONSE (contract.md section 4). */
public final class AnswerFailure implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(AnswerFailure.class);

  private final WrapAnswer wrapAnswer;
  private final Function<Exception, AriAnswer.Failure> answer;

  private AnswerFailure(WrapAnswer wrapAnswer, Function<Exception, AriAnswer.Failure> answer) {
    this.wrapAnswer = wrapAnswer;
    this.answer = answer;
  }

  /** The command was not to be sent. */
  public static AnswerFailure rejected(WrapAnswer wrapAnswer) {
    return new AnswerFailure(
        wrapAnswer,
        cause ->
            new AriAnswer.Failure(
                cause instanceof CommandRejectedException rejection ? rejection.status() : 400,
                String.valueOf(cause.getMessage()),
                AriAnswer.Outcome.NOT_SENT));
  }

  /** Asterisk could not be reached. */
  public static AnswerFailure notSent(WrapAnswer wrapAnswer) {
    return new AnswerFailure(
        wrapAnswer,
        cause ->
            new AriAnswer.Failure(
                503,
                "Asterisk could not be reached: "
                    + TlsTrouble.of(cause, Setting.ARI_CA_FILE.key()).orElseGet(() -> why(cause)),
                AriAnswer.Outcome.NOT_SENT));
  }

  /** What it would create is not known to be kept. */
  public static AnswerFailure notKept(WrapAnswer wrapAnswer) {
    return new AnswerFailure(
        wrapAnswer,
        cause ->
            new AriAnswer.Failure(
                503,
                "What is created would not outlive the proxy's process: " + why(cause),
                AriAnswer.Outcome.NOT_SENT));
  }

  /** It was sent, and no answer came; or one came, and could not be published. */
  public static AnswerFailure unknown(WrapAnswer wrapAnswer) {
    return new AnswerFailure(
        wrapAnswer,
        cause ->
            new AriAnswer.Failure(
                504,
                "Asterisk gave no answer to the request: " + why(cause),
                AriAnswer.Outcome.UNKNOWN));
  }

  /** Asterisk answered, and Kafka does not take the answer for its size. */
  public static AnswerFailure tooLarge(WrapAnswer wrapAnswer) {
    return new AnswerFailure(
        wrapAnswer,
        cause ->
            new AriAnswer.Failure(
                413,
                "Asterisk's answer is too large for Kafka: " + why(cause),
                AriAnswer.Outcome.ANSWERED));
  }

  @Override
  public void process(Exchange exchange) {
    Exception cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    AriAnswer.Failure failure = answer.apply(cause);
    AriAnswer given = exchange.getProperty(AriAnswer.PROPERTY, AriAnswer.class);
    if (given != null && failure.outcome() == AriAnswer.Outcome.UNKNOWN) {
      LOG.warn("Publishing the RESPONSE failed, it is tried once more: {}", why(cause));
      wrapAnswer.wrap(exchange, given);
      return;
    }
    LOG.warn(
        "{} for {}: {}",
        failure.status(),
        exchange.getProperty(Command.PROPERTY),
        Mask.pathOf(failure.message()));
    wrapAnswer.wrap(exchange, failure);
  }

  private static String why(Exception cause) {
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }
}
