// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.route.MockedSteps;
import io.retel.ariproxy.route.PropagateErrors;
import java.util.List;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The steps of a resync, with mocks. */
class ResyncRoutesTest {

  @AutoClose private MockedSteps steps;

  @BeforeEach
  void start() throws Exception {
    steps =
        new MockedSteps(
                "recordGapStart",
                "startResync",
                "listMedia",
                "buildMediaRequest",
                "recordEndedMedia",
                "findMissedEvents",
                "publishMissed",
                "listMissingSubscriptions",
                "buildSubscriptionRequest",
                "checkSubscriptionResponse",
                "buildEventEnvelope",
                "handleResyncFailure")
            .add(new PropagateErrors(), new ResyncErrors(), new ResyncRoutes())
            .mockStep("query-asterisk", "get-asterisk-info")
            .mockStep("query-asterisk", "list-applications")
            .mockStep("query-asterisk", "list-channels")
            .mockStep("query-asterisk", "list-bridges")
            .mockStep("find-ended-media", "get-media")
            .mockStep("restore-subscriptions", "send-subscription-request")
            .mockStep("publish-missed-events", "publish-missed-event");
    steps
        .mock("listMedia")
        .whenAnyExchangeReceived(exchange -> exchange.getMessage().setBody(List.of("a", "b")));
    steps
        .mock("listMissingSubscriptions")
        .whenAnyExchangeReceived(exchange -> exchange.getMessage().setBody(List.of("c")));
    steps.start();
  }

  @Test
  void recordsGapStartOnDisconnect() {
    steps.send("handover:resync", "CamelAhcWsEvent", "DISCONNECTED");
    assertThat(steps.calls()).containsExactly("recordGapStart");
  }

  @Test
  void comparesPublishesAndRestoresAfterConnect() {
    steps.send("handover:resync", "CamelAhcWsEvent", "CONNECTED");
    assertThat(steps.calls())
        .containsExactly(
            "startResync",
            "get-asterisk-info",
            "list-applications",
            "list-channels",
            "list-bridges",
            "listMedia",
            "buildMediaRequest",
            "get-media",
            "recordEndedMedia",
            "buildMediaRequest",
            "get-media",
            "recordEndedMedia",
            "findMissedEvents",
            "publishMissed",
            "listMissingSubscriptions",
            "buildSubscriptionRequest",
            "send-subscription-request",
            "checkSubscriptionResponse");
  }

  @Test
  void firstFailedMediaRequestEndsResync() {
    steps
        .mock("get-media")
        .whenAnyExchangeReceived(
            exchange -> {
              throw new IllegalStateException("timeout");
            });
    Exchange exchange = steps.send("handover:resync", "CamelAhcWsEvent", "CONNECTED");
    assertThat(exchange.getException()).isNull();
    assertThat(steps.calls())
        .endsWith("buildMediaRequest", "get-media", "handleResyncFailure")
        .doesNotContain("findMissedEvents");
  }

  @Test
  void publishesMissedEventInEnvelope() {
    steps.send("handover:publish-missed-events", "any", "value");
    assertThat(steps.calls()).containsExactly("buildEventEnvelope", "publish-missed-event");
  }
}
