// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.command.CommandRejectedException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.route.AddedSteps;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.support.AsyncProcessorSupport;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps that an author has added to the shipped routes fail, refuse or stop. */
class AddedStepsTest {

  static final String EVENT =
      "{\"type\":\"StasisStart\",\"application\":\"app\",\"channel\":{\"id\":\"c\"}}";
  static final String ORIGINATE =
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

  /** Where a step is: Camel treats the steps of blocks differently. */
  enum Form {
    PLAIN("%s"),
    FILTER(
        """
        - filter:
            id: added-filter
            simple: {expression: "true"}
            steps:
              %s"""),
    WHEN(
        """
        - choice:
            id: added-choice
            when:
              - id: added-when
                simple: {expression: "true"}
                steps:
                  %s"""),
    OTHERWISE(
        """
        - choice:
            id: added-choice
            when:
              - id: added-when
                simple: {expression: "false"}
                steps:
                  - log: never
            otherwise:
              id: added-otherwise
              steps:
                %s""");

    private final String block;

    Form(String block) {
      this.block = block;
    }

    /** Returns a step in this form. */
    String of(String step) {
      int start = block.indexOf("%s");
      int margin = start - (block.lastIndexOf('\n', start) + 1);
      return block.formatted(withMargin(step, margin).strip()) + "\n";
    }
  }

  private final AtomicInteger runs = new AtomicInteger();

  private static final Exception REFUSED = new ConnectException("Connection refused");

  /** What Asterisk's client, the store and Kafka's client throw as well, in each form. */
  static Stream<Arguments> failures() {
    return Stream.concat(
        Stream.of(Form.values()).map(form -> Arguments.of(form, REFUSED)),
        Stream.of(
            Arguments.of(Form.PLAIN, new RecordTooLargeException("too large")),
            Arguments.of(Form.PLAIN, new IllegalStateException("broken"))));
  }

  @ParameterizedTest
  @EnumSource
  void errorInEventsNamesStepInsteadOfKafka(Form form) throws Exception {
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = failing("events", "build-event-envelope", form, REFUSED)) {
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
  void errorBeforeTheRequestYields500(Form form, Exception failure) throws Exception {
    try (RoutesUnderTest routes = failing("execute-command", "check-command", form, failure)) {
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

  /** As Camel's HTTP component: the URL has the number that a caller dials, and a key. */
  private static final Exception NOT_FOUND =
      new IOException(
          "HTTP operation failed invoking http://crm:18080/v2/493012345/calls?key=top&n=493012345"
              + " with statusCode: 404");

  private static final String NOT_FOUND_WITHOUT_NUMBERS =
      "HTTP operation failed invoking http://crm:18080/v2/***/calls?*** with statusCode: 404";

  @Test
  void errorHasNoNumbersOfUrl() throws Exception {
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes =
            failing("execute-command", "check-command", Form.PLAIN, NOT_FOUND)) {
      assertThat(responseTo(routes, ORIGINATE).message()).endsWith(NOT_FOUND_WITHOUT_NUMBERS);
      assertThat(log.lines(Level.WARN))
          .anyMatch(line -> line.contains(NOT_FOUND_WITHOUT_NUMBERS))
          .noneMatch(line -> line.contains("493012345"));
    }
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = failing("events", "build-event-envelope", Form.PLAIN, NOT_FOUND)) {
      routes.sendEvent(EVENT);
      assertThat(log.lines(Level.ERROR))
          .singleElement()
          .asString()
          .contains(NOT_FOUND_WITHOUT_NUMBERS);
    }
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = failing("commands", "parse-command", Form.PLAIN, NOT_FOUND)) {
      routes.sendCommand(ORIGINATE);
      // with the line of Camel, whose stack trace the encoder changes
      assertThat(log.lines(Level.ERROR))
          .filteredOn(line -> line.startsWith("RESPONSE not published: "))
          .singleElement()
          .asString()
          .contains(NOT_FOUND_WITHOUT_NUMBERS);
    }
  }

