// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.AsyncProcessorSupport;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands and events in steps that block: an author's, and those that wait for Asterisk. */
class BlockedStepsTest {

  private static final Duration MIN_AGE = Duration.ofSeconds(4);

  private static final Duration LONG_AGE = Duration.ofMinutes(1);

  private final AtomicLong nanoTime = new AtomicLong(Long.MAX_VALUE - 1);
  private final CountDownLatch release = new CountDownLatch(1);
  private final AtomicInteger blocked = new AtomicInteger();
  private final DefaultCamelContext context = new DefaultCamelContext();
  private final AddedSteps steps =
      new AddedSteps(
          new SimpleMeterRegistry(), 1 << 20, rejection -> false, stopped -> {}, nanoTime::get);
  private final RunningSteps running = steps.running();

  @AfterEach
  void stop() {
    release.countDown();
    context.stop();
  }

  @Test
  void namesAddedStepOfCommandWithFile() throws Exception {
    block("execute-command", "process: {id: added, ref: block}");
    assertThat(blockedCommand()).as("too early").isEmpty();
    pass(Duration.ofSeconds(5));
    assertThat(running.blockedCommand(MIN_AGE))
        .contains(
            new RunningSteps.Blocked(
                "step added of route execute-command (execute-command.camel.yaml:5)",
                Duration.ofSeconds(5)));
    assertThat(running.blockedEvent(MIN_AGE)).isEmpty();
    release.countDown();
    await().until(() -> blockedCommand().isEmpty());
  }

  @Test
  void namesStepOfCommandInPublish() throws Exception {
    block(
        "execute-command",
        "to: {id: publish-response, uri: direct:publish}",
        "publish",
        "process: {id: added, ref: block}");
    pass(MIN_AGE);
    assertThat(blockedCommand()).contains("step added of route publish (publish.camel.yaml:");
  }

  @Test
  void namesInnermostStepThatBlocks() throws Exception {
    block(
        "execute-command",
        "filter: {id: around, simple: {expression: 'true'}, steps: [process: {id: added, ref: block}]}");
    pass(MIN_AGE);
    assertThat(blockedCommand()).contains("step added of");
  }

  @Test
  void namesStepOfRouteThatCommandsPass() throws Exception {
    block(
        "execute-command",
        "to: {id: added, uri: direct:own}",
        "own",
        "process: {id: slow, ref: block}");
    pass(MIN_AGE);
    assertThat(blockedCommand()).contains("step slow of route own (own.camel.yaml:");
  }

  /** Asterisk, the store and Kafka are reported as such. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "process: {id: send-ari-request, ref: block}",
        "process: {id: register-created-resources, ref: block}",
        "filter: {id: around, simple: {expression: 'true'}, steps: [process: {id: send-ari-request, ref: block}]}",
        "doTry: {id: around, steps: [process: {id: send-ari-request, ref: block}], doCatch: [{id: catch, exception: [java.lang.Exception], steps: [log: {message: failed}]}]}"
      })
  void shippedStepIsNotBlamedOnOneAroundIt(String step) throws Exception {
    block("execute-command", step);
    pass(Duration.ofMinutes(1));
    assertThat(blockedCommand()).isEmpty();
  }

  /** Neither commands nor events wait for them. */
  @ParameterizedTest
  @ValueSource(strings = {"wireTap: {id: copy, uri: direct:own}", "to: {id: copy, uri: seda:own}"})
  void copyThatBlocksIsNotOne(String step) throws Exception {
    block("execute-command", step, "own", "process: {id: slow, ref: block}");
    pass(Duration.ofMinutes(1));
    assertThat(blockedCommand()).isEmpty();
  }

  @Test
  void messageOfOwnRouteIsNoCommand() throws Exception {
    block("own", "process: {id: slow, ref: block}");
    pass(Duration.ofMinutes(1));
    assertThat(blockedCommand()).isEmpty();
    assertThat(running.blockedEvent(MIN_AGE)).isEmpty();
  }

  @Test
  void namesAddedStepOfEvent() throws Exception {
    block("events", "process: {id: added, ref: block}");
    pass(MIN_AGE);
    assertThat(running.blockedEvent(MIN_AGE).map(RunningSteps.Blocked::place))
        .contains("step added of route events (events.camel.yaml:5)");
    assertThat(blockedCommand()).isEmpty();
  }

  /** Its events do not wait for it: a new route processes them. */
  @Test
  void eventOfReplacedRouteIsNotOne() throws Exception {
    block("events", "process: {id: added, ref: block}");
    context.getRouteController().stopRoute("events", 1, TimeUnit.MILLISECONDS);
    context.getRouteController().startRoute("events");
    pass(LONG_AGE);
    assertThat(running.blockedEvent(MIN_AGE)).isEmpty();
    assertThat(running.blockedOthers(LONG_AGE))
        .extracting(RunningSteps.Blocked::place)
        .containsExactly("step added of route events (events.camel.yaml:5)");
  }

  @Test
  void namesStepOfOwnRoute() throws Exception {
    block("own", "process: {id: slow, ref: block}");
    pass(Duration.ofSeconds(59));
    assertThat(running.blockedOthers(LONG_AGE)).as("too early").isEmpty();
    pass(Duration.ofSeconds(1));
    assertThat(running.blockedOthers(LONG_AGE))
        .containsExactly(
            new RunningSteps.Blocked("step slow of route own (own.camel.yaml:5)", LONG_AGE));
  }

