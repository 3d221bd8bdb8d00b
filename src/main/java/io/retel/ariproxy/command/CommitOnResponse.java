// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.component.MessageCompletion;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.kafka.CommandHandle;
import io.retel.ariproxy.logging.ExchangeContext;
import io.retel.ariproxy.logging.RateLimitFilter;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.metrics.TaggedMeters;
import io.retel.ariproxy.route.AddedSteps;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.support.DefaultExchange;
import org.apache.kafka.common.errors.ApiException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Marks a command's offset for commit once its RESPONSE is acknowledged.
 *
 * <p>Registers a completion on the exchange, so it works regardless of where in the routes the
 * exchange ends. Must precede {@link ParseCommand}, which removes the headers. A released command
 * is not committed.
 */
public final class CommitOnResponse implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(CommitOnResponse.class);

  private final Counter completed;
  private final Counter lostResponses;
  private final Counter released;
  private final TaggedMeters<ResponseOutcome, Counter> responses;
  private final BuildFailureResponse respondUnknownOutcome;
  private @Nullable ProducerTemplate template;
  private final AtomicBoolean abandonedOnShutdown = new AtomicBoolean();

  /**
   * @param respondUnknownOutcome builds the RESPONSE for a command whose route is stopped forcibly
   *     during its execution
   */
  public CommitOnResponse(MeterRegistry meters, BuildFailureResponse respondUnknownOutcome) {
    this.completed = Meters.COMMANDS_COMPLETED.counter(meters);
    this.lostResponses = Meters.RESPONSES_LOST.counter(meters);
    this.released = Meters.COMMANDS_RELEASED.counter(meters);
    this.responses =
        new TaggedMeters<>(
            outcome -> Meters.RESPONSES.counter(meters, outcome.name(), outcome.status()),
            new ResponseOutcome("answered", "other"));
    this.respondUnknownOutcome = respondUnknownOutcome;
  }

  @Override
  public void process(Exchange exchange) {
    CommandHandle handle =
        exchange.getMessage().getHeader(KafkaConstants.MANUAL_COMMIT, CommandHandle.class);
    exchange.setProperty(CommandProperties.HANDLE, handle);
    exchange.getExchangeExtension().addOnCompletion(new CommandCompletion(handle));
  }

  /** Whether shutdown stopped a command before its RESPONSE; it is read again. */
  public boolean hasAbandonedOnShutdown() {
    return abandonedOnShutdown.get();
  }

  private synchronized ProducerTemplate template(CamelContext context) {
    if (template == null) {
      template = context.createProducerTemplate();
    }
    return template;
  }

  /** Completes a command when its exchange ends. */
  private class CommandCompletion extends MessageCompletion {

    private final CommandHandle handle;

    CommandCompletion(CommandHandle handle) {
      this.handle = handle;
    }

    @Override
    public void onComplete(Exchange done) {
      if (handle.released()) {
        released.increment();
        return;
      }
      if (AddedSteps.stopped(done).isPresent()
          || CommandProperties.result(done) == null && !CommandProperties.isDuplicate(done)) {
        recordMissingResponse(done);
        return;
      }
      completed.increment();
      responses.get(ResponseOutcome.of(done)).increment();
      handle.commit();
    }

    @Override
    public void onFailure(Exchange failed) {
      ExchangeContext.runWith(failed, () -> handleFailure(failed));
    }

    private void handleFailure(Exchange failed) {
      Command command = CommandProperties.command(failed);
      if (handle.released()) {
        released.increment();
      } else if (failed.getContext().isStopping() || stoppedBeforeStart(failed)) {
        // not committed: the next consumer of the partition executes it
        LOG.warn(
            RateLimitFilter.PER_MESSAGE,
            "Command stopped before its RESPONSE, offset not committed: {}",
            command);
        abandonedOnShutdown.compareAndSet(false, failed.getContext().isStopping());
      } else if (command == null || !canStillRespond(failed)) {
        recordLostResponse(failed);
      } else {
        respondAfterInterrupt(failed);
      }
    }

    private boolean stoppedBeforeStart(Exchange failed) {
      return !handle.started()
          && (failed.getException() instanceof InterruptedException
              || failed.getException() instanceof RejectedExecutionException);
    }

    /** False if Kafka rejected the RESPONSE, or if the command is a duplicate. */
    boolean canStillRespond(Exchange failed) {
      return (failed.getException(ApiException.class) == null
              || AddedSteps.failed(failed, failed.getException()).isPresent())
          && !CommandProperties.isDuplicate(failed);
    }

    /**
     * Publishes a RESPONSE after a forced route stop, such as a reload, or after an added step has
     * failed in {@code commands}: no other consumer reads the command.
     */
    private void respondAfterInterrupt(Exchange interrupted) {
      Exchange response = new DefaultExchange(interrupted.getContext());
      for (String property :
          List.of(
              CommandProperties.COMMAND,
              CommandProperties.RESULT,
              CommandProperties.RESPONSE,
              CommandProperties.IS_REQUEST_BUILT,
              AddedSteps.FAILED_STEP,
              ExchangeContext.CALL_CONTEXT,
              ExchangeContext.COMMAND_ID,
              ExchangeContext.RESOURCE)) {
        response.setProperty(property, interrupted.getProperty(property));
      }
      response.setProperty(Exchange.EXCEPTION_CAUGHT, interrupted.getException());
      respondUnknownOutcome.process(response);
      response
          .getExchangeExtension()
          .addOnCompletion(
              new CommandCompletion(handle) {
                @Override
                boolean canStillRespond(Exchange failed) {
                  return false;
                }
              });
      // on another thread, since this one can be interrupted
      template(interrupted.getContext()).asyncSend("handover:publish", response);
    }

    private void recordMissingResponse(Exchange done) {
      lostResponses.increment();
      ExchangeContext.runWith(
          done,
          () ->
              LOG.error(
                  RateLimitFilter.PER_MESSAGE,
                  "{} has ended {} without a RESPONSE; use rejectCommand in place of a stop step",
                  AddedSteps.stopped(done).orElse("A route"),
                  CommandProperties.command(done)));
      handle.commit();
    }

    void recordLostResponse(Exchange failed) {
      lostResponses.increment();
      // an earlier error of a step can be the reason for the RESPONSE
      Optional<String> step = AddedSteps.failed(failed, failed.getException());
      if (step.isPresent()) {
        LOG.error(
            RateLimitFilter.PER_MESSAGE,
            "RESPONSE not published: {}, {} failed: {}; correct the step, or catch its errors in the"
                + " route",
            CommandProperties.command(failed),
            step.get(),
            ErrorMessages.ofStep(failed.getException()));
        handle.commit();
        return;
      }
      LOG.error(
          RateLimitFilter.PER_MESSAGE,
          "RESPONSE not published: {}, {}; check the topic's max.message.bytes and the proxy's ACLs on"
              + " it",
          CommandProperties.command(failed),
          String.valueOf(failed.getException()));
      handle.commit();
    }
  }
}
