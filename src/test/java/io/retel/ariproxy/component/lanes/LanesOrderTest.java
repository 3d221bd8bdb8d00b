// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.support.AsyncProcessorSupport;
import org.junit.jupiter.api.Test;

/** Messages of one key are processed sequentially, and messages of different keys concurrently. */
class LanesOrderTest extends LanesTestSupport {

  private static final int KEYS = 40;
  private static final int MESSAGES_PER_KEY = 100;

  private void sendAll() {
    for (int number = 0; number < MESSAGES_PER_KEY; number++) {
      for (int key = 0; key < KEYS; key++) {
        send("key " + key, number);
      }
    }
  }

  private static long randomNanos() {
    return ThreadLocalRandom.current().nextLong(2_000_000);
  }

  @Test
  void preservesOrderPerKey() throws Exception {
    start(
        "",
        exchange -> {
          begin(exchange);
          LockSupport.parkNanos(randomNanos());
          end(exchange);
        });
    sendAll();
    awaitProcessed(KEYS * MESSAGES_PER_KEY);
  }

  @Test
  void preservesOrderPerKeyWithAsynchronousSteps() throws Exception {
    ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(4);
    try {
      start(
          "?concurrentConsumers=8",
          new AsyncProcessorSupport() {
            @Override
            public boolean process(Exchange exchange, AsyncCallback callback) {
              begin(exchange);
              if (ThreadLocalRandom.current().nextInt(4) == 0) {
                end(exchange);
                callback.done(true);
                return true;
              }
              scheduler.schedule(
                  () -> {
                    end(exchange);
                    callback.done(false);
                  },
                  randomNanos(),
                  TimeUnit.NANOSECONDS);
              return false;
            }
          });
      sendAll();
      awaitProcessed(KEYS * MESSAGES_PER_KEY);
    } finally {
      scheduler.shutdown();
    }
  }

  @Test
  void processesDifferentKeysConcurrently() throws Exception {
    CyclicBarrier all = new CyclicBarrier(16);
    start(
        "?concurrentConsumers=16",
        exchange -> {
          all.await(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
          processed.incrementAndGet();
        });
    for (int key = 0; key < 15; key++) {
      send("key " + key, 0);
    }
    send(null, "in its own lane");
    awaitProcessed(16);
  }

  @Test
  void processesMessagesWithoutKeyConcurrently() throws Exception {
    CyclicBarrier all = new CyclicBarrier(3);
    start(
        "",
        exchange -> {
          all.await(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
          processed.incrementAndGet();
        });
    send(null, 0);
    send(null, 0);
    send("null", 0);
    awaitProcessed(3);
  }

  @Test
  void blocksOnlyLaneOfHangingMessage() throws Exception {
    CountDownLatch hanging = new CountDownLatch(1);
    List<String> lanes = new CopyOnWriteArrayList<>();
    start(
        "?concurrentConsumers=4",
        exchange -> {
          if (exchange.getMessage().getBody().equals("hangs")) {
            hanging.await();
          }
          lanes.add(lane(exchange));
        });
    send("held", "hangs");
    for (int i = 0; i < 100; i++) {
      send("held", "waits");
      send("free " + i % 10, "continues");
    }
    await().until(() -> lanes.size() == 100);
    assertThat(lanes).doesNotContain("held");
    hanging.countDown();
    await().until(() -> lanes.size() == 201);
  }

  @Test
  void starvesNoKey() throws Exception {
    CountDownLatch filled = new CountDownLatch(1);
    List<String> lanes = new CopyOnWriteArrayList<>();
    start(
        "?concurrentConsumers=1",
        exchange -> {
          filled.await();
          lanes.add(lane(exchange));
        });
    send("first", 0);
    for (int i = 0; i < 1_000; i++) {
      send("busy", i);
    }
    send("quiet", 0);
    filled.countDown();
    await().until(() -> lanes.contains("quiet"));
    assertThat(lanes.indexOf("quiet")).isLessThan(5);
  }

  @Test
  void completesLeaseOfFailedMessage() throws Exception {
    start(
        "",
        exchange -> {
          processed.incrementAndGet();
          throw new IllegalStateException("the route fails");
        });
    send("key", 0);
    send("key", 1);
    awaitProcessed(2);
    LanesConsumer consumer = (LanesConsumer) context.getRoute(WORK).getConsumer();
    await().until(() -> consumer.getPendingExchangesSize() == 0);
  }
}
