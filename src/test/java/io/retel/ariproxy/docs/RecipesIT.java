// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.docs;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.HttpReceiver;
import io.retel.ariproxy.fixtures.RawHttpServer;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.docs.Recipes;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs the files of {@code examples/routes} as they are, added while the proxy runs. */
class RecipesIT {

  private static final String APP = "recipes";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);
  @AutoClose private final CapturedLog log = CapturedLog.asShipped();
  @AutoClose private final HttpReceiver service = HttpReceiver.start();
  private SimulatedAsterisk asterisk;
  private Recipes recipes;
  private EmbeddedProxy proxy;
  private Controller controller;
  private int calls;

  @BeforeEach
  void start(@TempDir Path folder) {
    recipes = fixture.register(new Recipes(RoutesDirectory.copyTo(folder), log));
    asterisk = fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.ROUTES_DIRECTORY, folder.toString());
    proxy = fixture.startProxy();
    controller = fixture.controller();
  }

  @Test
  void postsEndsOfCallsToWebhook() {
    recipes.setProperty("webhook.url", service.url("/ended"));
    recipes.setProperty("webhook.dead-letter-topic", "webhook-failed");
    recipes.setProperty("webhook.retry-delay", "10");
    fixture.kafka().createTopic("webhook-failed", 1);
    recipes.add("webhook.camel.yaml");

    Awaitility.await("the webhook gets the end of a call")
        .until(
            () -> {
              call().hangup();
              return !service.requests().isEmpty();
            });
    HttpReceiver.Request request = service.requests().get(0);
    assertThat(request.method()).isEqualTo("POST");
    assertThat(request.path()).isEqualTo("/ended");
    assertThat(request.contentType()).isEqualTo("application/json");
    assertThat(request.body()).contains("\"type\":\"StasisEnd\"");

    service.answer(503, "");
    try (TopicReader failed =
        TopicReader.of(fixture.kafka().bootstrapServers(), "webhook-failed")) {
      call().hangup();
      String context = "call-" + calls;
      // events do not wait for the webhook
      controller.event(context, "STASIS_END");
      Awaitility.await("what the webhook does not accept")
          .until(() -> failed.records().stream().anyMatch(it -> it.key().equals(context)));
    }
  }

  /** Offsets are committed once a second, and edits are less than Kafka's 5 s apart. */
  @Test
  @FullRun("edits every two seconds")
  void postsEndsOnceAlthoughFileIsEdited() throws Exception {
    recipes.setProperty("webhook.url", service.url("/ended"));
    recipes.add("webhook.camel.yaml");
    Awaitility.await("the route has joined")
        .until(
            () -> {
              call().hangup();
              return !service.requests().isEmpty();
            });
    String topic = fixture.settings().eventsTopic();
    Awaitility.await("the new group has offsets")
        .until(() -> fixture.kafka().committedOffset("webhook", topic) > 0);

    for (int edit = 0; edit < 3; edit++) {
      int before = service.requests().size();
      call().hangup();
      Awaitility.await("the end of the call").until(() -> service.requests().size() > before);
      // the pace of an author, longer than the interval of commits
      Thread.sleep(2_000);
      recipes.edit("webhook.camel.yaml");
    }
    int before = service.requests().size();
    call().hangup();
    Awaitility.await("the end of the call").until(() -> service.requests().size() > before);
    assertThat(service.requests()).extracting(HttpReceiver.Request::body).doesNotHaveDuplicates();
  }

  @Test
  void postsUnmappedEventsToChat() {
    recipes.setProperty("chat.url", service.url("/chat"));
    recipes.add("unmapped-alert.camel.yaml");
    Awaitility.await("the chat gets a message")
        .until(
            () -> {
              asterisk.emit(APP, "{\"type\":\"Channel\\\"Hold\",\"channel\":{\"id\":\"nobody\"}}");
              return !service.requests().isEmpty();
            });
    assertThat(service.requests())
        .singleElement()
        .satisfies(
            request ->
                assertThat(request.body())
                    .isEqualTo(
                        "{\"text\":\"CHANNEL\\\"_HOLD of "
                            + fixture.settings().commandsTopic()
                            + " has no call context\"}"));
  }

  @Test
  void copiesEventsWithoutNamesAndNumbers() {
    recipes.setProperty("analytics.topic", "analytics");
    fixture.kafka().createTopic("analytics", 1);
    try (TopicReader copies = TopicReader.of(fixture.kafka().bootstrapServers(), "analytics")) {
      recipes.add("masked-copy.camel.yaml");
      Awaitility.await("a copy")
          .until(
              () -> {
                asterisk.emit(
                    APP,
                    "{\"type\":\"ChannelHold\",\"channel\":{\"id\":\"x\",\"name\":\"a\","
                        + "\"dialplan\":{\"exten\":\"4711\",\"app_data\":\"secret\"},"
                        + "\"channelvars\":{\"X\":\"secret\"},"
                        + "\"caller\":{\"name\":\"Al \\\"secret\\\\\", \"number\" : \"4711\"}}}");
                call();
                return !copies.records().isEmpty();
              });
      assertThat(copies.records())
          .allSatisfy(copy -> assertThat(copy.text()).doesNotContain("secret", "4711"))
          .anySatisfy(
              copy ->
                  assertThat(EventEnvelope.of(copy).payload().at("/channel/caller/number").asText())
                      .isEqualTo("***"));
      controller.execute("call", "GET", "/asterisk/ping");
      assertThat(copies.records()).noneMatch(copy -> copy.text().contains("RESPONSE"));
    }
  }

  @Test
  void sendsCommandOnSchedule() {
    recipes.setProperty("scheduled-command.delay", "100");
    recipes.add("scheduled-command.camel.yaml");
    // the simulated Asterisk has no modules
    Response response = controller.awaitResponse(it -> "scheduled".equals(it.callContext()));
    assertThat(response.status()).isEqualTo(404);
    assertThat(asterisk.requestCount("PUT", "/asterisk/modules/res_musiconhold.so")).isOne();
  }

  @Test
  void copiesEventTypesToTheirTopics() {
    fixture.kafka().createTopic("events-STASIS_START", 3);
    fixture
        .kafka()
        .createTopic(
            "events-STASIS_END", List.of(fixture.kafka()), Map.of("max.message.bytes", "300"));
    fixture.kafka().createTopic("event-topics-failed", 1);
    recipes.add("event-topics.camel.yaml");
    try (TopicReader starts = reader("events-STASIS_START");
        TopicReader refused = reader("event-topics-failed")) {
      Recipes.awaitRecord(starts, () -> call().hangup());
      String context = "call-" + ++calls;
      asterisk.call(APP, "4711", "100", Map.of("CALL_CONTEXT", context)).hangup();
      TopicRecord start = Recipes.await(starts, context);
      assertThat(start.value()).isEqualTo(published(context, "STASIS_START").value());
      // a topic that refuses a record stops nothing
      TopicRecord end = Recipes.await(refused, context);
      assertThat(end.value()).isEqualTo(published(context, "STASIS_END").value());
      assertThat(starts.records())
          .allSatisfy(it -> assertThat(it.text()).startsWith("{\"type\":\"STASIS_START\""));
    }
  }

  @Test
  void copiesEventsOfApplicationInOrder() {
    recipes.setProperty("event-topics.field", "$.payload.application");
    recipes.setProperty("event-topics.values", "other," + APP);
    recipes.setProperty("event-topics.prefix", "app-");
    fixture.kafka().createTopic("app-" + APP, 3);
    recipes.add("event-topics.camel.yaml");
    try (TopicReader copies = reader("app-" + APP)) {
      Recipes.awaitRecord(copies, this::call);
      SimulatedCall call = call();
      String context = "call-" + calls;
      controller.execute(context, "GET", "/asterisk/ping");
      for (int i = 0; i < 50; i++) {
        asterisk.emit(
            APP,
            "{\"type\":\"ChannelHold\",\"application\":\"%s\",\"musicclass\":\"%d\",\"channel\":{\"id\":\"%s\"}}"
                .formatted(APP, i, call.id()));
      }
      call.hangup();
      published(context, "STASIS_END");
      Awaitility.await("all copies in order")
          .untilAsserted(
              () ->
                  assertThat(texts(copies, context))
                      .hasSizeGreaterThan(50)
                      .isEqualTo(
                          controller.events().stream()
                              .filter(it -> context.equals(it.key()))
                              .map(it -> it.record().text())
                              .filter(it -> it.contains("\"application\""))
                              .toList()));
    }
  }

  @Test
  void publishesDeadLettersWithCause() {
    recipes.setProperty("webhook.url", service.url("/ended"));
    recipes.setProperty("webhook.retry-delay", "10");
    fixture.kafka().createTopic("dead-letters", 1);
    service.answer(503, "");
    recipes.addWebhookWithDeadLetters();
    try (TopicReader failed = reader("dead-letters")) {
      Recipes.awaitRecord(failed, () -> call().hangup());
      TopicRecord letter = failed.records().get(0);
      assertThat(letter.value()).isEqualTo(published(letter.key(), "STASIS_END").value());
      assertThat(letter.header("failed-route")).isEqualTo("webhook");
      assertThat(letter.header("cause"))
          .startsWith("org.apache.camel.http.base.HttpOperationFailedException: ")
          .contains("503");
    }
  }

  @Test
  void dropsEventTypes() {
    recipes.insert("drop-event-type.yaml", "events");
    SimulatedCall call = call();
    asterisk.emit(
        APP, "{\"type\":\"ChannelVarset\",\"channel\":{\"id\":\"%s\"}}".formatted(call.id()));
    Awaitility.await("dropped").until(() -> proxy.counter("ari-proxy.events.dropped") > 0);
    call.hangup();
    controller.event("call-1", "STASIS_END");
    assertThat(controller.events()).noneMatch(event -> event.hasType("CHANNEL_VARSET"));
  }

  @Test
  void throttlesDestination() {
    recipes.insert("throttle-destination.yaml", "execute-command");
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      ids.add(originate("throttled-" + i, i % 2 == 0 ? "pjsip/100@trunk/" : "PJSIP/trunk/sip:1@h"));
    }
    List<Response> responses = ids.stream().map(controller::response).toList();
    assertThat(responses).filteredOn(it -> it.status() == 429).isNotEmpty();
    assertThat(responses).filteredOn(it -> it.status() == 200).hasSizeGreaterThanOrEqualTo(10);
    assertThat(controller.response(originate("other", "PJSIP/100")).status()).isEqualTo(200);
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  @Test
  void blocksDestination() {
    recipes.insert("block-destination.yaml", "execute-command");
    for (String prefix : List.of("0", "490", "49", "+49", "049", "0490", "0049", "00490")) {
      Response blocked =
          controller.response(originate("blocked-" + prefix, "pjsip/" + prefix + "900123@trunk"));
      assertThat(blocked.status()).as(prefix).isEqualTo(403);
      assertThat(blocked.record().text()).contains("Premium numbers are blocked");
    }
    assertThat(controller.response(originate("allowed", "PJSIP/100")).status()).isEqualTo(200);
    assertThat(asterisk.requestCount("POST", "/channels")).isOne();
  }

  @Test
  void addsCustomerToCallStart() {
    recipes.setProperty("customers.url", service.url("/customers"));
    service.answer(200, "gold");
    recipes.insert("enrich-call.yaml", "events");

    assertThat(customerOf("4711")).isEqualTo("gold");
    assertThat(customerOf("4711")).isEqualTo("gold");
    assertThat(service.requests()).extracting("path").containsExactly("/customers/4711");
    assertThat(customerOf("../admin")).isNull();
    assertThat(service.requests()).hasSize(1);
    service.answer(500, "");
    assertThat(customerOf("4712")).isEqualTo("unknown");
    // only answers are cached
    service.answer(200, "silver");
    assertThat(customerOf("4712")).isEqualTo("silver");
    service.answer(500, "");
    assertThat(customerOf("4712")).isEqualTo("silver");
    // larger than what a record may have
    service.answer(200, "x".repeat(1 << 20));
    assertThat(customerOf("4713")).isEqualTo("unknown");
    // larger than what a step reads
    service.answer(200, "x".repeat((1 << 20) + 1));
    assertThat(customerOf("4714")).isEqualTo("unknown");
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  /** The head of a response, without a usable body. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 400\r\n\r\ngold",
        "Content-Length: 400\r\n\r\ngold(silence)",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\ngold"
      })
  void publishesCallStartWithoutBodyOfAnswer(String response) {
    CountDownLatch end = new CountDownLatch(1);
    RawHttpServer server =
        fixture.register(
            RawHttpServer.start(
                (request, out) -> {
                  String text = "HTTP/1.1 200 OK\r\n" + response.replace("(silence)", "");
                  out.write(RawHttpServer.bytes(text));
                  if (response.contains("(silence)")) {
                    end.await();
                  }
                  throw new IOException("closed");
                }));
    recipes.setProperty("customers.url", "http://127.0.0.1:" + server.port());
    recipes.insert("enrich-call.yaml", "events");

    assertThat(customerOf("4711")).isEqualTo("unknown");
    end.countDown();
    assertThat(server.requests()).isNotEmpty();
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  private TopicReader reader(String topic) {
    return TopicReader.of(fixture.kafka().bootstrapServers(), topic);
  }

  private static List<String> texts(TopicReader topic, String key) {
    return topic.records().stream()
        .filter(it -> key.equals(it.key()))
        .map(TopicRecord::text)
        .toList();
  }

  private TopicRecord published(String callContext, String type) {
    return controller.await(
        it -> callContext.equals(it.key()) && it.text().startsWith("{\"type\":\"" + type + "\""));
  }

  private String customerOf(String callerNumber) {
    String context = "call-" + ++calls;
    asterisk.call(APP, callerNumber, "100", Map.of("CALL_CONTEXT", context));
    return controller.event(context, "STASIS_START").header("customer");
  }

  private SimulatedCall call() {
    return asterisk.call(APP, "4711", "100", Map.of("CALL_CONTEXT", "call-" + ++calls));
  }

  private String originate(String callContext, String endpoint) {
    return controller.send(
        callContext, "POST", "/channels?app=" + APP + "&endpoint=" + endpoint.replace("+", "%2B"));
  }
}
