// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.event.HandleLostEvent;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.kafka.InFlightEvents;
import io.retel.ariproxy.kafka.InFlightLimiter;
import io.retel.ariproxy.time.Moment;
import java.time.Instant;
import java.util.List;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** The last log line states what is true. */
class ShutdownReportTest {

  private static final String ENDED = "Thread test has ended: nothing is stored";

  @AutoClose private final CapturedLog log = new CapturedLog();
  private final InFlightEvents inFlightEvents = new InFlightEvents();

  @Test
  void reportsCompletedWork() {
    stop(false, List.of());
    assertThat(log.lines(Level.INFO))
        .containsExactly("State STOPPED: all events acknowledged, no commands in flight");
  }

  @Test
  void warnsAboutEndedThreadAfterCompletedWork() {
    stop(false, List.of(ENDED));
    assertThat(log.lines(Level.WARN))
        .containsExactly("State STOPPED: all events acknowledged, no commands in flight. " + ENDED);
  }

  @Test
  void warnsAboutEndedThreadAndUnacknowledgedEvent() {
    inFlightEvents.add(new DefaultExchange(new DefaultCamelContext()));
    stop(false, List.of(ENDED));
    assertThat(log.lines(Level.WARN))
        .containsExactly("State STOPPED: not all records were acknowledged. " + ENDED);
  }

  @Test
  void warnsAboutAbandonedCommands() {
    stop(true, List.of());
    assertThat(log.lines(Level.WARN))
        .containsExactly(
            "State STOPPED: commands without a RESPONSE are consumed again, after the next start or"
                + " by another proxy");
  }

  private void stop(boolean hasAbandonedCommands, List<String> endedThreads) {
    ShutdownReport report =
        new ShutdownReport(
            new Lifecycle(() -> new Moment(Instant.EPOCH, 0)),
            new InFlightLimiter(1_000, () -> false),
            inFlightEvents,
            new HandleLostEvent(new SimpleMeterRegistry()),
            () -> hasAbandonedCommands,
            () -> endedThreads);
    report.start();
    report.stop();
  }
}
