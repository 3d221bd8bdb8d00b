// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static io.retel.ariproxy.routes.AddedStepsTest.EVENT;
import static io.retel.ariproxy.routes.AddedStepsTest.ORIGINATE;
import static io.retel.ariproxy.routes.AddedStepsTest.failedSteps;
import static io.retel.ariproxy.routes.AddedStepsTest.respond;
import static io.retel.ariproxy.routes.AddedStepsTest.responseTo;
import static io.retel.ariproxy.routes.AddedStepsTest.start;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.command.CommandRejectedException;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.metrics.Meters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps of an author in the shipped routes copy messages: no copy affects its message. */
class AddedCopiesTest {

  private static final String QUEUED =
      """
              - to:
                  id: queue-copy
                  uri: seda:copies?size=2
      """;

  private static final String TAPPED =
      """
              - wireTap:
                  id: send-copy
                  uri: bean:addedStep
      """;

  private static final Processor UNUSED = exchange -> {};

  private final AtomicInteger sent = new AtomicInteger();

  private final Processor refused =
      exchange -> {
        sent.incrementAndGet();
        throw new ConnectException("Connection refused");
      };

  /** A copy that nobody has read would never complete its message, nor the offset. */
  @Test
  void queuedCopyOfCommandDoesNotCompleteIt() throws Exception {
    try (RoutesUnderTest routes = start("execute-command", "check-command", QUEUED, UNUSED)) {
      respond(routes);
      responseTo(routes, ORIGINATE).assertStatus(200);
      assertThat(queued(routes)).isOne();
      assertThat(routes.counterValue(Meters.COMMANDS_COMPLETED)).isOne();
    }
  }

  @ParameterizedTest
  @CsvSource({"events, build-event-envelope", "events, publish-event", "publish, select-topic"})
  void queuedCopyOfEventDoesNotCompleteIt(String route, String before) throws Exception {
    try (RoutesUnderTest routes = start(route, before, QUEUED, UNUSED)) {
      sendEvents(routes, 1);
      assertThat(queued(routes)).isOne();
      assertThat(routes.counterValue(Meters.EVENTS_PUBLISHED)).isOne();
    }
  }

