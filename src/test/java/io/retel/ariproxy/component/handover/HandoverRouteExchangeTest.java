package io.retel.ariproxy.component.handover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.Patience;
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

/** The called route is exchanged under load: callers wait a little, nothing fails. */
class HandoverRouteExchangeTest extends HandoverTestSupport {

  private static final int EDITS = 5;
  private static final int CALLERS = 4;

  private record Message(int caller, int number) {}

  private interface Edit {
    void make(int number) throws Exception;
  }

  private final ScheduledExecutorService acknowledgements = Executors.newScheduledThreadPool(1);
  private final ExecutorService callers = Executors.newFixedThreadPool(CALLERS + 1);
  private final Map<Integer, Integer> next = new ConcurrentHashMap<>();
  private final AtomicInteger called = new AtomicInteger();
  private final AtomicInteger answered = new AtomicInteger();
  private final List<String> faults = new CopyOnWriteArrayList<>();

  /** Sees a message at once and is through with it later, as a send to Kafka is. */
  private final class Publish extends AsyncProcessorSupport {
    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
      Message message = exchange.getMessage().getBody(Message.class);
      int expected = next.getOrDefault(message.caller(), 0);
      if (message.number() != expected) {
        faults.add(message + " instead of " + expected);
      }
      next.put(message.caller(), message.number() + 1);
      called.incrementAndGet();
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
    callers.shutdownNow();
    acknowledgements.shutdownNow();
  }

  /** Calls about 500 times a second and does not wait for the answers. */
  private int call(int caller, AtomicBoolean edited) {
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
              faults.add(exchange.getException().toString());
            }
            answered.incrementAndGet();
          });
      LockSupport.parkNanos(1_900_000);
    }
    return number;
  }

  private void editUnderLoad(int edits, Edit edit) throws Exception {
    AtomicBoolean edited = new AtomicBoolean();
    List<CompletableFuture<Integer>> calling = new ArrayList<>();
    for (int i = 0; i < CALLERS; i++) {
      int caller = i;
      calling.add(CompletableFuture.supplyAsync(() -> call(caller, edited), callers));
    }
    for (int i = 1; i <= edits; i++) {
      int number = i;
      int before = called.get();
      CompletableFuture<Void> made =
          CompletableFuture.runAsync(
              () -> {
                try {
                  edit.make(number);
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              },
              callers);
      // something is always in flight, and yet it does not take for ever
      assertThat(made).succeedsWithin(Patience.LIMIT);
      await().until(() -> called.get() > before + 100);
    }
    edited.set(true);
    int sent = 0;
    for (CompletableFuture<Integer> caller : calling) {
      sent += caller.get(Patience.SECONDS, TimeUnit.SECONDS);
    }
    int all = sent;
    await().until(() -> answered.get() == all);
    assertThat(faults).isEmpty();
    assertThat(called).hasValue(all);
  }

  @Test
  void losesNothingWhenTheCalledRouteIsReplaced() throws Exception {
    context.addRoutes(calling(""));
    context.addRoutes(called(CALLED, new Publish()));
    context.start();
    editUnderLoad(
        2,
        number -> {
          context.getRouteController().stopRoute(CALLED);
          context.removeRoute(CALLED);
          context.addRoutes(called(CALLED, new Publish()));
        });
  }

  @Test
  void losesNothingWhenTheCalledYamlRouteIsEdited() throws Exception {
    context.addRoutes(calling(""));
    context.start();
    update(0);
    editUnderLoad(EDITS, this::update);
    assertThat(context.getRoute(CALLED).getDescription()).isEqualTo("edit " + EDITS);
  }

  @Test
  void losesNothingWhenTheCalledRouteIsSuspendedAndResumed() throws Exception {
    context.addRoutes(calling(""));
    context.addRoutes(called(CALLED, new Publish()));
    context.start();
    editUnderLoad(
        2,
        number -> {
          context.getRouteController().suspendRoute(CALLED);
          context.getRouteController().resumeRoute(CALLED);
        });
  }

  @Test
  void losesNothingWhenTheContextIsSuspendedAndResumed() throws Exception {
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            errorHandler(noErrorHandler());
            onCompletion()
                .onFailureOnly()
                .process(exchange -> faults.add("failed: " + exchange.getMessage().getBody()));
            from("lanes:calls?concurrentConsumers=2")
                .process(exchange -> LockSupport.parkNanos(2_000_000))
                .to("handover:seam?timeout=300");
          }
        });
    context.addRoutes(called(CALLED, exchange -> called.incrementAndGet()));
    context.start();
    for (int i = 0; i < 1_000; i++) {
      template.sendBody("lanes:calls", i);
    }
    await().until(() -> called.get() > 0);
    context.suspend();
    assertThat(called.get()).isLessThan(1_000);
    context.resume();
    await().until(() -> called.get() + faults.size() == 1_000);
    assertThat(faults).isEmpty();
  }

  private void update(int number) throws Exception {
    String yaml =
        """
        - route:
            id: %s
            description: edit %d
            from:
              uri: handover:seam
              steps:
                - process:
                    ref: publish
        """
            .formatted(CALLED, number);
    PluginHelper.getRoutesLoader(context)
        .updateRoutes(ResourceHelper.fromString("called.camel.yaml", yaml));
  }
}
