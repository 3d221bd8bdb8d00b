package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.support.service.ServiceSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says in a line when Kafka has been silent for too long, and in another one when it acknowledges
 * again. Looks once a second, on a thread of its own: what is on its way to Kafka is not held up.
 */
public final class KafkaSilence extends ServiceSupport {

  private static final Logger LOG = LoggerFactory.getLogger(KafkaSilence.class);

  private static final Duration INTERVAL = Duration.ofSeconds(1);

  private final CamelContext context;
  private final BoundInFlight inFlight;
  private ScheduledExecutorService timer;

  /** The longest silence that has been told of and lasts; zero if there is none. */
  private Duration told = Duration.ZERO;

  public KafkaSilence(CamelContext context, BoundInFlight inFlight) {
    this.context = context;
    this.inFlight = inFlight;
  }

  @Override
  protected void doStart() {
    timer =
        context.getExecutorServiceManager().newSingleThreadScheduledExecutor(this, "kafka-silence");
    long interval = INTERVAL.toMillis();
    timer.scheduleWithFixedDelay(this::look, interval, interval, TimeUnit.MILLISECONDS);
  }

  @Override
  protected void doStop() {
    if (timer != null) {
      context.getExecutorServiceManager().shutdownNow(timer);
    }
  }

  void look() {
    Optional<String> trouble = inFlight.trouble();
    if (trouble.isPresent()) {
      if (told.isZero()) {
        LOG.warn(
            "{}. Events wait in memory, commands on their topic; check that Kafka can be reached and its"
                + " topics are writable",
            trouble.get());
      }
      told = inFlight.silence();
    } else if (!told.isZero()) {
      LOG.info("Kafka acknowledges again, after {} s", told.toSeconds());
      told = Duration.ZERO;
    }
  }
}
