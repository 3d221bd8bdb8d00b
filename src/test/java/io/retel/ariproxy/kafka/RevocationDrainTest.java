// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Waiting for started commands: long while the proxy is running, short while it stops. */
class RevocationDrainTest {

  private static final TopicPartition PARTITION = new TopicPartition("commands", 0);
  private static final Duration LONG = Duration.ofHours(1);

  private final OffsetTracker tracker = new OffsetTracker();
  private final AtomicBoolean stopping = new AtomicBoolean();
  private final AtomicInteger remaining = new AtomicInteger(-1);
  private final AtomicBoolean interruptedAfterwards = new AtomicBoolean();
  private CommandHandle command;
  private Thread drain;

  private void drain(Duration runningTimeout, Duration stoppingTimeout) {
    tracker.assigned(PARTITION, 0, null);
    tracker.accept(PARTITION, 0, 0);
    command = tracker.handle(PARTITION, 0);
    command.tryStart();
    RevocationDrain tested =
        new RevocationDrain(
            tracker, new DrainTimeouts(runningTimeout, stoppingTimeout), stopping::get);
    drain =
        new Thread(
            () -> {
              remaining.set(tested.await(List.of(PARTITION)));
              interruptedAfterwards.set(Thread.currentThread().isInterrupted());
            });
    drain.start();
  }

  @AfterEach
  void end() throws InterruptedException {
    if (drain != null) {
      command.commit();
      drain.join(DefaultTimeout.DURATION.toMillis());
    }
  }

  @Test
  void endsWhenLastCommandCompletes() throws InterruptedException {
    drain(LONG, LONG);
    command.commit();
    awaitEnd();
    assertThat(remaining).hasValue(0);
  }

  @Test
  void endsOnTimeout() throws InterruptedException {
    drain(Duration.ZERO, LONG);
    awaitEnd();
    assertThat(remaining).hasValue(1);
  }

  @Test
  void endsEarlyWhenProxyStops() throws InterruptedException {
    drain(LONG, Duration.ZERO);
    Awaitility.await().until(() -> drain.getState() == Thread.State.TIMED_WAITING);
    stopping.set(true);
    awaitEnd();
    assertThat(remaining).hasValue(1);
  }

  @Test
  void ignoresInterruptWhileProxyRuns() throws InterruptedException {
    drain(LONG, LONG);
    drain.interrupt();
    Awaitility.await("interrupt is consumed").until(() -> !drain.isInterrupted());
    command.commit();
    awaitEnd();
    assertThat(remaining).hasValue(0);
    assertThat(interruptedAfterwards).isFalse();
  }

  @Test
  void endsOnInterruptDuringShutdown() throws InterruptedException {
    stopping.set(true);
    drain(LONG, LONG);
    drain.interrupt();
    awaitEnd();
    assertThat(remaining).hasValue(1);
    assertThat(interruptedAfterwards).isTrue();
  }

  private void awaitEnd() throws InterruptedException {
    drain.join(DefaultTimeout.DURATION.toMillis());
    assertThat(drain.isAlive()).isFalse();
  }
}