  /** As if it came from Asterisk, it would be retried, and the command executed again. */
  @ParameterizedTest
  @MethodSource("failures")
  void errorAfterTheRequestYields504(Form form, Exception failure) throws Exception {
    try (RoutesUnderTest routes = failing("execute-command", "build-response", form, failure)) {
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
  void errorAfterTheResponseKeepsIt(Form form, Exception failure) throws Exception {
    try (RoutesUnderTest routes = failing("execute-command", "publish-response", form, failure)) {
      respond(routes);
      responseTo(routes, ORIGINATE).assertStatus(200);
      assertThat(routes.ari().getReceivedExchanges()).hasSize(1);
    }
  }

  /** It fails once: the RESPONSE is published again. */
  @ParameterizedTest
  @MethodSource("failures")
  void errorInPublishKeepsTheResponse(Form form, Exception failure) throws Exception {
    try (RoutesUnderTest routes =
        start(
            "publish",
            "select-topic",
            form.of(ADDED),
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
    try (RoutesUnderTest routes =
        failing("execute-command", "build-response", Form.FILTER, REFUSED)) {
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
        failing(
            "execute-command",
            "build-response",
            Form.FILTER,
            new CommandRejectedException(403, "no"))) {
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
              throw REFUSED;
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
    "events, resolve-call-context, PLAIN",
    "events, build-event-envelope, FILTER",
    "events, publish-event, OTHERWISE",
    "publish, select-topic, WHEN"
  })
  void stoppedEventIsDroppedNotPublished(String route, String before, Form form) throws Exception {
    assertDropped(route, before, form.of(STOP));
  }

  @ParameterizedTest
  @CsvSource({"events, build-event-envelope", "publish, select-topic"})
  void eventStoppedWithinDoTryIsDropped(String route, String before) throws Exception {
    assertDropped(
        route,
        before,
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
                  - stop:
                      id: added-stop
        """);
  }

  private static void assertDropped(String route, String before, String step) throws Exception {
    try (RoutesUnderTest routes =
        start(
            route,
            before,
            step,
            exchange -> {
              throw REFUSED;
            })) {
      routes.sendEvent(EVENT);
      assertThat(routes.mappedTopic().getReceivedExchanges()).isEmpty();
      assertThat(routes.counterValue(Meters.EVENTS_DROPPED)).isOne();
      assertThat(routes.counterValue(Meters.EVENTS_PUBLISHED)).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  void stoppedResponseIsLost(Form form) throws Exception {
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = start("publish", "select-topic", form.of(STOP), exchange -> {})) {
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

  /** As if it came from Asterisk, the controller would have to expect a call. */
  @ParameterizedTest
  @EnumSource
  void errorInCommandsYields500(Form form) throws Exception {
    try (RoutesUnderTest routes = failing("commands", "queue-command", form, REFUSED)) {
      Response response = responseTo(routes, ORIGINATE);
      response.assertStatus(500);
      assertThat(response.outcome()).isEqualTo("not_sent");
      assertThat(response.message())
          .startsWith("Failed: step added of route commands (commands.camel.yaml:");
      assertThat(routes.ari().getReceivedExchanges()).isEmpty();
    }
  }

  @Test
  void rejectionInCommandsIsOne() throws Exception {
    try (RoutesUnderTest routes =
        failing(
            "commands", "queue-command", Form.FILTER, new CommandRejectedException(403, "no"))) {
      Response response = responseTo(routes, ORIGINATE);
      response.assertStatus(403);
      assertThat(response.outcome()).isEqualTo("not_sent");
    }
  }

  @Test
  void lostResponseNamesStepInsteadOfKafka() throws Exception {
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = failing("publish", "select-topic", Form.FILTER, REFUSED)) {
      respond(routes);
      routes.sendCommand(ORIGINATE);
      routes.awaitResponse();
      assertThat(runs).hasValue(3);
      assertThat(routes.counterValue(Meters.RESPONSES_LOST)).isOne();
      assertThat(log.lines(Level.ERROR))
          .filteredOn(line -> line.startsWith("RESPONSE not published"))
          .singleElement()
          .asString()
          .contains(", step added of route publish (publish.camel.yaml:", "correct the step")
          .doesNotContain("max.message.bytes");
    }
  }

  static Stream<Arguments> outcomes() {
    Processor refused =
        exchange -> {
          throw REFUSED;
        };
    Processor lost =
        exchange -> {
          throw new SocketTimeoutException("Read timed out");
        };
    return Stream.of(
        Arguments.of(respondingWith(200), "answered 200 true"),
        Arguments.of(respondingWith(404), "answered 404 true"),
        Arguments.of(refused, "not_sent 503 false"),
        Arguments.of(lost, "unknown 504 true"));
  }

  private static Processor respondingWith(int status) {
    return exchange -> RoutesUnderTest.respond(exchange, status, "{}");
  }

  @ParameterizedTest
  @MethodSource("outcomes")
  void stepsOfPublishReadOutcome(Processor asterisk, String outcome) throws Exception {
    String step =
        """
        - setHeader:
            id: add-outcome
            name: outcome
            simple:
              expression: "${exchangeProperty.outcome} ${exchangeProperty.outcome.status} ${exchangeProperty.outcome.sent}"
        """;
    try (RoutesUnderTest routes = start("publish", "select-topic", step, exchange -> {})) {
      routes.ari().whenAnyExchangeReceived(asterisk);
      responseTo(routes, ORIGINATE);
      assertThat(routes.mappedTopic().getReceivedExchanges())
          .extracting(record -> record.getMessage().getHeader("outcome"))
          .containsExactly(outcome);
      routes.reset();
      routes.sendEvent(EVENT);
      assertThat(routes.mappedTopic().getReceivedExchanges()).as("not set for events").hasSize(1);
    }
  }

  /** The command would never end, nor the later ones of its call start. */
  @ParameterizedTest
  @CsvSource({"commands, queue-command", "execute-command, check-command"})
  void errorOfTheVirtualMachineYields500(String route, String before) throws Exception {
    Processor broken =
        new AsyncProcessorSupport() {
          @Override
          public boolean process(Exchange exchange, AsyncCallback callback) {
            throw new NoClassDefFoundError("org/example/Missing");
          }
        };
    try (RoutesUnderTest routes = start(route, before, ADDED, broken)) {
      Response response = responseTo(routes, ORIGINATE);
      response.assertStatus(500);
      assertThat(response.message()).contains("step added of route " + route);
      assertThat(routes.ari().getReceivedExchanges()).isEmpty();
    }
  }

  /** The reason for the RESPONSE is not that for its loss. */
  @ParameterizedTest
  @CsvSource({"commands, queue-command", "execute-command, check-command"})
  void lostResponseNamesKafkaInsteadOfStep(String route, String before) throws Exception {
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = failing(route, before, Form.PLAIN, REFUSED)) {
      routes
          .mappedTopic()
          .whenAnyExchangeReceived(
              exchange -> exchange.setException(new TopicAuthorizationException("denied")));
      routes.sendCommand(ORIGINATE);
      routes.awaitResponse();
      assertThat(routes.counterValue(Meters.RESPONSES_LOST)).isOne();
      assertThat(log.lines(Level.ERROR))
          .filteredOn(line -> line.startsWith("RESPONSE not published"))
          .singleElement()
          .asString()
          .contains("TopicAuthorizationException", "max.message.bytes")
          .doesNotContain("step added");
    }
  }

  @Test
  void errorInPublishKeepsTheRecordedResponse() throws Exception {
    AtomicInteger failing = new AtomicInteger();
    try (RoutesUnderTest routes =
        start(
            "publish",
            "select-topic",
            ADDED,
            exchange -> {
              if (runs.incrementAndGet() == failing.get()) {
                throw REFUSED;
              }
            },
            Map.of(Setting.COMMANDS_DEDUP_WINDOW, "60s"))) {
      respond(routes);
      responseTo(routes, ORIGINATE).assertStatus(200);
      for (int duplicate = 1; duplicate <= 2; duplicate++) {
        routes.reset();
        failing.set(duplicate == 1 ? runs.get() + 1 : 0);
        responseTo(routes, ORIGINATE).assertStatus(200);
        assertThat(routes.ari().getReceivedExchanges()).isEmpty();
      }
    }
  }

  /** Nothing is lost then. */
  @Test
  void repeatedStepThatSucceedsHasNotFailed() throws Exception {
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = RoutesUnderTest.start()) {
      addOwnRoute(routes, 2);
      routes.context().createFluentProducerTemplate().to("direct:own").request();
      assertThat(runs).hasValue(2);
      assertThat(failedSteps(routes)).isZero();
      assertThat(log.lines(Level.WARN)).isEmpty();
    }
  }

  @Test
  void stepOfOwnRouteFailsOnceForAMessage() throws Exception {
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = RoutesUnderTest.start()) {
      addOwnRoute(routes, 9);
      Exchange exchange =
          routes.context().createProducerTemplate().request("direct:own", message -> {});
      assertThat(runs).hasValue(4);
      assertThat(exchange.getProperty("seen"))
          .asString()
          .startsWith("step process of route own (own.camel.yaml:");
      assertThat(failedSteps(routes)).isOne();
      assertThat(log.lines(Level.WARN))
          .singleElement()
          .asString()
          .startsWith("Failed: step process of route own (own.camel.yaml:");
    }
  }

  /** Otherwise an error of Kafka would be one of its author. */
  @ParameterizedTest
  @ValueSource(strings = {"publish-missed-events", "resync"})
  void copyOfCompiledRouteHasNoAddedSteps(String id) throws Exception {
    Path copy = Path.of("docs", "compiled-routes", id + ".camel.yaml");
    try (RoutesUnderTest routes = RoutesUnderTest.start()) {
      RouteBuilder builder =
          (RouteBuilder)
              PluginHelper.getRoutesLoader(routes.context())
                  .findRoutesBuilders(
                      List.of(
                          ResourceHelper.fromBytes(
                              "file:/" + copy.getFileName(), Files.readAllBytes(copy))))
                  .iterator()
                  .next();
      RouteDefinition route = builder.configureRoutes(routes.context()).getRoutes().get(0);
      new AddedSteps(new SimpleMeterRegistry(), 0, rejection -> false, stopped -> {})
          .onAddRouteDefinition(route);
      assertThat(route.getOutputs())
          .isNotEmpty()
          .allMatch(step -> step.getInterceptStrategies().isEmpty());
    }
  }

  /** Camel numbers such routes later. */
  @ParameterizedTest
  @ValueSource(strings = {"own.camel.yaml", "events.camel.yaml"})
  void routeWithoutIdLoads(String file) throws Exception {
    String yaml =
        """
        - from:
            uri: direct:no-id
            steps:
              - throwException: {exceptionType: java.io.IOException, message: broken}
        """;
    try (CapturedLog log = new CapturedLog();
        RoutesUnderTest routes = RoutesUnderTest.start()) {
      PluginHelper.getRoutesLoader(routes.context())
          .loadRoutes(
              ResourceHelper.fromBytes("file:/" + file, yaml.getBytes(StandardCharsets.UTF_8)));
      routes.context().createProducerTemplate().request("direct:no-id", message -> {});
      assertThat(failedSteps(routes)).isOne();
      if (file.startsWith("own")) {
        assertThat(log.lines(Level.WARN))
            .anyMatch(
                line ->
                    line.startsWith(
                        "Failed: step throwException of route unnamed (own.camel.yaml:"));
      }
    }
  }

  /** A route with retries and a dead-letter route, whose step succeeds at the nth attempt. */
  private void addOwnRoute(RoutesUnderTest routes, int successfulAttempt) throws Exception {
    Processor step =
        exchange -> {
          if (runs.incrementAndGet() < successfulAttempt) {
            throw REFUSED;
          }
        };
    routes.context().getRegistry().bind("ownStep", step);
    String yaml =
        """
        - route:
            id: own
            errorHandler:
              deadLetterChannel:
                deadLetterUri: direct:undelivered
                redeliveryPolicy:
                  maximumRedeliveries: 3
                  redeliveryDelay: 1
                  logRetryAttempted: false
                  logExhausted: false
            from:
              uri: direct:own
              steps:
                - filter:
                    simple: {expression: "true"}
                    steps:
                      - process: {ref: ownStep}
        - route:
            id: undelivered
            from:
              uri: direct:undelivered
              steps:
                - setBody: {constant: {expression: "lost"}}
                - setProperty: {name: seen, simple: {expression: "${exchangeProperty.failedStep}"}}
        """;
    PluginHelper.getRoutesLoader(routes.context())
        .loadRoutes(
            ResourceHelper.fromBytes(
                "file:/own.camel.yaml", yaml.getBytes(StandardCharsets.UTF_8)));
  }

  private RoutesUnderTest failing(String route, String before, Form form, Exception failure)
      throws Exception {
    return start(
        route,
        before,
        form.of(ADDED),
        exchange -> {
          runs.incrementAndGet();
          throw failure;
        });
  }

  /** Starts the routes with a step before another one. */
  static RoutesUnderTest start(String route, String before, String step, Processor addedStep)
      throws Exception {
    return start(route, before, step, addedStep, Map.of());
  }

  private static RoutesUnderTest start(
      String route,
      String before,
      String step,
      Processor addedStep,
      Map<Setting<?>, String> overrides)
      throws Exception {
    List<String> edited = new ArrayList<>();
    Map<Setting<?>, String> settings = new HashMap<>(overrides);
    settings.put(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, "generic-commands");
    RoutesUnderTest routes =
        RoutesUnderTest.start(
            settings,
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
        lines.addAll(i - 1, withMargin(step, lines.get(i - 1).indexOf('-')).lines().toList());
        return String.join("\n", lines) + "\n";
      }
    }
    throw new IllegalArgumentException("no step " + before);
  }

  /** Returns a step with this number of spaces before it. */
  private static String withMargin(String step, int margin) {
    return step.indent(margin - Math.max(step.indexOf('-'), 0));
  }

  static double failedSteps(RoutesUnderTest routes) {
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

  static void respond(RoutesUnderTest routes) {
    routes.ari().whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, 200, "{}"));
  }

  static Response responseTo(RoutesUnderTest routes, String command) {
    routes.sendCommand(command);
    routes.awaitResponse();
    return routes.response();
  }
}
