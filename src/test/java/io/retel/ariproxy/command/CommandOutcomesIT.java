// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Tests that every command gets a RESPONSE in every outcome, with a real Kafka
 * (docs/contract.md#commands).
 */
class CommandOutcomesIT {

  private static final String APP = "outcomes";
  private static final String CALL_CONTEXT = "a-call";

  @RegisterExtension private static final ProxyExtension FIXTURE = new ProxyExtension(APP);

  private static SimulatedAsterisk asterisk;
  private static Controller controller;

  @BeforeAll
  static void start() {
    asterisk = FIXTURE.startSimulatedAsterisk();
    FIXTURE
        .settings()
        .with(Setting.ARI_RESPONSE_TIMEOUT, "5000ms")
        // two of one operation
        .with(Setting.COMMANDS_MAX_CONCURRENCY, "4")
        .with(Setting.ARI_MAX_RESPONSE_BODY, "100000B");
    FIXTURE.startProxy();
    controller = FIXTURE.controller();
  }

  @AfterEach
  void executesNextCommand() {
    asterisk.faults().clear();
    controller.execute(CALL_CONTEXT, "GET", "/asterisk/ping").assertStatus(200);
  }

  @Test
  void forwardsResponse() {
    Response response = controller.execute(CALL_CONTEXT, "GET", "/ari/asterisk/ping");

    response.assertStatus(200);
    assertThat(response.body().path("ping").asText()).isEqualTo("pong");
  }

  @Test
  void forwardsErrorResponse() {
    Response response = controller.execute(CALL_CONTEXT, "GET", "/channels/nobody");

    response.assertStatus(404);
    assertThat(response.message()).isEqualTo("Channel not found");
  }

  @Test
  void encodesNonJsonBodyInBase64() {
    byte[] file = {'R', 'I', 'F', 'F', 0, -1, 13, 10};
    asterisk
        .faults()
        .respondWith(request -> request.uri().contains("/file"), 200, "audio/wav", file);

    Response response = controller.execute(CALL_CONTEXT, "GET", "/recordings/stored/voice/file");

    response.assertStatus(200);
    assertThat(response.body().path("content_type").asText()).isEqualTo("audio/wav");
    assertThat(Base64.getDecoder().decode(response.body().path("base64").asText())).isEqualTo(file);
  }

  @Test
  void responds413ToOversizedBody() {
    asterisk
        .faults()
        .respondWith(
            request -> request.uri().contains("/file"), 200, "audio/wav", new byte[100_001]);

    Response response = controller.execute(CALL_CONTEXT, "GET", "/recordings/stored/voice/file");

    response.assertStatus(413);
    assertThat(response.message()).contains("ari.max-response-body");
  }

  @Test
  void responds400ToMalformedJson() {
    controller.sendRaw("no-json", "POST /channels".getBytes(StandardCharsets.UTF_8));

    Response response = awaitResponseWithKey("no-json");

    response.assertStatus(400);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(response.message()).contains("not JSON");
  }

  @Test
  void responds400ToTombstone() {
    controller.sendRaw("tombstone", null);

    awaitResponseWithKey("tombstone").assertStatus(400);
  }

  @Test
  void responds400ToMissingUrl() {
    controller.sendRaw(
        "no-url",
        "{\"callContext\":\"no-url\",\"ariCommand\":{\"method\":\"GET\"}}"
            .getBytes(StandardCharsets.UTF_8));

    awaitResponseWithKey("no-url").assertStatus(400);
  }

  @Test
  void rejectsUrlOutsideAri() {
    Response response = controller.execute(CALL_CONTEXT, "GET", "/ari/../httpstatus");

    response.assertStatus(400);
    assertThat(asterisk.requests()).noneMatch(request -> request.uri().contains("httpstatus"));
  }

  @Test
  void responds504OnTimeoutWithoutRetry() {
    Fault hanging = asterisk.faults().hang(request -> request.uri().contains("/channels/hanging"));

    Response response = controller.execute(CALL_CONTEXT, "POST", "/channels/hanging/answer");

    hanging.clear();
    response.assertStatus(504);
    assertThat(response.outcome()).isEqualTo("unknown");
    assertThat(asterisk.requestCount("POST", "/channels/hanging/answer")).isOne();
  }

  @Test
  void responds504OnConnectionLossWithoutRetry() {
    asterisk.faults().dropBeforeExecution(request -> request.uri().contains("/channels/cut"));

    Response response = controller.execute(CALL_CONTEXT, "DELETE", "/channels/cut");

    response.assertStatus(504);
    assertThat(asterisk.requestCount("DELETE", "/channels/cut")).isOne();
  }

  @Test
  void forwards503WithoutRetry() {
    asterisk.faults().respondWith(request -> request.uri().contains("/channels/busy"), 503, "Busy");

    Response response = controller.execute(CALL_CONTEXT, "POST", "/channels/busy/answer");

    response.assertStatus(503);
    assertThat(response.message()).isEqualTo("Busy");
    assertThat(asterisk.requestCount("POST", "/channels/busy/answer")).isOne();
  }

  @Test
  void responds503WhenAsteriskIsUnavailable() {
    asterisk.kill();
    try {
      // a pooled connection can accept the request before its end is detected
      Awaitility.await("a command that is not sent")
          .untilAsserted(
              () -> {
                Response response =
                    controller.execute(CALL_CONTEXT, "POST", "/channels/away/answer");
                response.assertStatus(503);
                assertThat(response.outcome()).isEqualTo("not_sent");
              });
    } finally {
      asterisk.restart();
    }
  }

  @Test
  void doesNotForwardRecordHeaders() {
    String command =
        "{\"callContext\":\"steered\",\"commandId\":\"steered\",\"ariCommand\":{\"method\":\"POST\","
            + "\"url\":\"/channels/steered/answer\"}}";
    try (TopicWriter writer = new TopicWriter(FIXTURE.kafka().bootstrapServers())) {
      writer.send(
          FIXTURE.settings().commandsTopic(),
          "steered",
          command,
          Map.of(
              "CamelHttpUri", "http://localhost:1/elsewhere",
              "CamelHttpMethod", "DELETE",
              "Host", "elsewhere",
              "Authorization", "Basic bm9ib2R5",
              "Content-Type", "text/plain",
              "X-Mine", "1"));
    }
    awaitResponseWithKey("steered").assertStatus(404);

    assertThat(asterisk.requests())
        .filteredOn(request -> request.uri().equals("/ari/channels/steered/answer"))
        .singleElement()
        .satisfies(
            request -> {
              assertThat(request.method()).isEqualTo("POST");
              assertThat(request.header("Host")).isEqualTo("localhost:" + asterisk.port());
              assertThat(request.header("X-Mine")).isNull();
              assertThat(request.header("Content-Type")).isNull();
              assertThat(request.header("Authorization")).isNotEqualTo("Basic bm9ib2R5");
            });
  }

  @Test
  void hangingCommandDelaysOnlyItsCall() {
    Fault hanging = asterisk.faults().hang(request -> request.uri().contains("/channels/slow"));
    String slow = controller.send("slow-call", "GET", "/channels/slow");
    String queued = controller.send("slow-call", "GET", "/asterisk/ping");

    // sent concurrently: sent one after the other, they could exceed the response timeout
    List<String> quick = new ArrayList<>();
    for (int call = 0; call < 20; call++) {
      quick.add(controller.send("quick-call-" + call, "GET", "/asterisk/ping"));
    }
    quick.forEach(id -> controller.response(id).assertStatus(200));
    assertThat(controller.responses()).noneMatch(each -> queued.equals(each.commandId()));

    hanging.clear();
    long first = controller.response(slow).record().offset();
    assertThat(controller.response(queued).record().offset()).isGreaterThan(first);
  }

  @Test
  void responds503ToCommandsThatWaitForHangingOperation() {
    Fault hanging = asterisk.faults().hang(request -> request.uri().contains("/channels/stuck"));
    List<String> commands = new ArrayList<>();
    for (int call = 0; call < 10; call++) {
      commands.add(controller.send("stuck-" + call, "POST", "/channels/stuck-" + call + "/answer"));
      commands.add(controller.send("stuck-" + call, "GET", "/asterisk/ping"));
    }
    List<Response> answers = new ArrayList<>();
    for (int i = 0; i < commands.size(); i += 2) {
      Response answer = controller.response(commands.get(i));
      Response next = controller.response(commands.get(i + 1)).assertStatus(200);
      assertThat(answer.record().offset()).isLessThan(next.record().offset());
      answers.add(answer);
    }

    assertThat(answers)
        .filteredOn(response -> response.status() == 504)
        .hasSize(hanging.hits())
        .hasSizeGreaterThanOrEqualTo(2);
    assertThat(answers)
        .filteredOn(response -> response.status() != 504)
        .isNotEmpty()
        .allSatisfy(
            response -> {
              response.assertStatus(503);
              assertThat(response.outcome()).isEqualTo("not_sent");
              assertThat(response.message())
                  .contains("earlier ones hang: POST /channels/{channelId}/answer (");
            });
  }

  private static Response awaitResponseWithKey(String key) {
    return controller.awaitResponse(response -> key.equals(response.key()));
  }
}
