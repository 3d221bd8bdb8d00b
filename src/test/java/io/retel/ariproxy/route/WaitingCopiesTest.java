// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.metrics.Meters;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePattern;
import org.apache.camel.Processor;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Copies of large messages wait for a route that blocks. */
class WaitingCopiesTest {

  private static final int MEGABYTE = 1 << 20;
  private static final int LIMIT = 10 * MEGABYTE;
  private static final int MESSAGES = 40;

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final CountDownLatch release = new CountDownLatch(1);
  private final ExecutorService authors = Executors.newSingleThreadExecutor();

  @AfterEach
  void stop() {
    release.countDown();
    context.stop();
    authors.shutdownNow();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "wireTap: {id: copy, uri: direct:slow}",
        "wireTap: {id: copy, uri: direct:slow, executorService: authors}",
        "to: {id: copy, uri: seda:slow}",
        "to: {id: copy, uri: 'seda:slow?size=100000'}",
        "toD: {id: copy, uri: seda:slow}"
      })
  void takeNoMoreThanTheirHeap(String step) throws Exception {
    start(step);
    int sent = 0;
    for (int i = 0; i < MESSAGES; i++) {
      Exchange message = send(2 * MEGABYTE / 5);
      if (message.getException() == null) {
        sent++;
      } else {
        assertThat(message.getException())
            .hasStackTraceContaining("Copies that wait take all of their heap, 10240 KB");
      }
    }
    // and one that its route processes
    assertThat(sent).isBetween(20, 26);
    assertThat(failures()).isEqualTo(MESSAGES - sent);

    release.countDown();
    // one of that size needs all of it
    await().until(() -> send(2 * LIMIT).getException() == null);
  }

  /** Otherwise a message of 16 MB could never be copied in a small heap. */
  @ParameterizedTest
  @ValueSource(strings = {"wireTap: {uri: direct:slow}", "to: {uri: seda:nobody}"})
  void largerCopyThanTheirHeapWaitsAlone(String step) throws Exception {
    start(step);
    assertThat(send(2 * LIMIT).getException()).isNull();
    assertThat(send(1).getException()).isNotNull();
  }

  @Test
  void stepThatWaitsForAFullQueueContinuesOnceItIsNot() throws Exception {
    start("to: {uri: 'seda:slow?blockWhenFull=true'}");
    CompletableFuture<?> sending =
        Async.run(() -> IntStream.range(0, MESSAGES).forEach(i -> send(MEGABYTE)));
    await()
        .until(
            () ->
                context
                        .getEndpoint("seda:slow?blockWhenFull=true", SedaEndpoint.class)
                        .getCurrentQueueSize()
                    >= 4);
    assertThat(sending).isNotDone();
    release.countDown();
    sending.join();
  }

  /** Otherwise a chain of queues could stop for good, and one hanging route affect others. */
  @Test
  void fullQueueDoesNotAffectAnotherOne() throws Exception {
    start("to: {uri: seda:nobody}");
    load("other", "direct:other", "to: {uri: 'seda:others?blockWhenFull=true'}");
    assertThat(send(2 * LIMIT).getException()).isNull();
    assertThat(send(1).getException()).isNotNull();
    Async.run(
            () ->
                context
                    .createFluentProducerTemplate()
                    .to("direct:other")
                    .withBody(new byte[2 * LIMIT])
                    .send())
        .join();
  }

  /** The author accepts the loss, but an operator sees it, without an alert. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "to: {id: copy, uri: 'seda:slow?discardWhenFull=true'}",
        "toD: {id: copy, uri: 'seda:slow?discardWhenFull=true'}",
        "recipientList: {id: copy, simple: 'seda:slow?discardWhenFull=true'}",
        "multicast: {steps: [{to: {id: copy, uri: 'seda:slow?discardWhenFull=true'}}]}"
      })
  void discardedCopiesAreCounted(String step) throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      start(step);
      for (int i = 0; i < MESSAGES; i++) {
        assertThat(send(MEGABYTE).getException()).isNull();
      }
      // and one that its route processes
      int waiting = queued("seda:slow?discardWhenFull=true");
      assertThat(discarded())
          .isBetween((double) MESSAGES - waiting - 1, (double) MESSAGES - waiting);
      assertThat(failures()).isZero();
      assertThat(log.lines(Level.WARN))
          .isNotEmpty()
          .allMatch(
              line ->
                  line.matches(
                      "Not copied: step copy of route own \\(own.camel.yaml:\\d+\\): Copies that"
                          + " wait take all of their heap, 10240 KB"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "to: {id: copy, uri: 'seda:nobody?discardIfNoConsumers=true'}",
        "toD: {id: copy, uri: 'seda:nobody?discardIfNoConsumers=true'}",
        "wireTap: {id: copy, uri: 'seda:nobody?discardIfNoConsumers=true'}",
        "wireTap: {id: copy, uri: 'seda:nobody?discardIfNoConsumers=true', copy: false}"
      })
  void copyWithoutReaderIsCounted(String step) throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      start(step);
      assertThat(send(1).getException()).isNull();
      await().until(() -> discarded() == 1 && !log.lines(Level.WARN).isEmpty());
      assertThat(failures()).isZero();
      assertThat(log.lines(Level.WARN))
          .singleElement()
          .asString()
          .startsWith("Not copied: step copy of route own (own.camel.yaml:")
          .endsWith("): no route reads the queue");
    }
  }

  @Test
  void copyWithReaderIsNotCounted() throws Exception {
    start("to: {id: copy, uri: 'seda:slow?discardIfNoConsumers=true'}");
    assertThat(send(1).getException()).isNull();
    assertThat(discarded()).isZero();
    assertThat(failures()).isZero();
  }

  /** Such as by the end of the route that sends. */
  @ParameterizedTest
  @ValueSource(strings = {"blockWhenFull=true", "blockWhenFull=true&offerTimeout=60000"})
  void copyWhoseSenderIsInterruptedIsCounted(String options) throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      start("to: {id: copy, uri: 'seda:nobody?%s'}".formatted(options));
      send(2 * LIMIT);
      Thread sender = new Thread(() -> send(MEGABYTE));
      sender.start();
      await().until(() -> sender.getState() == Thread.State.TIMED_WAITING);
      sender.interrupt();
      sender.join();
      assertThat(failures()).isOne();
      assertThat(log.lines(Level.WARN))
          .singleElement()
          .asString()
          .endsWith(": Interrupted while the queue was full");
    }
  }

  @Test
  void copiesOfPurgedQueueAreCounted() throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      start("to: {id: copy, uri: seda:purged}");
      load("purged", "seda:purged?pollTimeout=50&purgeWhenStopping=true", "process: {ref: block}");
      sendUntilOneIsProcessed("seda:purged", 10);
      context.getRouteController().stopRoute("purged", 100, TimeUnit.MILLISECONDS);
      assertThat(discarded()).isEqualTo(9);
      assertThat(failures()).isZero();
      assertThat(log.lines(Level.WARN)).anyMatch(line -> isDropped(line, 9));
    }
  }

  /** The route that reads them has no time to do so. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "to: {id: copy, uri: seda:slow}",
        "wireTap: {id: copy, uri: seda:slow}",
        "recipientList: {id: copy, simple: 'seda:slow'}"
      })
  void queuedCopiesAreCountedAtStop(String step) throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      start(step);
      sendUntilOneIsProcessed("seda:slow?pollTimeout=50", 10);
      context.stop();
      assertThat(failures()).isEqualTo(9);
      assertThat(log.lines(Level.WARN)).anyMatch(line -> isDropped(line, 9));
    }
  }

  @Test
  void tappedCopiesAreCountedAtStop() throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      start("wireTap: {id: copy, uri: direct:slow}");
      for (int i = 0; i < 30; i++) {
        send(1);
      }
      context.stop();
      // ten threads send one each, and are interrupted
      assertThat(log.lines(Level.WARN)).anyMatch(line -> isDropped(line, 20));
      assertThat(failures()).isBetween(20.0, 30.0);
    }
  }

  /** A bean makes them, for example. */
  @Test
  void copiesOfUnknownStepAreCounted() throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      start("to: {id: copy, uri: mock:nothing}");
      for (int i = 0; i < 3; i++) {
        context
            .createFluentProducerTemplate()
            .to("seda:nobody?size=2&discardWhenFull=true")
            .withBody("x")
            .send();
      }
      context.stop();
      assertThat(Meters.STEPS_COPIES_DISCARDED.counter(meters, "none", "none").count()).isOne();
      assertThat(Meters.STEPS_FAILED.counter(meters, "none", "none").count()).isEqualTo(2);
      assertThat(log.lines(Level.WARN))
          .containsSequence(
              "Not copied: to seda://nobody: Queue full: 2 copies wait",
              "Not copied: to seda://nobody: 2 copies waited when their route ended");
    }
  }

  /** An edit of its file stops and removes a route. */
  @Test
  void queueKeepsCopiesWhileItsRouteIsReplaced() throws Exception {
    start("to: {id: copy, uri: seda:slow}");
    sendUntilOneIsProcessed("seda:slow?pollTimeout=50", 10);
    context.getRouteController().stopRoute("slow", 100, TimeUnit.MILLISECONDS);
    context.removeRoute("slow");
    AtomicInteger read = new AtomicInteger();
    Processor count = exchange -> read.incrementAndGet();
    context.getRegistry().bind("count", count);
    load("other", "seda:slow?pollTimeout=50", "process: {ref: count}");
    await().until(() -> read.get() == 9);
    context.stop();
    assertThat(failures()).isZero();
  }

  /** Their threads do not end with the route. */
  @Test
  void copiesInThreadsOfAuthorAreNotCountedAsDropped() throws Exception {
    start("wireTap: {id: copy, uri: direct:slow, executorService: authors}");
    for (int i = 0; i < 10; i++) {
      send(1);
    }
    context.getRouteController().stopRoute("own", 100, TimeUnit.MILLISECONDS);
    context.removeRoute("own");
    assertThat(failures()).isZero();
  }

  /** An edit of its file stops and removes a route. */
  @Test
  void copiesOfRemovedRouteAreCountedAndTakeNoHeap() throws Exception {
    String step = "wireTap: {id: copy, uri: direct:slow}";
    try (CapturedLog log = new CapturedLog()) {
      start(step);
      for (int i = 0; i < 30; i++) {
        send(100_000);
      }
      context.getRouteController().stopRoute("own");
      context.removeRoute("own");
      // ten threads send one each
      assertThat(log.lines(Level.WARN))
          .anyMatch(
              line ->
                  line.matches(
                      "Not copied: step copy of route own \\(own.camel.yaml:\\d+\\): 20 copies"
                          + " waited when their route ended"));
      assertThat(failures()).isBetween(20.0, 30.0);
      load("own", "direct:own", step);
      assertThat(send(2 * LIMIT).getException()).isNull();
    }
  }

  /** As many of them wait as there are senders. */
  @Test
  void messagesWhoseSenderWaitsAreNotCounted() throws Exception {
    CopyQueue queue =
        new CopyQueue(
            3,
            new CopyHeap(LIMIT),
            new DroppedCopies(
                Meters.STEPS_FAILED.counter(meters, "none", "none"),
                Meters.STEPS_COPIES_DISCARDED.counter(meters, "none", "none")));
    queue.add(message(ExchangePattern.InOnly));
    queue.add(message(ExchangePattern.InOut));
    assertThatThrownBy(() -> queue.add(message(ExchangePattern.InOnly)))
        .isInstanceOf(CopyRefusedException.class);
    queue.put(message(ExchangePattern.InOut));
    assertThatThrownBy(() -> queue.add(message(ExchangePattern.InOut)))
        .isInstanceOf(IllegalStateException.class)
        .isNotInstanceOf(CopyRefusedException.class)
        .hasMessage("Queue full: 3 copies wait");
    queue.clear();
    assertThat(queue.offer(message(ExchangePattern.InOnly), 1, TimeUnit.SECONDS)).isTrue();
  }

  private Exchange message(ExchangePattern pattern) {
    Exchange message = new DefaultExchange(context, pattern);
    message.getMessage().setBody(new byte[2 * LIMIT]);
    return message;
  }

  /** Sends messages, and waits until the route has taken the first one from its queue. */
  private void sendUntilOneIsProcessed(String queue, int messages) {
    for (int i = 0; i < messages; i++) {
      send(1);
    }
    await().until(() -> queued(queue) == messages - 1);
  }

  private int queued(String uri) {
    return context.getEndpoint(uri, SedaEndpoint.class).getQueue().size();
  }

  private static boolean isDropped(String line, int copies) {
    return line.matches(
        "Not copied: step copy of route own \\(own.camel.yaml:\\d+\\): %d copies waited when their route ended"
            .formatted(copies));
  }

  private double failures() {
    return Meters.STEPS_FAILED.counter(meters, "own", "copy").count();
  }

  private double discarded() {
    return Meters.STEPS_COPIES_DISCARDED.counter(meters, "own", "copy").count();
  }

  private Exchange send(int bytes) {
    return context.createFluentProducerTemplate().to("direct:own").withBody(new byte[bytes]).send();
  }

  private void start(String step) throws Exception {
    new AddedSteps(meters, LIMIT, rejection -> false, stopped -> {}).watch(context);
    Processor block = exchange -> release.await();
    context.getRegistry().bind("block", block);
    context.getRegistry().bind("authors", authors);
    load("own", "direct:own", step);
    load(
        "slow",
        step.contains("seda:slow") ? "seda:slow?pollTimeout=50" : "direct:slow",
        "process: {ref: block}");
    context.getShutdownStrategy().setTimeout(1);
    context.start();
  }

  private void load(String id, String uri, String step) throws Exception {
    String yaml =
        """
        - route:
            id: %s
            from:
              uri: %s
              steps:
                - %s
        """
            .formatted(id, uri, step);
    PluginHelper.getRoutesLoader(context)
        .loadRoutes(
            ResourceHelper.fromBytes(
                "file:/" + id + ".camel.yaml", yaml.getBytes(StandardCharsets.UTF_8)));
  }
}
