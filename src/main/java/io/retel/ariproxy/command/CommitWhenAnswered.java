package io.retel.ariproxy.command;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.kafka.CommandOffset;
import io.retel.ariproxy.logging.AtWork;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.metrics.Tagged;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.SynchronizationAdapter;
import org.apache.kafka.common.errors.ApiException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a command's offset be committed when its RESPONSE is acknowledged, wherever in the routes
 * that will be: it is bound to the end of the exchange. Stands before {@link ReadCommand}, which
 * removes the headers. What is left to another reader of the partition is not committed.
 */
public final class CommitWhenAnswered implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(CommitWhenAnswered.class);

  private final Counter answered;
  private final Counter unanswered;
  private final Counter left;
  private final Tagged<ResponseOutcome, Counter> responses;
  private final AnswerFailure answerUnknown;
  private ProducerTemplate template;
  private final AtomicBoolean leftInTheStop = new AtomicBoolean();

  /**
   * @param answerUnknown makes the RESPONSE to a command whose route is stopped by force under it
   */
  public CommitWhenAnswered(MeterRegistry meters, AnswerFailure answerUnknown) {
    this.answered = Meters.COMMANDS_ANSWERED.in(meters);
    this.unanswered = Meters.COMMANDS_UNANSWERED.in(meters);
    this.left = Meters.COMMANDS_LEFT.in(meters);
    this.responses =
        new Tagged<>(
            outcome -> Meters.RESPONSES.in(meters, outcome.name(), outcome.status()),
            new ResponseOutcome("answered", "other"));
    this.answerUnknown = answerUnknown;
  }

  @Override
  public void process(Exchange exchange) {
    CommandOffset offset =
        exchange.getMessage().getHeader(KafkaConstants.MANUAL_COMMIT, CommandOffset.class);
    exchange.setProperty(CommandOffset.PROPERTY, offset);
    exchange.getExchangeExtension().addOnCompletion(new End(offset));
  }

  /** Whether a command was stopped before it was answered, which is read again. */
  public boolean hasLeftInTheStop() {
    return leftInTheStop.get();
  }

  private synchronized ProducerTemplate template(CamelContext context) {
    if (template == null) {
      template = context.createProducerTemplate();
    }
    return template;
  }

  /** The end of a command's way. */
  private class End extends SynchronizationAdapter {

    private final CommandOffset offset;

    End(CommandOffset offset) {
      this.offset = offset;
    }

    @Override
    public void onComplete(Exchange done) {
      if (offset.left()) {
        left.increment();
        return;
      }
      answered.increment();
      responses.with(ResponseOutcome.of(done)).increment();
      offset.commit();
    }

    @Override
    public void onFailure(Exchange failed) {
      AtWork.on(failed, () -> settle(failed));
    }

    private void settle(Exchange failed) {
      Command command = failed.getProperty(Command.PROPERTY, Command.class);
      if (offset.left()) {
        left.increment();
      } else if (failed.getContext().isStopping() || stoppedBeforeItBegan(failed)) {
        // not committed: whoever reads the partition next carries it out
        LOG.warn("Stopped before it was answered: {}", command);
        leftInTheStop.compareAndSet(false, failed.getContext().isStopping());
      } else if (command == null || !mayBePublishedYet(failed)) {
        giveUp(failed);
      } else {
        answerAfterAll(failed);
      }
    }

    private boolean stoppedBeforeItBegan(Exchange failed) {
      return !offset.begun()
          && (failed.getException() instanceof InterruptedException
              || failed.getException() instanceof RejectedExecutionException);
    }

    /** Kafka has not refused it, and it is none that is answered again. */
    boolean mayBePublishedYet(Exchange failed) {
      return failed.getException(ApiException.class) == null
          && !failed.getProperty(RecallAnswer.ANSWERED_BEFORE, false, boolean.class);
    }

    /** Its route is stopped by force, as by an edit, and nobody else is going to read it. */
    private void answerAfterAll(Exchange interrupted) {
      Exchange response = new DefaultExchange(interrupted.getContext());
      for (String property :
          List.of(
              Command.PROPERTY,
              AriAnswer.PROPERTY,
              AtWork.CALL_CONTEXT,
              AtWork.COMMAND_ID,
              AtWork.RESOURCE)) {
        response.setProperty(property, interrupted.getProperty(property));
      }
      response.setProperty(Exchange.EXCEPTION_CAUGHT, interrupted.getException());
      answerUnknown.process(response);
      response
          .getExchangeExtension()
          .addOnCompletion(
              new End(offset) {
                @Override
                boolean mayBePublishedYet(Exchange failed) {
                  return false;
                }
              });
      // on another thread: this one may be interrupted
      template(interrupted.getContext()).asyncSend("handover:publish", response);
    }

    void giveUp(Exchange failed) {
      unanswered.increment();
      LOG.error(
          "The RESPONSE to {} was not published: {}; check the topic's max.message.bytes and the proxy's"
              + " rights on it",
          failed.getProperty(Command.PROPERTY),
          String.valueOf(failed.getException()));
      offset.commit();
    }
  }
}
