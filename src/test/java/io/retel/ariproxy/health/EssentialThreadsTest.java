// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.impl.DefaultCamelContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which ended tasks and threads count as ended threads of the proxy. */
class EssentialThreadsTest {

  private final EssentialThreads threads = new EssentialThreads();
  private final DefaultCamelContext context = new DefaultCamelContext();
  private final CountDownLatch end = new CountDownLatch(1);

  @BeforeEach
  void start() {
    context.addLifecycleStrategy(threads);
    context.start();
  }

  @AfterEach
  void stop() {
    end.countDown();
    context.stop();
  }

  @Test
  void reportsConsumerWithFailedTask() {
    startConsumer("KafkaConsumer[commands]");
    assertThat(threads.ended()).isEmpty();

    end.countDown();

    Awaitility.await()
        .untilAsserted(
            () ->
                assertThat(threads.ended())
                    .containsExactly(
                        "Thread KafkaConsumer[commands] has ended: its topic is not consumed;"
                            + " restart the proxy"));
  }

  @Test
  void ignoresConsumerOfStoppedRoute() {
    ExecutorService pool = startConsumer("ahc-ws://localhost:8088/ari/events");

    context.getExecutorServiceManager().shutdownNow(pool);

    assertThat(threads.ended()).isEmpty();
  }

  @Test
  void ignoresOtherPools() {
    startConsumer("kafka-ack");
    end.countDown();

    context.getExecutorServiceManager().shutdown(startConsumer("kafka-ack"));

    assertThat(threads.ended()).isEmpty();
  }

  @Test
  void retainsThreadsThatEndedBeforeShutdown() {
    AtomicReference<String> ended = new AtomicReference<>("writer");
    threads.add("nothing is written", () -> Optional.ofNullable(ended.get()));

    context.stop();
    ended.set(null);

    assertThat(threads.firstEnded())
        .contains("Thread writer has ended: nothing is written; restart the proxy");
  }

  @Test
  void ignoresThreadsThatEndDuringShutdown() {
    AtomicReference<String> ended = new AtomicReference<>();
    threads.add("nothing is written", () -> Optional.ofNullable(ended.get()));

    context.stop();
    ended.set("writer");

    assertThat(threads.firstEnded()).isEmpty();
  }

  /** Starts a pool with one task, which fails at the end or when it is interrupted. */
  private ExecutorService startConsumer(String name) {
    ExecutorService pool = context.getExecutorServiceManager().newSingleThreadExecutor(this, name);
    pool.submit(
        () -> {
          end.await();
          throw new IllegalStateException("test");
        });
    return pool;
  }
}
