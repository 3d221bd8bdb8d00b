package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.Patience;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is begun is waited for: long while the proxy runs on, short in a stop. */
class DrainTest {

  private static final TopicPartition PARTITION = new TopicPartition("commands", 0);
  private static final Duration LONG = Duration.ofHours(1);

  private final CommandProgress progress = new CommandProgress();
  private final AtomicBoolean stopping = new AtomicBoolean();
  private final AtomicInteger left = new AtomicInteger(-1);
  private final AtomicBoolean interruptedAfterwards = new AtomicBoolean();
  private CommandOffset command;
  private Thread drain;

  private void drain(Duration running, Duration whenStopping) {
    progress.assigned(PARTITION, 0, null);
    progress.take(PARTITION, 0);
    command = progress.offset(PARTITION, 0);
    command.begin();
    Drain tested = new Drain(progress, new DrainTime(running, whenStopping), stopping::get);
    drain =
        new Thread(
            () -> {
              left.set(tested.await(List.of(PARTITION)));
              interruptedAfterwards.set(Thread.currentThread().isInterrupted());
            });
    drain.start();
  }

  @AfterEach
  void end() throws InterruptedException {
    if (drain != null) {
      command.commit();
      drain.join(Patience.LIMIT.toMillis());
    }
  }

  @Test
  void endsWithTheLastAnswer() throws InterruptedException {
    drain(LONG, LONG);
    command.commit();
    awaitEnd();
    assertThat(left).hasValue(0);
  }

  @Test
  void endsWhenItsTimeIsOver() throws InterruptedException {
    drain(Duration.ZERO, LONG);
    awaitEnd();
    assertThat(left).hasValue(1);
  }

  @Test
  void endsSoonWhenTheProxyStopsMeanwhile() throws InterruptedException {
    drain(LONG, Duration.ZERO);
    Awaitility.await().until(() -> drain.getState() == Thread.State.TIMED_WAITING);
    stopping.set(true);
    awaitEnd();
    assertThat(left).hasValue(1);
  }

  @Test
  void goesOnWhenItIsInterruptedWhileTheProxyRunsOn() throws InterruptedException {
    drain(LONG, LONG);
    drain.interrupt();
    Awaitility.await("the interrupt is noticed").until(() -> !drain.isInterrupted());
    command.commit();
    awaitEnd();
    assertThat(left).hasValue(0);
    assertThat(interruptedAfterwards).isFalse();
  }

  @Test
  void endsWhenItIsInterruptedInAStop() throws InterruptedException {
    stopping.set(true);
    drain(LONG, LONG);
    drain.interrupt();
    awaitEnd();
    assertThat(left).hasValue(1);
    assertThat(interruptedAfterwards).isTrue();
  }

  private void awaitEnd() throws InterruptedException {
    drain.join(Patience.LIMIT.toMillis());
    assertThat(drain.isAlive()).isFalse();
  }
}
