// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.component.lanes.LanesConstants;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.envelope.CommandResult;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.TlsErrors;
import io.retel.ariproxy.logging.PayloadMasker;
import io.retel.ariproxy.logging.RateLimitFilter;
import io.retel.ariproxy.route.AddedSteps;
import io.retel.ariproxy.text.LogText;
import java.util.function.Function;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.processor.ThrottlerRejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Builds the RESPONSE for a failed command (docs/contract.md#commands). */
public final class BuildFailureResponse implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(BuildFailureResponse.class);

  private final BuildResponse buildResponse;
  private final Function<Exception, CommandResult.Failure> toFailure;

  private BuildFailureResponse(
      BuildResponse buildResponse, Function<Exception, CommandResult.Failure> toFailure) {
    this.buildResponse = buildResponse;
    this.toFailure = toFailure;
  }

  /** The command was rejected and not sent. */
  public static BuildFailureResponse rejected(BuildResponse buildResponse) {
    return new BuildFailureResponse(buildResponse, BuildFailureResponse::rejection);
  }

  private static CommandResult.Failure rejection(Exception cause) {
    return cause instanceof ThrottlerRejectedExecutionException
        ? notSent(429, "Too many such commands at this time; send it again later")
        : notSent(
            cause instanceof CommandRejectedException rejection ? rejection.status() : 400,
            String.valueOf(cause.getMessage()));
  }

  private static CommandResult.Failure notSent(int status, String message) {
    return new CommandResult.Failure(status, message, CommandResult.Outcome.NOT_SENT);
  }

  /** Asterisk could not be reached; nothing was sent. */
  public static BuildFailureResponse unreachable(BuildResponse buildResponse) {
    return of(
        buildResponse,
        503,
        CommandResult.Outcome.NOT_SENT,
        cause ->
            "Asterisk could not be reached: "
                + TlsErrors.describe(cause, Setting.ARI_CA_FILE.key())
                    .orElseGet(() -> ErrorMessages.ownMessage(cause)));
  }

  /** The new resources could not be mapped, or their mappings not persisted; nothing was sent. */
  public static BuildFailureResponse storeUnavailable(BuildResponse buildResponse) {
    return of(
        buildResponse,
        503,
        CommandResult.Outcome.NOT_SENT,
        cause ->
            "The mapping of the new resource could not be persisted: "
                + ErrorMessages.ownMessage(cause));
  }

  /** Earlier commands of the same operation or call hang; nothing was sent. */
  public static BuildFailureResponse earlierCommandsHang(BuildResponse buildResponse) {
    return of(buildResponse, 503, CommandResult.Outcome.NOT_SENT, ErrorMessages::ownMessage);
  }

  /** The request was sent without a response, or its response could not be published. */
  public static BuildFailureResponse unknownOutcome(BuildResponse buildResponse) {
    return of(
        buildResponse,
        504,
        CommandResult.Outcome.UNKNOWN,
        cause -> "No response from Asterisk: " + ErrorMessages.ownMessage(cause));
  }

  /** Asterisk responded, but the response is too large for Kafka. */
  public static BuildFailureResponse tooLarge(BuildResponse buildResponse) {
    return of(
        buildResponse,
        413,
        CommandResult.Outcome.ANSWERED,
        cause -> "Asterisk's response is too large for Kafka: " + ErrorMessages.ownMessage(cause));
  }

  /** Whether an exception is how a step refuses a command. */
  public static boolean isRejection(Exception cause) {
    return cause instanceof CommandRejectedException
        || cause instanceof ThrottlerRejectedExecutionException;
  }

  /** A step that is not part of the shipped routes failed, or refused a command. */
  private static CommandResult.Failure failureOf(
      String step, Exception cause, boolean possiblySent) {
    if (isRejection(cause) && !possiblySent) {
      return rejection(cause);
    }
    String error = ErrorMessages.withoutUrlDetails(ErrorMessages.ownMessage(cause));
    String message = "Failed: " + step + ": " + error;
    return new CommandResult.Failure(
        possiblySent ? 504 : 500,
        LogText.escape(message, LogText.MAX_DETAIL_LENGTH),
        possiblySent ? CommandResult.Outcome.UNKNOWN : CommandResult.Outcome.NOT_SENT);
  }

  private static BuildFailureResponse of(
      BuildResponse buildResponse,
      int status,
      CommandResult.Outcome outcome,
      Function<Exception, String> message) {
    return new BuildFailureResponse(
        buildResponse,
        cause ->
            new CommandResult.Failure(
                status,
                // it can contain a line that Asterisk has sent
                LogText.escape(message.apply(cause), LogText.MAX_DETAIL_LENGTH),
                outcome));
  }

  @Override
  public void process(Exchange exchange) {
    SubscriptionReservation.release(exchange);
    Exception cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    CommandResult.Failure failure =
        AddedSteps.failed(exchange)
            .map(step -> failureOf(step, cause, CommandProperties.isPossiblySent(exchange)))
            .orElseGet(() -> toFailure.apply(cause));
    CommandResult result = CommandProperties.result(exchange);
    boolean responded =
        CommandProperties.isDuplicate(exchange)
            || result != null
                && (result.isSent() || failure.outcome() == CommandResult.Outcome.UNKNOWN);
    if (responded && failure.outcome() != CommandResult.Outcome.ANSWERED) {
      LOG.warn(
          RateLimitFilter.PER_MESSAGE,
          "Publishing the RESPONSE failed: {}{}; retrying once",
          AddedSteps.failed(exchange).map(step -> step + ": ").orElse(""),
          ErrorMessages.withoutUrlDetails(ErrorMessages.ownMessage(cause)));
      BuildResponse.repeat(exchange);
      return;
    }
    exchange.setProperty(
        LanesConstants.NO_RESULT, failure.outcome() == CommandResult.Outcome.UNKNOWN);
    log(exchange, failure);
    buildResponse.build(exchange, failure);
  }

  static void log(Exchange exchange, CommandResult.Failure failure) {
    LOG.warn(
        RateLimitFilter.PER_MESSAGE,
        "{} for {}: {}",
        failure.status(),
        CommandProperties.command(exchange),
        PayloadMasker.maskPath(failure.message()));
  }
}