  @ParameterizedTest
  @ValueSource(strings = {"commands", "events"})
  void messageOfShippedRouteIsReportedAsSuchOnly(String route) throws Exception {
    block(route, "process: {id: added, ref: block}");
    pass(LONG_AGE);
    assertThat(running.blockedOthers(LONG_AGE)).isEmpty();
  }

  @Test
  void namesStepOfCopyThatBlocks() throws Exception {
    block(
        "execute-command",
        "wireTap: {id: copy, uri: direct:own}",
        "own",
        "process: {id: slow, ref: block}");
    pass(LONG_AGE);
    assertThat(running.blockedOthers(LONG_AGE))
        .extracting(RunningSteps.Blocked::place)
        .containsExactly("step slow of route own (own.camel.yaml:5)");
  }

  /** A step that calls its own route never ends, and each call takes heap. */
  @ParameterizedTest
  @ValueSource(strings = {"events", "own"})
  void endlessLoopFails(String route) throws Exception {
    steps.watch(context);
    load(route, "direct", "to: {id: once-more, uri: direct:%s}".formatted(route));
    context.getShutdownStrategy().setTimeout(1);
    context.start();
    Exchange exchange =
        context
            .createProducerTemplate()
            .asyncSend("direct:" + route, message -> {})
            .get(20, TimeUnit.SECONDS);
    assertThat(exchange.getException())
        .hasMessage("endless loop: the message is in 1,000 added steps, one within the other");
    assertThat(AddedSteps.failed(exchange, exchange.getException()))
        .contains("step once-more of route %s (%s.camel.yaml:5)".formatted(route, route));
  }

  /** Its copies are not in a step of the message any more. */
  @Test
  void loopThroughQueueContinues() throws Exception {
    CountDownLatch rounds = new CountDownLatch(5_000);
    context.getRegistry().bind("count", (Processor) exchange -> rounds.countDown());
    steps.watch(context);
    load(
        "own",
        "seda",
        "process: {id: count, ref: count}\n        - to: {id: again, uri: seda:own}");
    context.getShutdownStrategy().setTimeout(1);
    context.start();
    context.createProducerTemplate().sendBody("seda:own", "");
    assertThat(rounds.await(30, TimeUnit.SECONDS)).isTrue();
  }

  /** A check must not become longer by the square of what is in flight. */
  @Test
  @Timeout(30)
  void findsStepAmongManyQuickly() {
    for (int i = 0; i < 50_000; i++) {
      running.start(new DefaultExchange(context), "step " + i);
    }
    pass(LONG_AGE);
    Exchange last = new DefaultExchange(context);
    running.start(last, "outer");
    running.start(last, "inner");
    assertThat(running.of(last)).contains("inner");
    assertThat(running.blockedOthers(LONG_AGE)).hasSize(50_000);
  }

  /** It has ended, without a callback. */
  @Test
  void stepThatThrowsAnErrorIsNotOne() throws Exception {
    context.getRegistry().bind("broken", new BrokenProcessor());
    steps.watch(context);
    load("execute-command", "direct", "process: {id: added, ref: broken}");
    context.start();
    context.createProducerTemplate().asyncSendBody("direct:execute-command", "");
    await().until(() -> blocked.get() > 0);
    pass(MIN_AGE);
    await().until(() -> blockedCommand().isEmpty());
  }

  /** Other kinds of steps catch errors. */
  private final class BrokenProcessor extends AsyncProcessorSupport {

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
      blocked.incrementAndGet();
      throw new NoClassDefFoundError("org/example/Missing");
    }
  }

  private String blockedCommand() {
    return running.blockedCommand(MIN_AGE).map(RunningSteps.Blocked::place).orElse("");
  }

  private void pass(Duration time) {
    nanoTime.addAndGet(time.toNanos());
  }

  /**
   * Sends a message to the first route, and waits until it blocks.
   *
   * @param routesAndSteps ids of routes, each with its step
   */
  private void block(String... routesAndSteps) throws Exception {
    Processor block =
        exchange -> {
          blocked.incrementAndGet();
          release.await();
        };
    context.getRegistry().bind("block", block);
    steps.watch(context);
    for (int i = 0; i < routesAndSteps.length; i += 2) {
      String route = routesAndSteps[i];
      boolean queued = i == 2 && routesAndSteps[1].contains("seda:");
      load(route, queued ? "seda" : "direct", routesAndSteps[i + 1]);
    }
    context.getShutdownStrategy().setTimeout(1);
    context.start();
    context.createProducerTemplate().asyncSendBody("direct:" + routesAndSteps[0], "");
    await().until(() -> blocked.get() > 0);
  }

  private void load(String route, String scheme, String step) throws Exception {
    String yaml =
        """
        - route:
            id: %s
            from:
              uri: %s:%s
              steps:
                - %s
        """
            .formatted(
                route, scheme, route + (scheme.equals("seda") ? "?pollTimeout=50" : ""), step);
    PluginHelper.getRoutesLoader(context)
        .loadRoutes(
            ResourceHelper.fromBytes(
                "file:/" + route + ".camel.yaml", yaml.getBytes(StandardCharsets.UTF_8)));
  }
}
