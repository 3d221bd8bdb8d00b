// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Commands that subscribe an application to more sources than a resync restores. */
class SubscriptionLimitTest {

  /** As many as fit in Asterisk's largest body. */
  private static final int PER_COMMAND = 1_000;

  private static final String TOO_LARGE =
      "{\"device_names\":[\"%s\"]}".formatted("x".repeat(1_024));

  private static volatile int asteriskStatus;
  private static volatile String asteriskBody = "{}";

  @AutoClose private static RoutesUnderTest routes;

  @BeforeAll
  static void start() throws Exception {
    routes = RoutesUnderTest.start(Map.of(Setting.ARI_MAX_RESPONSE_BODY, "1KB"));
    routes
        .ari()
        .whenAnyExchangeReceived(
            exchange -> RoutesUnderTest.respond(exchange, asteriskStatus, asteriskBody));
  }

  @Test
  void rejectsWhatExceedsLimitAndAcceptsAgainAfterUnsubscription() {
    asteriskStatus = 422;
    for (int i = 0; i <= Subscriptions.MAX_SOURCES / PER_COMMAND; i++) {
      command("POST", devices("failed-" + i)).assertStatus(422);
    }
    asteriskStatus = 200;
    asteriskBody = TOO_LARGE;
    assertThat(command("POST", devices("d0")).outcome()).isEqualTo("answered");
    asteriskBody = "{}";
    for (int i = 1; i < Subscriptions.MAX_SOURCES / PER_COMMAND; i++) {
      command("POST", devices("d" + i)).assertStatus(200);
    }

    int requests = routes.ari().getReceivedCounter();
    Response rejected = command("POST", "'deviceState:more'");
    rejected.assertStatus(413);
    assertThat(rejected.outcome()).isEqualTo("not_sent");
    assertThat(rejected.message())
        .isEqualTo(
            "Too many subscriptions to restore if Asterisk loses them: the limit is 10000, and"
                + " 524288 bytes; end others first, or subscribe to all sources of a kind");
    assertThat(routes.ari().getReceivedCounter()).isEqualTo(requests);

    command("POST", devices("d1")).assertStatus(200);
    command("POST", "'channel:1','bridge:1'").assertStatus(200);
    command("DELETE", "'deviceState:d0-0'").assertStatus(200);
    command("POST", "'deviceState:more'").assertStatus(200);
  }

  private static String devices(String prefix) {
    return IntStream.range(0, PER_COMMAND)
        .mapToObj(i -> "'deviceState:" + prefix + "-" + i + "'")
        .collect(Collectors.joining(","));
  }

  private static Response command(String method, String sources) {
    routes.resetTopics();
    routes.sendCommand(
        "{'callContext':'call','ariCommand':{'method':'%s','url':'%s','body':%s}}"
            .formatted(
                method, "/applications/app/subscription", "{'eventSource':[" + sources + "]}"));
    routes.awaitResponse();
    return routes.response();
  }
}
