// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.timer.PeriodicCheck;
import java.time.Duration;
import java.util.Optional;
import org.apache.camel.CamelContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs when Kafka has stopped acknowledging, all or one partition, or throttles the proxy, and when
 * it resumes.
 */
public final class KafkaStallMonitor extends PeriodicCheck {

  private static final Logger LOG = LoggerFactory.getLogger(KafkaStallMonitor.class);

  /** One of so many checks reads the metrics of the clients, which cover at least 30 s. */
  private static final int THROTTLING_CHECKS = 5;

  private final InFlightLimiter limiter;
  private final Throttling throttling;

  /** Longest observed time of the current stall; zero if none is reported. */
  private Duration reportedStall = Duration.ZERO;

  /** Whether throttling is reported. */
  private boolean throttled;

  private long throttledSinceNanos;
  private long checks;

  public KafkaStallMonitor(CamelContext context, InFlightLimiter limiter, Throttling throttling) {
    super(context);
    this.limiter = limiter;
    this.throttling = throttling;
  }

  @Override
  protected void check() {
    checkStall();
    if (throttled || checks % THROTTLING_CHECKS == 0) {
      checkThrottling();
    }
    checks++;
  }

  private void checkThrottling() {
    Optional<String> reason = throttling.describe();
    if (reason.isPresent() && !throttled) {
      throttledSinceNanos = System.nanoTime();
      LOG.warn(
          "{}. Events and commands are late, none is lost; raise the quota of its user or client id",
          reason.get());
    } else if (reason.isEmpty() && throttled) {
      LOG.info(
          "Kafka no longer throttles this proxy, after {} s",
          Duration.ofNanos(System.nanoTime() - throttledSinceNanos).toSeconds());
    }
    throttled = reason.isPresent();
  }

  private void checkStall() {
    Optional<String> reason = limiter.stallReason();
    if (reason.isPresent()) {
      if (reportedStall.isZero()) {
        LOG.warn(
            "{}. Events wait in memory, commands on their topic; check that Kafka is reachable and its"
                + " topics are writable",
            reason.get());
      }
      reportedStall = limiter.stall();
    } else if (!reportedStall.isZero()) {
      LOG.info("Kafka acknowledges again after {} s", reportedStall.toSeconds());
      reportedStall = Duration.ZERO;
    }
  }
}
