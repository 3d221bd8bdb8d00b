package io.retel.ariproxy.command;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.Meters;
import io.retel.ariproxy.kafka.CommandOffset;
import java.util.concurrent.RejectedExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.support.SynchronizationAdapter;
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

  public CommitWhenAnswered(MeterRegistry meters) {
    this.answered = Meters.COMMANDS_ANSWERED.in(meters);
    this.unanswered = Meters.COMMANDS_UNANSWERED.in(meters);
    this.left = Meters.COMMANDS_LEFT.in(meters);
  }

  @Override
  public void process(Exchange exchange) {
    CommandOffset offset =
        exchange.getMessage().getHeader(KafkaConstants.MANUAL_COMMIT, CommandOffset.class);
    exchange.setProperty(CommandOffset.PROPERTY, offset);
    exchange
        .getExchangeExtension()
        .addOnCompletion(
            new SynchronizationAdapter() {
              @Override
              public void onComplete(Exchange done) {
                if (offset.left()) {
                  left.increment();
                  return;
                }
                answered.increment();
                offset.commit();
              }

              @Override
              public void onFailure(Exchange failed) {
                if (interrupted(failed)) {
                  // not committed: whoever reads the partition next carries it out
                  LOG.warn(
                      "Stopped before it was answered: {}", failed.getProperty(Command.PROPERTY));
                  return;
                }
                unanswered.increment();
                LOG.error(
                    "The RESPONSE to {} was not published: {}; check the topic's max.message.bytes and the proxy's"
                        + " rights on it",
                    failed.getProperty(Command.PROPERTY),
                    String.valueOf(failed.getException()));
                offset.commit();
              }
            });
  }

  private static boolean interrupted(Exchange failed) {
    return failed.getContext().isStopping()
        || failed.getException() instanceof InterruptedException
        || failed.getException() instanceof RejectedExecutionException;
  }
}
