// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static io.retel.ariproxy.routes.AddedStepsTest.EVENT;
import static io.retel.ariproxy.routes.AddedStepsTest.start;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.metrics.Meters;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Log steps of an author write lines for each message. */
class AddedLogStepsTest {

  private static final int EVENTS = 200;

  static Stream<String> steps() {
    return Stream.of(
        """
        - log:
            id: chatty
            message: chatty line
        """,
        """
        - to:
            id: chatty
            uri: log:chatty line
        """,
        """
        - toD:
            id: chatty
            uri: log:chatty line
        """,
        """
        - wireTap:
            id: chatty
            uri: log:chatty line
        """,
        """
        - doTry:
            id: try-added
            steps:
              - throwException: {exceptionType: java.io.IOException, message: broken}
            doCatch:
              - id: catch-added
                exception:
                  - java.lang.Exception
                steps:
                  - log:
                      id: chatty
                      message: chatty line
        """);
  }

  @ParameterizedTest
  @MethodSource("steps")
  void writesTenLinesASecond(String step) throws Exception {
    try (CapturedLog log = CapturedLog.asShipped();
        RoutesUnderTest routes = start("events", "publish-event", step, exchange -> {})) {
      long start = System.nanoTime();
      for (int i = 0; i < EVENTS; i++) {
        routes.sendEvent(EVENT);
      }
      long seconds = (System.nanoTime() - start) / 1_000_000_000 + 2;
      // a wireTap writes on another thread
      await()
          .untilAsserted(
              () -> assertThat(suppressed(routes, "events")).isEqualTo(EVENTS - lines(log)));
      long lines = lines(log);
      assertThat(lines).isBetween(10L, 10 * seconds);
      assertThat(routes.mappedTopic().getReceivedExchanges()).hasSize(EVENTS);
      assertThat(log.lines(Level.WARN))
          .hasSize((int) (EVENTS - lines))
          .allMatch(
              line ->
                  line.matches(
                      "Line not logged: step chatty of route events"
                          + " \\(events.camel.yaml:\\d+\\): a log step writes 10 lines a second"));
    }
  }

  /** It counts messages: one line for many. */
  @Test
  void stepThatLogsThroughputIsNotLimited() throws Exception {
    String step =
        """
        - to:
            id: chatty
            uri: log:chatty?groupSize=2
        """;
    try (CapturedLog log = CapturedLog.asShipped();
        RoutesUnderTest routes = start("events", "publish-event", step, exchange -> {})) {
      for (int i = 0; i < EVENTS; i++) {
        routes.sendEvent(EVENT);
      }
      assertThat(log.events())
          .filteredOn(event -> event.getLoggerName().equals("chatty"))
          .hasSize(EVENTS / 2);
    }
  }

  @Test
  void errorHandlerOfOwnRouteIsLimited() throws Exception {
    String yaml =
        """
        - onException:
            id: on-any
            exception:
              - java.lang.Exception
            handled: {constant: {expression: "true"}}
            steps:
              - log:
                  id: chatty
                  message: chatty line
        - route:
            id: own
            from:
              uri: direct:own
              steps:
                - throwException: {exceptionType: java.io.IOException, message: broken}
        """;
    try (CapturedLog log = CapturedLog.asShipped();
        RoutesUnderTest routes = RoutesUnderTest.start()) {
      PluginHelper.getRoutesLoader(routes.context())
          .loadRoutes(
              ResourceHelper.fromBytes(
                  "file:/own.camel.yaml", yaml.getBytes(StandardCharsets.UTF_8)));
      for (int i = 0; i < EVENTS; i++) {
        routes.context().createFluentProducerTemplate().to("direct:own").request();
      }
      assertThat(lines(log)).isBetween(10L, EVENTS - 1L);
      assertThat(suppressed(routes, "own")).isEqualTo(EVENTS - lines(log));
    }
  }

  /** An alert cannot distinguish a metric that is missing from a proxy that is. */
  @ParameterizedTest
  @EnumSource(names = {"STEPS_FAILED", "STEPS_LINES_SUPPRESSED"})
  void metricExistsWithoutAddedSteps(Meters meter) throws Exception {
    try (RoutesUnderTest routes = RoutesUnderTest.start()) {
      assertThat(
              routes
                  .context()
                  .getRegistry()
                  .lookupByNameAndType("meters", MeterRegistry.class)
                  .find(meter.meterName())
                  .counters())
          .isNotEmpty()
          .allMatch(counter -> counter.count() == 0);
    }
  }

  private static long lines(CapturedLog log) {
    return log.lines(Level.INFO).stream().filter("chatty line"::equals).count()
        + log.events().stream()
            .filter(event -> event.getLoggerName().equals("chatty line"))
            .count();
  }

  private static double suppressed(RoutesUnderTest routes, String route) {
    return Meters.STEPS_LINES_SUPPRESSED
        .counter(
            routes.context().getRegistry().lookupByNameAndType("meters", MeterRegistry.class),
            route,
            "chatty")
        .count();
  }
}
