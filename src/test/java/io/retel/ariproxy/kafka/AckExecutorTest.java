// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Thread that completes acknowledged exchanges. */
class AckExecutorTest {

  private static final int AFTER_OUTAGE = 2_000;

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final AckExecutor executor = new AckExecutor(context);

  @AfterEach
  void stop() {
    executor.shutdownNow();
    context.stop();
  }

  @Test
  void runsAcknowledgmentsAfterAnOutageInOrderOnOneThread() throws Exception {
    CountDownLatch allSubmitted = new CountDownLatch(1);
    List<Integer> order = Collections.synchronizedList(new ArrayList<>());
    Future<?> last =
        executor.submit(
            () -> {
              assertThat(allSubmitted.await(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();
              return null;
            });
    for (int i = 0; i < AFTER_OUTAGE; i++) {
      int number = i;
      last =
          executor.submit(
              () -> {
                assertThat(executor.isCurrentThread()).isTrue();
                order.add(number);
              });
    }
    assertThat(order).isEmpty();
    allSubmitted.countDown();
    last.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
    assertThat(order).isEqualTo(IntStream.range(0, AFTER_OUTAGE).boxed().toList());
    assertThat(executor.endedThread()).isEmpty();
  }

  @Test
  void reportsFailedAcknowledgment() {
    // Camel submits a Runnable
    Runnable acknowledgment =
        () -> {
          throw new StackOverflowError("test");
        };
    Future<?> failed = executor.submit(acknowledgment);
    assertThatThrownBy(() -> failed.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS))
        .hasRootCauseInstanceOf(StackOverflowError.class);
    assertThat(executor.endedThread()).contains("kafka-ack");
  }
}
