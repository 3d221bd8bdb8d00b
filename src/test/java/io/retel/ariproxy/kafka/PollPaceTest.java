// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** When polls for commands are short, and when they are long. */
class PollPaceTest {

  private static final Duration CONFIGURED = Duration.ofMillis(100);
  private static final Duration COMMIT_INTERVAL = Duration.ofMillis(20);

  private final AtomicLong clock = new AtomicLong();
  private final PollPace pace = new PollPace(clock::get, COMMIT_INTERVAL);

  private Duration timeout(boolean incomplete) {
    return pace.timeout(CONFIGURED, incomplete, true);
  }

  private void advance(Duration duration) {
    clock.addAndGet(duration.toNanos());
  }

  @Test
  void pollsLongerAtRest() {
    assertThat(timeout(false)).isEqualTo(CONFIGURED);
    advance(PollPace.REST_AFTER.minusNanos(1));
    assertThat(timeout(false)).isEqualTo(CONFIGURED);
    advance(Duration.ofNanos(1));

    assertThat(timeout(false)).isEqualTo(PollPace.REST_TIMEOUT);
  }

  @Test
  void pollsInCommitIntervalWhileCommandsAreIncomplete() {
    advance(PollPace.REST_AFTER);

    assertThat(timeout(true)).isEqualTo(COMMIT_INTERVAL);
    assertThat(pace.timeout(Duration.ofMillis(5), true, true)).isEqualTo(Duration.ofMillis(5));
  }

  /** The offset of the last command is committed by one of the next polls. */
  @Test
  void doesNotRestUntilOffsetsAreCommitted() {
    advance(PollPace.REST_AFTER);
    assertThat(timeout(true)).isEqualTo(COMMIT_INTERVAL);

    assertThat(timeout(false)).isEqualTo(CONFIGURED);
    advance(PollPace.REST_AFTER.minusNanos(1));
    assertThat(timeout(false)).isEqualTo(CONFIGURED);
  }

  /** A command can complete before the next poll. */
  @Test
  void doesNotRestAfterCommandThatCompletesAtOnce() {
    advance(PollPace.REST_AFTER);
    assertThat(timeout(false)).isEqualTo(PollPace.REST_TIMEOUT);

    pace.received();

    assertThat(timeout(false)).isEqualTo(CONFIGURED);
  }

  @Test
  void doesNotRestWithoutPartitions() {
    advance(PollPace.REST_AFTER);
    assertThat(pace.timeout(CONFIGURED, false, false)).isEqualTo(CONFIGURED);
    assertThat(timeout(false)).as("just assigned").isEqualTo(CONFIGURED);
  }

  @Test
  void longerConfiguredTimeoutApplies() {
    advance(PollPace.REST_AFTER);
    assertThat(pace.timeout(Duration.ofSeconds(1), false, true)).isEqualTo(Duration.ofSeconds(1));
  }
}
