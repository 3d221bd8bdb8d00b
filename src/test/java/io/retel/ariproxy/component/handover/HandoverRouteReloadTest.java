// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.handover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.camel.AsyncCallback;
import org.apache.camel.AsyncProcessor;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.support.AsyncProcessorSupport;
import org.apache.camel.support.DefaultConsumer;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tests replacing the called route under load: callers wait briefly, and nothing fails. */
class HandoverRouteReloadTest extends HandoverTestSupport {

  private static final int EDITS = 5;
  private static final int CALLERS = 4;

  private record Message(int caller, int number) {}

  private interface Edit {
    void apply(int number) throws Exception;
  }

  private final ScheduledExecutorService acknowledgements = Executors.newScheduledThreadPool(1);
  private final ExecutorService callerThreads = Executors.newFixedThreadPool(CALLERS + 1);
  private final Map<Integer, Integer> nextNumbers = new ConcurrentHashMap<>();
  private final AtomicInteger calledCount = new AtomicInteger();
  private final AtomicInteger completedCount = new AtomicInteger();
  private final List<String> errors = new CopyOnWriteArrayList<>();

  /** Processes a message immediately and completes it later, like a send to Kafka. */
  private final class Publish extends AsyncProcessorSupport {
    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
      Message message = exchange.getMessage().getBody(Message.class);
      int expected = nextNumbers.getOrDefault(message.caller(), 0);
      if (message.number() != expected) {
        errors.add(message + " instead of " + expected);
      }
      nextNumbers.put(message.caller(), message.number() + 1);
      calledCount.incrementAndGet();
      acknowledgements.schedule(() -> callback.done(false), 20, TimeUnit.MILLISECONDS);
      return false;
    }
  }

  @BeforeEach
  void bindPublish() {
    context.getRegistry().bind("publish", new Publish());
  }

  @AfterEach
  void stopThreads() {
    callerThreads.shutdownNow();
    acknowledgements.shutdownNow();
  }

  /** Calls about 500 times a second without waiting for completion. */
  private int callRepeatedly(int caller, AtomicBoolean edited) {
    AsyncProcessor calling =
        ((DefaultConsumer) context.getRoute("calling").getConsumer()).getAsyncProcessor();
    int number = 0;
    while (!edited.get()) {
      Exchange exchange = new DefaultExchange(context);
      exchange.getMessage().setBody(new Message(caller, number));
      number++;
      calling.process(
          exchange,
          doneSync -> {
            if (exchange.getException() != null) {
              errors.add(exchange.getException().toString());
            }
            completedCount.incrementAndGet();
          });
      LockSupport.parkNanos(1_900_000);
    }
    return number;
  }

  private void editUnderLoad(int edits, Edit edit) throws Exception {
    AtomicBoolean edited = new AtomicBoolean();
    List<CompletableFuture<Integer>> sentCounts = new ArrayList<>();
    for (int i = 0; i < CALLERS; i++) {
      int caller = i;
      sentCounts.add(
          CompletableFuture.supplyAsync(() -> callRepeatedly(caller, edited), callerThreads));
    }
    for (int i = 1; i <= edits; i++) {
      int number = i;
      int before = calledCount.get();
      CompletableFuture<Void> editDone =
          CompletableFuture.runAsync(
              () -> {
                try {
                  edit.apply(number);
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              },
              callerThreads);
      // edits complete although exchanges are always in flight
      assertThat(editDone).succeedsWithin(DefaultTimeout.DURATION);
      await().until(() -> calledCount.get() > before + 100);
    }
    edited.set(true);
    int sent = 0;
    for (CompletableFuture<Integer> caller : sentCounts) {
      sent += caller.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
    }
    int all = sent;
    await().until(() -> completedCount.get() == all);
    assertThat(errors).isEmpty();
    assertThat(calledCount).hasValue(all);
  }

  @Test
  void losesNothingWhenCalledRouteIsReplaced() throws Exception {
    context.addRoutes(callerRoute(""));
    context.addRoutes(calledRoute(CALLED, new Publish()));
    context.start();
    editUnderLoad(
        2,
        number -> {
          context.getRouteController().stopRoute(CALLED);
          context.removeRoute(CALLED);
          context.addRoutes(calledRoute(CALLED, new Publish()));
        });
  }

  @Test
  void losesNothingWhenCalledYamlRouteIsEdited() throws Exception {
    context.addRoutes(callerRoute(""));
    context.start();
    updateRoute(0);
    editUnderLoad(EDITS, this::updateRoute);
    assertThat(context.getRoute(CALLED).getDescription()).isEqualTo("edit " + EDITS);
  }

  @Test
  void losesNothingWhenCalledRouteIsSuspendedAndResumed() throws Exception {
    context.addRoutes(callerRoute(""));
    context.addRoutes(calledRoute(CALLED, new Publish()));
    context.start();
    editUnderLoad(
        2,
        number -> {
          context.getRouteController().suspendRoute(CALLED);
          context.getRouteController().resumeRoute(CALLED);
        });
  }

  @Test
  void losesNothingWhenContextIsSuspendedAndResumed() throws Exception {
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            errorHandler(noErrorHandler());
            onCompletion()
                .onFailureOnly()
                .process(exchange -> errors.add("failed: " + exchange.getMessage().getBody()));
            from("lanes:calls?concurrentConsumers=2")
                .process(exchange -> LockSupport.parkNanos(2_000_000))
                .to("handover:point?timeout=300");
          }
        });
    context.addRoutes(calledRoute(CALLED, exchange -> calledCount.incrementAndGet()));
    context.start();
    for (int i = 0; i < 1_000; i++) {
      template.sendBody("lanes:calls", i);
    }
    await().until(() -> calledCount.get() > 0);
    context.suspend();
    assertThat(calledCount.get()).isLessThan(1_000);
    context.resume();
    await().until(() -> calledCount.get() + errors.size() == 1_000);
    assertThat(errors).isEmpty();
  }

  private void updateRoute(int number) throws Exception {
    String yaml =
        """
        - route:
            id: %s
            description: edit %d
            from:
              uri: handover:point
              steps:
                - process:
                    ref: publish
        """
            .formatted(CALLED, number);
    PluginHelper.getRoutesLoader(context)
        .updateRoutes(ResourceHelper.fromString("called.camel.yaml", yaml));
  }
}
