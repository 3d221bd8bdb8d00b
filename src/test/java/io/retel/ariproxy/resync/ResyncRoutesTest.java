// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.route.MockedSteps;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The steps of a resync, with mocks. */
class ResyncRoutesTest {

  @AutoClose private MockedSteps steps;

  @BeforeEach
  void start() throws Exception {
    steps =
        new MockedSteps(
                "recordGapStart",
                "startResync",
                "findMissedEvents",
                "publishMissed",
                "buildEventEnvelope",
                "handleResyncFailure")
            .add(new ResyncErrors(), new ResyncRoutes())
            .mockStep("publish-missed-events", "publish-missed-event");
    steps.start();
  }

  @Test
  void recordsGapStartOnDisconnect() {
    steps.send("handover:resync", "CamelAhcWsEvent", "DISCONNECTED");
    assertThat(steps.calls()).containsExactly("recordGapStart");
  }

  @ParameterizedTest
  @ValueSource(strings = {"CONNECTED", Resync.FINDINGS})
  void comparesAndPublishesAfterConnectAndWithLateFindings(String event) {
    steps.send("handover:resync", "CamelAhcWsEvent", event);
    assertThat(steps.calls()).containsExactly("startResync", "findMissedEvents", "publishMissed");
  }

  @Test
  void handlesFailure() {
    steps
        .mock("findMissedEvents")
        .whenAnyExchangeReceived(
            exchange -> {
              throw new IllegalStateException("failed");
            });
    Exchange exchange = steps.send("handover:resync", "CamelAhcWsEvent", "CONNECTED");
    assertThat(exchange.getException()).isNull();
    assertThat(steps.calls()).endsWith("handleResyncFailure").doesNotContain("publishMissed");
  }

  @Test
  void publishesMissedEventInEnvelope() {
    steps.send("handover:publish-missed-events", "any", "value");
    assertThat(steps.calls()).containsExactly("buildEventEnvelope", "publish-missed-event");
  }
}
