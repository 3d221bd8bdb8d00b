// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
    routes =
        RoutesUnderTest.start(
            Map.of(
                Setting.ARI_MAX_RESPONSE_BODY,
                "1KB",
                // several commands of one operation at once
                Setting.COMMANDS_MAX_CONCURRENCY,
                "6"));
  }

  @BeforeEach
  void respond() {
    routes.reset();
    routes
        .ari()
        .whenAnyExchangeReceived(
            exchange -> RoutesUnderTest.respond(exchange, asteriskStatus, asteriskBody));
  }

  @AfterEach
  void endSubscriptions() {
    respond();
    asteriskStatus = 200;
    for (int i = 0; i < Subscriptions.MAX_SOURCES / PER_COMMAND; i++) {
      command("DELETE", devices("d" + i)).assertStatus(200);
    }
    command("DELETE", "'deviceState:more'").assertStatus(200);
  }

  /** Until Kafka acknowledges its RESPONSE, which takes as long as an outage. */
  @ParameterizedTest
  @ValueSource(ints = {422, 503, 504})
  void failedCommandReservesNothingWhileItsResponseWaits(int status) {
    asteriskStatus = 200;
    for (int i = 1; i < Subscriptions.MAX_SOURCES / PER_COMMAND; i++) {
      command("POST", devices("d" + i)).assertStatus(200);
    }
    routes.reset();
    CountDownLatch responseWaits = new CountDownLatch(1);
    CountDownLatch kafkaAvailable = new CountDownLatch(1);
    routes
        .mappedTopic()
        .whenAnyExchangeReceived(
            exchange -> {
              responseWaits.countDown();
              kafkaAvailable.await(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
            });
    CountDownLatch nextSent = new CountDownLatch(1);
    routes
        .ari()
        .whenAnyExchangeReceived(
            exchange -> {
              if (exchange.getMessage().getBody(String.class).contains(":d0-")) {
                nextSent.countDown();
                RoutesUnderTest.respond(exchange, 200, "{}");
              } else if (status == 422) {
                RoutesUnderTest.respond(exchange, 422, "{}");
              } else {
                exchange.setException(
                    status == 503 ? new ConnectException() : new SocketTimeoutException());
              }
            });
    try {
      send("failing", "POST", devices("failing"));
      await().until(() -> responseWaits.getCount() == 0);
      send("next", "POST", devices("d0"));
      await().until(() -> nextSent.getCount() == 0);
    } finally {
      kafkaAvailable.countDown();
    }
    await().until(() -> routes.offset().committed() == 2);
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
    send("call", method, sources);
    routes.awaitResponse();
    return routes.response();
  }

  private static void send(String callContext, String method, String sources) {
    routes.sendCommand(
        "{'callContext':'%s','ariCommand':{'method':'%s','url':'%s','body':%s}}"
            .formatted(
                callContext,
                method,
                "/applications/app/subscription",
                "{'eventSource':[" + sources + "]}"));
  }
}