  /**
   * Camel gives a copy the error handler of its route, which would publish a RESPONSE, or release
   * the command.
   */
  @ParameterizedTest
  @CsvSource({
    "execute-command, check-command, own",
    "execute-command, build-response, own",
    "execute-command, check-command, generic",
    "execute-command, build-response, generic",
    "execute-command, publish-response, generic",
    "publish, select-topic, generic"
  })
  void tappedCopyThatFailsDoesNotAffectItsCommand(String route, String before, String topic)
      throws Exception {
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = start(route, before, TAPPED, refused)) {
      respond(routes);
      if (topic.equals("own")) {
        routes.sendCommand(ORIGINATE);
      } else {
        routes.sendGenericCommand(ORIGINATE);
      }
      await().until(() -> sent.get() > 0);
      routes.awaitResponse();
      routes.response().assertStatus(200);
      assertThat(sent).as("no retry").hasValue(1);
      assertThat(routes.ari().getReceivedExchanges()).hasSize(1);
      assertThat(routes.offset().released()).isFalse();
      assertThat(routes.counterValue(Meters.RESPONSES_LOST)).isZero();
      assertNotCopied(routes, log, route);
    }
  }

  @ParameterizedTest
  @CsvSource({"events, build-event-envelope", "events, publish-event", "publish, select-topic"})
  void tappedCopyThatFailsDoesNotAffectItsEvent(String route, String before) throws Exception {
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = start(route, before, TAPPED, refused)) {
      sendEvents(routes, 1);
      await().until(() -> sent.get() > 0 && routes.context().getInflightRepository().size() == 0);
      assertThat(routes.mappedTopic().getReceivedExchanges()).hasSize(1);
      assertThat(routes.counterValue(Meters.EVENTS_PUBLISHED)).isOne();
      assertThat(routes.counterValue(Meters.EVENTS_LOST)).isZero();
      assertNotCopied(routes, log, route);
    }
  }

  @Test
  void fullQueueLosesCopiesInsteadOfEvents() throws Exception {
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = start("events", "publish-event", QUEUED, UNUSED)) {
      sendEvents(routes, 5);
      assertThat(queued(routes)).isEqualTo(2);
      assertThat(routes.mappedTopic().getReceivedExchanges()).hasSize(5);
      assertThat(routes.counterValue(Meters.EVENTS_PUBLISHED)).isEqualTo(5);
      assertThat(routes.counterValue(Meters.EVENTS_LOST)).isZero();
      assertThat(failedSteps(routes)).isEqualTo(3);
      assertThat(log.lines(Level.WARN))
          .hasSize(3)
          .allMatch(
              line ->
                  line.matches(
                      "Not copied: step queue-copy of route events \\(events.camel.yaml:\\d+\\):"
                          + " Queue full: 2 copies wait"));
      assertThat(log.lines(Level.ERROR)).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "seda:copies?size=2",
        "seda:copies?size=2&blockWhenFull=true&offerTimeout=10",
        "seda:copies?size=2&discardWhenFull=true"
      })
  void fullQueueLosesCopiesInsteadOfCommands(String uri) throws Exception {
    String step = QUEUED.replace("seda:copies?size=2", uri);
    try (RoutesUnderTest routes = start("execute-command", "build-response", step, UNUSED)) {
      respond(routes);
      for (int i = 0; i < 4; i++) {
        routes.reset();
        respond(routes);
        responseTo(routes, ORIGINATE).assertStatus(200);
      }
      double discarded =
          routes.counterValue(Meters.STEPS_COPIES_DISCARDED, "execute-command", "queue-copy");
      assertThat(discarded).isEqualTo(uri.contains("discardWhenFull") ? 2 : 0);
      assertThat(failedSteps(routes)).isEqualTo(2 - discarded);
    }
  }

  /** A controller chooses its size. */
  @Test
  void heapOfQueuedCopyIncludesItsCommand() throws Exception {
    String text = "a".repeat(50_000);
    String command =
        ORIGINATE
            .replace("'id'", "{'id':'%s'}".formatted(text))
            .replace("PJSIP/1", "PJSIP/" + text.substring(0, 3_900));
    try (RoutesUnderTest routes = start("execute-command", "check-command", QUEUED, UNUSED)) {
      respond(routes);
      responseTo(routes, command).assertStatus(200);
      assertThat(
              routes
                  .context()
                  .getEndpoint("seda:copies?size=2", SedaEndpoint.class)
                  .getExchanges()
                  .get(0)
                  .getProperty("AriProxyQueuedBytes", long.class))
          .isGreaterThan(2L * (50_000 + 3_900));
    }
  }

  /** The forms of a step that waits for the reply of a queue's route. */
  static Stream<String> awaited() {
    return Stream.of(
        "to: {id: ask, uri: 'seda:ask?timeout=200', pattern: InOut}",
        "to: {id: ask, uri: 'seda:ask?timeout=200&exchangePattern=InOut'}",
        "to: {id: ask, uri: 'seda:ask?timeout=200&waitForTaskToComplete=Always'}",
        "toD: {id: ask, uri: 'seda:ask?timeout=200', pattern: InOut}",
        "toD: {id: ask, uri: 'seda:ask?timeout=200&waitForTaskToComplete=Always'}");
  }

  @ParameterizedTest
  @MethodSource("awaited")
  void commandIsNotSentIfRouteThatAnswersFails(String step) throws Exception {
    Response response =
        responseWithAnswer(
            step,
            exchange -> {
              throw new ConnectException("Connection refused");
            });
    response.assertStatus(500);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(response.message()).contains("Connection refused");
  }

  @ParameterizedTest
  @MethodSource("awaited")
  void commandIsNotSentIfRouteThatAnswersRejectsIt(String step) throws Exception {
    Response response =
        responseWithAnswer(
            step,
            exchange -> {
              throw new CommandRejectedException(403, "no");
            });
    response.assertStatus(403);
  }

  @ParameterizedTest
  @MethodSource("awaited")
  void commandIsNotSentIfRouteThatAnswersTakesTooLong(String step) throws Exception {
    // no route reads the queue
    try (RoutesUnderTest routes =
        start("execute-command", "check-command", "- " + step + "\n", UNUSED)) {
      Response response = responseTo(routes, ORIGINATE);
      response.assertStatus(500);
      assertThat(response.outcome()).isEqualTo("not_sent");
      assertThat(routes.ari().getReceivedExchanges()).isEmpty();
    }
  }

  /** The copy that is refused is one of the answering route, whose later steps do not run. */
  @ParameterizedTest
  @MethodSource("awaited")
  void commandIsNotSentIfRouteThatAnswersCannotCopy(String step) throws Exception {
    try (RoutesUnderTest routes =
        start("execute-command", "check-command", "- " + step + "\n", UNUSED)) {
      fill(routes, "seda:nobody?size=1");
      addOwnRoute(
          routes,
          "seda:ask?pollTimeout=50",
          "to: {id: queue, uri: 'seda:nobody?size=1', pattern: InOnly}");
      assertNotSent(routes, "step queue of route own");
    }
  }

  @ParameterizedTest
  @MethodSource("awaited")
  void commandIsNotSentIfQueueOfRouteThatAnswersIsFull(String step) throws Exception {
    String small = step.replace("timeout=200", "timeout=200&size=1");
    try (RoutesUnderTest routes =
        start("execute-command", "check-command", "- " + small + "\n", UNUSED)) {
      fill(routes, "seda:ask?size=1");
      assertNotSent(routes, "step ask of route execute-command");
    }
  }

  private static Response responseWithAnswer(String step, Processor answer) throws Exception {
    try (RoutesUnderTest routes =
        start("execute-command", "check-command", "- " + step + "\n", answer)) {
      addOwnRoute(routes, "seda:ask?pollTimeout=50", "process: {id: answer, ref: addedStep}");
      Response response = responseTo(routes, ORIGINATE);
      assertThat(routes.ari().getReceivedExchanges()).isEmpty();
      return response;
    }
  }

  /** Later steps of the called route, such as a check, would not run. */
  @Test
  void commandIsNotSentIfCalledRouteCannotCopy() throws Exception {
    try (RoutesUnderTest routes =
        start("execute-command", "check-command", "- to: {id: call, uri: direct:own}\n", UNUSED)) {
      fill(routes, "seda:nobody?size=1");
      addOwnRoute(routes, "direct:own", "to: {id: queue, uri: 'seda:nobody?size=1'}");
      assertNotSent(routes, "step queue of route own");
    }
  }

  private static void fill(RoutesUnderTest routes, String queue) throws IOException {
    try (ProducerTemplate template = routes.context().createProducerTemplate()) {
      template.sendBody(queue, "other");
    }
  }

  private static void assertNotSent(RoutesUnderTest routes, String step) {
    Response response = responseTo(routes, ORIGINATE);
    response.assertStatus(500);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(response.message()).contains(step, "Queue full");
    assertThat(routes.ari().getReceivedExchanges()).isEmpty();
  }

  /** Camel's default lets the thread of the events send the copies that find no place. */
  @Test
  void floodOfTappedCopiesDelaysNoEvent() throws Exception {
    int events = 1_100;
    CountDownLatch release = new CountDownLatch(1);
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes =
            start("events", "publish-event", TAPPED, exchange -> release.await())) {
      assertTimeoutPreemptively(DefaultTimeout.DURATION, () -> sendEvents(routes, events));
      assertThat(routes.mappedTopic().getReceivedExchanges()).hasSize(events);
      assertThat(routes.counterValue(Meters.EVENTS_LOST)).isZero();
      // of Camel's 1,000 places, and 20 threads
      assertThat(failedSteps(routes)).isBetween(80.0, 100.0);
      assertThat(log.lines(Level.WARN))
          .allMatch(line -> line.contains(": Queue full: 1") && line.endsWith(" copies wait"));
      release.countDown();
    } finally {
      release.countDown();
    }
  }

  private static void assertNotCopied(RoutesUnderTest routes, CapturedLog log, String route) {
    assertThat(failedSteps(routes)).isOne();
    assertThat(log.lines(Level.ERROR)).isEmpty();
    assertThat(log.lines(Level.WARN))
        .singleElement()
        .asString()
        .startsWith(
            "Not copied: step send-copy of route %s (%s.camel.yaml:".formatted(route, route))
        .endsWith("java.net.ConnectException: Connection refused");
  }

  /** Its error is reported once, as one of the route that it is in. */
  @Test
  void tappedCopyThatFailsInOwnRouteIsCountedThere() throws Exception {
    String tapped =
        """
                - wireTap:
                    id: send-copy
                    uri: direct:own
        """;
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = start("execute-command", "check-command", tapped, refused)) {
      addOwnRoute(routes, "direct:own", "process: {id: send, ref: addedStep}");
      respond(routes);
      responseTo(routes, ORIGINATE).assertStatus(200);
      await().until(() -> failedSteps(routes) == 1);
      assertThat(log.lines(Level.WARN))
          .singleElement()
          .asString()
          .startsWith("Failed: step send of route own (own.camel.yaml:");
    }
  }

  /** Otherwise the copy of an author's queue would be handled twice. */
  @Test
  void routeOfAuthorReadsQueuedCopies() throws Exception {
    try (RoutesUnderTest routes = start("events", "publish-event", QUEUED, UNUSED)) {
      addOwnRoute(
          routes,
          "seda:copies",
          "throwException: {exceptionType: java.io.IOException, message: broken}");
      sendEvents(routes, 1);
      await().until(() -> failedSteps(routes) == 1);
      assertThat(queued(routes)).isZero();
      assertThat(routes.counterValue(Meters.EVENTS_PUBLISHED)).isOne();
      assertThat(routes.counterValue(Meters.EVENTS_LOST)).isZero();
    }
  }

  private static void addOwnRoute(RoutesUnderTest routes, String uri, String step)
      throws Exception {
    String yaml =
        """
        - route:
            id: own
            from:
              uri: %s
              steps:
                - %s
        """
            .formatted(uri, step);
    PluginHelper.getRoutesLoader(routes.context())
        .loadRoutes(
            ResourceHelper.fromBytes(
                "file:/own.camel.yaml", yaml.getBytes(StandardCharsets.UTF_8)));
  }

  /** As the websocket does: without waiting for a reply. */
  private static void sendEvents(RoutesUnderTest routes, int count) {
    try (ProducerTemplate template = routes.context().createProducerTemplate()) {
      for (int i = 0; i < count; i++) {
        template.sendBody("direct:asterisk", EVENT);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int queued(RoutesUnderTest routes) {
    return routes
        .context()
        .getEndpoint("seda:copies?size=2", SedaEndpoint.class)
        .getExchanges()
        .size();
  }
}
