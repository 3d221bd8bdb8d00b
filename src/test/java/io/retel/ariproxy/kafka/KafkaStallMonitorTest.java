// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Log lines while Kafka acknowledges nothing. */
class KafkaStallMonitorTest {

  private static final Duration MOMENT = Duration.ofSeconds(1);

  private final AtomicLong clock = new AtomicLong();
  private Duration produceThrottling = Duration.ZERO;
  private Duration fetchThrottling = Duration.ZERO;
  private final Throttling throttling =
      new Throttling(() -> produceThrottling, () -> fetchThrottling);
  private final InFlightLimiter limiter =
      new InFlightLimiter(100_000, () -> false, throttling::ofPublishing, clock::get);
  private final KafkaStallMonitor monitor =
      new KafkaStallMonitor(new DefaultCamelContext(), limiter, throttling);
  private final CapturedLog log = new CapturedLog();

  @AfterEach
  void stop() {
    log.close();
  }

  @Test
  void logsStallAndRecoveryOnce() throws Exception {
    InFlightLimiter.Permit oldest = limiter.acquire(1_000);
    advance(InFlightLimiter.STALL_THRESHOLD.minus(MOMENT));
    assertThat(log.events()).isEmpty();

    advance(MOMENT);
    advance(Duration.ofSeconds(25));
    limiter.acquire(1_000);
    advance(Duration.ofSeconds(30));
    assertThat(log.lines(Level.WARN))
        .singleElement()
        .asString()
        .startsWith("Kafka has acknowledged nothing for 5 s; 1000 of 100000 bytes in flight.")
        .contains("check that Kafka is reachable");

    oldest.release();
    advance(MOMENT);
    advance(MOMENT);
    assertThat(log.lines(Level.INFO)).containsExactly("Kafka acknowledges again after 60 s");

    advance(InFlightLimiter.STALL_THRESHOLD);
    assertThat(log.lines(Level.WARN)).as("the next stall is logged as well").hasSize(2);
  }

  @Test
  void logsNothingWhileNothingIsInFlight() {
    advance(Duration.ofHours(1));
    assertThat(log.events()).isEmpty();
  }

  @Test
  void logsNothingWhileAcknowledgementsContinue() throws Exception {
    Deque<InFlightLimiter.Permit> inFlight = new ArrayDeque<>();
    for (int i = 0; i < 20; i++) {
      inFlight.add(limiter.acquire(1_000));
      advance(MOMENT);
      inFlight.add(limiter.acquire(1_000));
      inFlight.remove().release();
    }
    assertThat(log.events()).isEmpty();
  }

  @Test
  void logsPartitionWithoutAcknowledgements() throws Exception {
    InFlightLimiter.Permit silent = limiter.acquire(1_000);
    for (int i = 0; i < 20; i++) {
      InFlightLimiter.Permit ofAnotherPartition = limiter.acquire(1_000);
      advance(MOMENT);
      ofAnotherPartition.release();
    }
    assertThat(limiter.stallReason().orElseThrow())
        .isEqualTo(
            "Kafka has acknowledged nothing of a partition for 20 s; 1000 of 100000 bytes in"
                + " flight");
    assertThat(log.lines(Level.WARN))
        .singleElement()
        .asString()
        .startsWith("Kafka has acknowledged nothing of a partition for 5 s");

    silent.release();
    advance(MOMENT);
    assertThat(log.lines(Level.INFO)).containsExactly("Kafka acknowledges again after 20 s");
  }

  @Test
  void logsThrottlingInsteadOfStall() throws Exception {
    InFlightLimiter.Permit oldest = limiter.acquire(1_000);
    produceThrottling = Duration.ofSeconds(20);
    advance(MOMENT);
    advance(Duration.ofSeconds(23));
    assertThat(limiter.stallReason()).isEmpty();
    assertThat(log.lines(Level.WARN))
        .singleElement()
        .asString()
        .startsWith(
            "Kafka throttles this proxy (quota): publishing waits up to 20000 ms, consuming up to 0"
                + " ms");

    advance(MOMENT);
    assertThat(limiter.stallReason()).as("longer than Kafka has announced").isPresent();

    oldest.release();
    produceThrottling = Duration.ZERO;
    advance(MOMENT);
    assertThat(log.lines(Level.INFO))
        .anyMatch(line -> line.startsWith("Kafka no longer throttles this proxy, after "));
  }

  @Test
  void logsThrottledConsumption() {
    fetchThrottling = Throttling.REPORTED;
    advance(MOMENT);
    assertThat(log.lines(Level.WARN))
        .singleElement()
        .asString()
        .contains("publishing waits up to 0 ms, consuming up to 1000 ms");
  }

  @Test
  void ignoresThrottlingThatDelaysLittle() throws Exception {
    limiter.acquire(1_000);
    produceThrottling = Throttling.REPORTED.minusMillis(1);
    fetchThrottling = produceThrottling;
    advance(InFlightLimiter.STALL_THRESHOLD);
    assertThat(throttling.describe()).isEmpty();
    assertThat(limiter.stallReason()).isPresent();
  }

  private void advance(Duration time) {
    clock.addAndGet(time.toNanos());
    monitor.check();
  }
}
