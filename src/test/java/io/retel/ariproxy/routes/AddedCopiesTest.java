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

import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.metrics.Meters;
import java.nio.charset.StandardCharsets;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Steps of an author in the shipped routes copy messages: no copy affects its message. */
class AddedCopiesTest {

  private static final String QUEUED =
      """
              - to:
                  id: queue-copy
                  uri: seda:copies?size=2
      """;

  private static final Processor UNUSED = exchange -> {};

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

  /** Otherwise the copy of an author's queue would be handled twice. */
  @Test
  void routeOfAuthorReadsQueuedCopies() throws Exception {
    try (RoutesUnderTest routes = start("events", "publish-event", QUEUED, UNUSED)) {
      PluginHelper.getRoutesLoader(routes.context())
          .loadRoutes(
              ResourceHelper.fromBytes(
                  "file:/own.camel.yaml",
                  """
                  - route:
                      id: own
                      from:
                        uri: seda:copies
                        steps:
                          - throwException: {exceptionType: java.io.IOException, message: broken}
                  """
                      .getBytes(StandardCharsets.UTF_8)));
      sendEvents(routes, 1);
      await().until(() -> failedSteps(routes) == 1);
      assertThat(queued(routes)).isZero();
      assertThat(routes.counterValue(Meters.EVENTS_PUBLISHED)).isOne();
      assertThat(routes.counterValue(Meters.EVENTS_LOST)).isZero();
    }
  }

  /** As the websocket does: without waiting for a reply. */
  private static void sendEvents(RoutesUnderTest routes, int count) {
    try (ProducerTemplate template = routes.context().createProducerTemplate()) {
      for (int i = 0; i < count; i++) {
        template.sendBody("direct:asterisk", EVENT);
      }
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
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
