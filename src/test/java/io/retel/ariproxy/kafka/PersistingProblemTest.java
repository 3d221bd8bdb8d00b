// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.time.Moment;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class PersistingProblemTest {

  private Moment now = new Moment(Instant.EPOCH, 0);
  private final PersistingProblem problem =
      new PersistingProblem(Duration.ofSeconds(10), () -> now);

  @Test
  void isOneOnceItHasPersisted() {
    try (CapturedLog log = new CapturedLog()) {
      problem.present(() -> "first");
      passes(9);
      problem.present(() -> "early");
      assertThat(problem.describe()).isEmpty();
      passes(1);
      problem.present(() -> "late");
      assertThat(problem.describe()).contains("late");
      passes(100);
      problem.present(() -> "later");
      assertThat(problem.describe()).contains("later");
      assertThat(log.lines(Level.WARN)).containsExactly("late");

      problem.ended();
      problem.ended();
      assertThat(problem.describe()).isEmpty();
      assertThat(log.lines(Level.INFO)).containsExactly("No longer: later");
    }
  }

  @Test
  void endedStateStartsAgain() {
    problem.present(() -> "first");
    passes(9);
    problem.ended();
    passes(9);
    problem.present(() -> "second");
    passes(9);
    problem.present(() -> "second");
    assertThat(problem.describe()).isEmpty();
  }

  /** Such as of a route that was stopped. */
  @Test
  void stateThatWasNotReportedForLongStartsAgain() {
    problem.present(() -> "before");
    passes(10);
    problem.present(() -> "before");
    passes(121);
    problem.present(() -> "after");
    assertThat(problem.describe()).isEmpty();
  }

  private void passes(int seconds) {
    now = new Moment(now.timeOfDay(), now.nanos() + Duration.ofSeconds(seconds).toNanos());
  }
}
