// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.command.CommandRejectedException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.metrics.Meters;
import java.net.ConnectException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Processor;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Steps that an author has added to the shipped routes fail, refuse or stop. */
class AddedStepsTest {

  private static final String EVENT =
      "{\"type\":\"StasisStart\",\"application\":\"app\",\"channel\":{\"id\":\"c\"}}";
  private static final String ORIGINATE =
      "{'callContext':'call','commandId':'id','ariCommand':{'method':'POST',"
          + "'url':'/channels?endpoint=PJSIP/1&app=app'}}";

  private static final String ADDED =
      """
              - process:
                  id: added
                  ref: addedStep
      """;

  private static final String STOP =
      """
              - stop:
                  id: added-stop
      """;

  private final AtomicInteger runs = new AtomicInteger();

  /** What Asterisk's client, the store and Kafka's client throw as well. */
  static List<Exception> failures() {
    return List.of(
        new ConnectException("Connection refused"),
        new RecordTooLargeException("too large"),
        new IllegalStateException("broken"));
  }

  @Test
  void errorInEventsNamesStepInsteadOfKafka() throws Exception {
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = failing("events", "build-event-envelope", failures().get(0))) {
      routes.sendEvent(EVENT);
      assertThat(log.lines(Level.ERROR))
          .singleElement()
          .asString()
          .matches(
              "Event not published: call context \\S+, step added of route events"
                  + " \\(events.camel.yaml:\\d+\\) failed: java.net.ConnectException: Connection"
                  + " refused; correct the step, or catch its errors in the route");
      assertThat(routes.counterValue(Meters.EVENTS_LOST)).isOne();
      assertThat(failedSteps(routes)).isOne();
    }
  }

  @ParameterizedTest
  @MethodSource("failures")
  void errorBeforeTheRequestYields500(Exception failure) throws Exception {
    try (RoutesUnderTest routes = failing("execute-command", "check-command", failure)) {
      Response response = responseTo(routes, ORIGINATE);
      response.assertStatus(500);
      assertThat(response.outcome()).isEqualTo("not_sent");
      assertThat(response.message())
          .startsWith("Failed: step added of route execute-command (execute-command.camel.yaml:")
          .endsWith(failure.getMessage());
      assertThat(runs).as("no retry").hasValue(1);
      assertThat(routes.ari().getReceivedExchanges()).isEmpty();
    }
  }

  /** As if it came from Asterisk, it would be retried, and the command executed again. */
  @ParameterizedTest
  @MethodSource("failures")
  void errorAfterTheRequestYields504(Exception failure) throws Exception {
    try (RoutesUnderTest routes = failing("execute-command", "build-response", failure)) {
      respond(routes);
      Response response = responseTo(routes, ORIGINATE);
      response.assertStatus(504);
      assertThat(response.outcome()).isEqualTo("unknown");
      assertThat(response.message()).contains("step added of route execute-command");
      assertThat(runs).hasValue(1);
      assertThat(routes.ari().getReceivedExchanges()).hasSize(1);
    }
  }

  @ParameterizedTest
  @MethodSource("failures")
  void errorAfterTheResponseKeepsIt(Exception failure) throws Exception {
    try (RoutesUnderTest routes = failing("execute-command", "publish-response", failure)) {
      respond(routes);
      responseTo(routes, ORIGINATE).assertStatus(200);
      assertThat(routes.ari().getReceivedExchanges()).hasSize(1);
    }
  }

  /** It fails once: the RESPONSE is published again. */
  @ParameterizedTest
  @MethodSource("failures")
  void errorInPublishKeepsTheResponse(Exception failure) throws Exception {
    try (RoutesUnderTest routes =
        start(
            "publish",
            "select-topic",
            ADDED,
            exchange -> {
              if (runs.incrementAndGet() == 1) {
                throw failure;
              }
            })) {
      respond(routes);
      responseTo(routes, ORIGINATE).assertStatus(200);
      assertThat(routes.ari().getReceivedExchanges()).hasSize(1);
    }
  }

  @Test
  void genericCommandIsNotReleasedByErrorAfterTheRequest() throws Exception {
    try (RoutesUnderTest routes = failing("execute-command", "build-response", failures().get(0))) {
      respond(routes);
      routes.sendGenericCommand(ORIGINATE);
      routes.awaitResponse();
      routes.response().assertStatus(504);
      assertThat(routes.offset().released()).isFalse();
    }
  }

  @Test
  void rejectionAfterTheRequestYields504() throws Exception {
    try (RoutesUnderTest routes =
        failing("execute-command", "build-response", new CommandRejectedException(403, "no"))) {
      respond(routes);
      Response response = responseTo(routes, ORIGINATE);
      response.assertStatus(504);
      assertThat(failedSteps(routes)).isZero();
    }
  }

  @Test
  void caughtErrorIsForgotten() throws Exception {
    String caught =
        """
              - doTry:
                  id: try-added
                  steps:
                    - process:
                        id: added
                        ref: addedStep
                  doCatch:
                    - id: catch-added
                      exception:
                        - java.lang.Exception
                      steps:
                        - log: caught
        """;
    try (RoutesUnderTest routes =
        start(
            "execute-command",
            "check-command",
            caught,
            exchange -> {
              throw failures().get(0);
            })) {
      routes
          .ari()
          .whenAnyExchangeReceived(
              exchange -> exchange.setException(new ConnectException("Connection refused")));
      Response response = responseTo(routes, ORIGINATE);
      response.assertStatus(503);
      assertThat(response.message()).startsWith("Asterisk could not be reached");
      assertThat(failedSteps(routes)).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "events, resolve-call-context",
    "events, build-event-envelope",
    "events, publish-event",
    "publish, select-topic"
  })
  void stoppedEventIsDroppedNotPublished(String route, String before) throws Exception {
    try (RoutesUnderTest routes = start(route, before, STOP, exchange -> {})) {
      routes.sendEvent(EVENT);
      assertThat(routes.mappedTopic().getReceivedExchanges()).isEmpty();
      assertThat(routes.counterValue(Meters.EVENTS_DROPPED)).isOne();
      assertThat(routes.counterValue(Meters.EVENTS_PUBLISHED)).isZero();
    }
  }

  @Test
  void stoppedResponseIsLost() throws Exception {
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = start("publish", "select-topic", STOP, exchange -> {})) {
      respond(routes);
      routes.sendCommand(ORIGINATE);
      routes.awaitResponse();
      assertThat(routes.counterValue(Meters.RESPONSES_LOST)).isOne();
      assertThat(routes.counterValue(Meters.COMMANDS_COMPLETED)).isZero();
      assertThat(routes.counterValue(Meters.EVENTS_DROPPED)).isZero();
      assertThat(log.lines(Level.ERROR))
          .singleElement()
          .asString()
          .startsWith("step added-stop of route publish (publish.camel.yaml:")
          .contains("without a RESPONSE");
    }
  }

  private RoutesUnderTest failing(String route, String before, Exception failure) throws Exception {
    return start(
        route,
        before,
        ADDED,
        exchange -> {
          runs.incrementAndGet();
          throw failure;
        });
  }

  /** Starts the routes with a step before another one. */
  private static RoutesUnderTest start(
      String route, String before, String step, Processor addedStep) throws Exception {
    List<String> edited = new ArrayList<>();
    RoutesUnderTest routes =
        RoutesUnderTest.start(
            Map.of(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, "generic-commands"),
            (file, yaml) -> {
              if (!file.equals(route + ".camel.yaml")) {
                return yaml;
              }
              edited.add(file);
              return insert(yaml, before, step);
            },
            Map.of("addedStep", addedStep));
    assertThat(edited).hasSize(1);
    return routes;
  }

  private static String insert(String yaml, String before, String step) {
    List<String> lines = new ArrayList<>(yaml.lines().toList());
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).strip().equals("id: " + before)) {
        // the line before is the one of the step's kind
        String kind = lines.get(i - 1);
        String indentation = kind.substring(0, kind.indexOf('-'));
        String first = step.substring(0, step.indexOf('-'));
        lines.addAll(
            i - 1, step.lines().map(line -> indentation + line.substring(first.length())).toList());
        return String.join("\n", lines) + "\n";
      }
    }
    throw new IllegalArgumentException("no step " + before);
  }

  private static double failedSteps(RoutesUnderTest routes) {
    return routes
        .context()
        .getRegistry()
        .lookupByNameAndType("meters", MeterRegistry.class)
        .find(Meters.STEPS_FAILED.meterName())
        .counters()
        .stream()
        .mapToDouble(Counter::count)
        .sum();
  }

  private static void respond(RoutesUnderTest routes) {
    routes.ari().whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, 200, "{}"));
  }

  private static Response responseTo(RoutesUnderTest routes, String command) {
    routes.sendCommand(command);
    routes.awaitResponse();
    return routes.response();
  }
}
