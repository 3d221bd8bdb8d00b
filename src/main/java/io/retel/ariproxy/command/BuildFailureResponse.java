package io.retel.ariproxy.command;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.logging.PayloadMasker;
import io.retel.ariproxy.tls.TlsErrors;
import java.util.function.Function;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes the failure of a command its RESPONSE (contract.md section 4). */
public final class BuildFailureResponse implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(BuildFailureResponse.class);

  private final BuildResponse buildResponse;
  private final Function<Exception, CommandResult.Failure> toFailure;

  private BuildFailureResponse(
      BuildResponse buildResponse, Function<Exception, CommandResult.Failure> toFailure) {
    this.buildResponse = buildResponse;
    this.toFailure = toFailure;
  }

  /** The command was not to be sent. */
  public static BuildFailureResponse rejected(BuildResponse buildResponse) {
    return new BuildFailureResponse(
        buildResponse,
        cause ->
            new CommandResult.Failure(
                cause instanceof CommandRejectedException rejection ? rejection.status() : 400,
                String.valueOf(cause.getMessage()),
                CommandResult.Outcome.NOT_SENT));
  }

  /** Asterisk could not be reached. */
  public static BuildFailureResponse unreachable(BuildResponse buildResponse) {
    return new BuildFailureResponse(
        buildResponse,
        cause ->
            new CommandResult.Failure(
                503,
                "Asterisk could not be reached: "
                    + TlsErrors.describe(cause, Setting.ARI_CA_FILE.key())
                        .orElseGet(() -> reason(cause)),
                CommandResult.Outcome.NOT_SENT));
  }

  /** What it would create is not known to be kept. */
  public static BuildFailureResponse storeUnavailable(BuildResponse buildResponse) {
    return new BuildFailureResponse(
        buildResponse,
        cause ->
            new CommandResult.Failure(
                503,
                "What is created would not outlive the proxy's process: " + reason(cause),
                CommandResult.Outcome.NOT_SENT));
  }

  /** It was sent, and no answer came; or one came, and could not be published. */
  public static BuildFailureResponse unknownOutcome(BuildResponse buildResponse) {
    return new BuildFailureResponse(
        buildResponse,
        cause ->
            new CommandResult.Failure(
                504,
                "Asterisk gave no answer to the request: " + reason(cause),
                CommandResult.Outcome.UNKNOWN));
  }

  /** Asterisk answered, and Kafka does not take the answer for its size. */
  public static BuildFailureResponse tooLarge(BuildResponse buildResponse) {
    return new BuildFailureResponse(
        buildResponse,
        cause ->
            new CommandResult.Failure(
                413,
                "Asterisk's answer is too large for Kafka: " + reason(cause),
                CommandResult.Outcome.ANSWERED));
  }

  @Override
  public void process(Exchange exchange) {
    Exception cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    CommandResult.Failure failure = toFailure.apply(cause);
    CommandResult result = exchange.getProperty(CommandResult.PROPERTY, CommandResult.class);
    if (result != null && failure.outcome() == CommandResult.Outcome.UNKNOWN) {
      LOG.warn("Publishing the RESPONSE failed, it is tried once more: {}", reason(cause));
      buildResponse.build(exchange, result);
      return;
    }
    LOG.warn(
        "{} for {}: {}",
        failure.status(),
        exchange.getProperty(Command.PROPERTY),
        PayloadMasker.maskPath(failure.message()));
    buildResponse.build(exchange, failure);
  }

  private static String reason(Exception cause) {
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }
}
