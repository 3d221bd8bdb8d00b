// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.support.AsyncProcessorSupport;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.Test;

/**
 * Stops and replacements of the consuming route under load: nothing is lost, duplicated or
 * reordered.
 */
class LanesRouteReloadTest extends LanesTestSupport {

  private static final int EDITS = 2;

  private interface Edit {
    void apply(int number) throws Exception;
  }

  private void editUnderLoad(Edit edit) throws Exception {
    AtomicBoolean edited = new AtomicBoolean();
    CompletableFuture<Integer> sent =
        Async.supply(
            () -> {
              int count = 0;
              while (!edited.get()) {
                send("key " + count % 20, count / 20);
                count++;
                // about 2,000 per second
                LockSupport.parkNanos(400_000);
              }
              return count;
            });
    for (int i = 1; i <= EDITS; i++) {
      int before = processed.get();
      edit.apply(i);
      await().until(() -> processed.get() > before + 100);
    }
    edited.set(true);
    awaitProcessed(sent.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS));
  }

  private void simulateWork(Exchange exchange, long nanos) {
    begin(exchange);
    LockSupport.parkNanos(nanos);
    end(exchange);
  }

  @Test
  void losesNothingWhenStoppedAndStarted() throws Exception {
    start("", exchange -> simulateWork(exchange, 1_000_000));
    editUnderLoad(
        number -> {
          context.getRouteController().stopRoute(WORK);
          context.getRouteController().startRoute(WORK);
        });
  }

  @Test
  void losesNothingWhenSuspendedAndResumed() throws Exception {
    start("", exchange -> simulateWork(exchange, 1_000_000));
    editUnderLoad(
        number -> {
          context.getRouteController().suspendRoute(WORK);
          context.getRouteController().resumeRoute(WORK);
        });
  }

  @Test
  void losesNothingWhenReplaced() throws Exception {
    start("", exchange -> simulateWork(exchange, 1_000_000));
    editUnderLoad(
        number -> {
          context.getRouteController().stopRoute(WORK);
          context.removeRoute(WORK);
          context.addRoutes(
              workRoute(
                  "?concurrentConsumers=" + 8 * number,
                  exchange -> simulateWork(exchange, 500_000)));
        });
  }

  @Test
  void losesNothingWhenAsynchronousYamlRouteIsEdited() throws Exception {
    ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(2);
    Processor worker =
        new AsyncProcessorSupport() {
          @Override
          public boolean process(Exchange exchange, AsyncCallback callback) {
            begin(exchange);
            scheduler.schedule(
                () -> {
                  end(exchange);
                  callback.done(false);
                },
                5,
                TimeUnit.MILLISECONDS);
            return false;
          }
        };
    try {
      context.getRegistry().bind("worker", worker);
      context.addRoutes(queueingRoute());
      context.start();
      updateRoute(0);
      editUnderLoad(this::updateRoute);
      assertThat(context.getRoute(WORK).getDescription()).isEqualTo("edit " + EDITS);
    } finally {
      scheduler.shutdown();
    }
  }

  @Test
  void retainsQueuedMessagesWhileRouteIsRemoved() throws Exception {
    start("", exchange -> simulateWork(exchange, 0));
    context.getRouteController().stopRoute(WORK);
    context.removeRoute(WORK);
    for (int i = 0; i < 100; i++) {
      send("key", i);
    }
    context.addRoutes(workRoute("", exchange -> simulateWork(exchange, 0)));
    awaitProcessed(100);
  }

  @Test
  void stopWaitsForLeasedMessage() throws Exception {
    CountDownLatch blocked = new CountDownLatch(1);
    start(
        "",
        exchange -> {
          begin(exchange);
          blocked.await();
          end(exchange);
        });
    send("key", 0);
    send("key", 1);
    LanesConsumer consumer = (LanesConsumer) context.getRoute(WORK).getConsumer();
    await().until(() -> consumer.getPendingExchangesSize() == 1);
    CompletableFuture<Void> stop =
        Async.run(
            () -> {
              try {
                context.getRouteController().stopRoute(WORK);
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            });
    await().until(consumer::isSuspended);
    assertThat(stop).isNotDone();
    blocked.countDown();
    assertThat(stop).succeedsWithin(DefaultTimeout.DURATION);
    assertThat(processed).hasValue(1);
    context.getRouteController().startRoute(WORK);
    awaitProcessed(2);
  }

  private void updateRoute(int number) throws Exception {
    String yaml =
        """
        - route:
            id: %s
            description: edit %d
            from:
              uri: lanes:queue
              steps:
                - process:
                    ref: worker
        """
            .formatted(WORK, number);
    PluginHelper.getRoutesLoader(context)
        .updateRoutes(ResourceHelper.fromString("work.camel.yaml", yaml));
  }
}
