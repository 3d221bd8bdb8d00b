// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.docs;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.HttpReceiver;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.docs.RouteEditExample;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Runs the files of {@code examples/routes} as they are, added while the proxy runs. */
class RecipesIT {

  private static final String APP = "recipes";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);
  @AutoClose private final CapturedLog log = CapturedLog.asShipped();
  @AutoClose private final HttpReceiver service = HttpReceiver.start();
  private final List<String> properties = new ArrayList<>();
  private SimulatedAsterisk asterisk;
  private RoutesDirectory routes;
  private EmbeddedProxy proxy;
  private Controller controller;
  private int calls;

  @BeforeEach
  void start(@TempDir Path folder) {
    routes = RoutesDirectory.copyTo(folder);
    asterisk = fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.ROUTES_DIRECTORY, folder.toString());
    proxy = fixture.startProxy();
    controller = fixture.controller();
  }

  @AfterEach
  void clearProperties() {
    properties.forEach(System::clearProperty);
  }

  @Test
  void postsEndsOfCallsToWebhook() {
    setProperty("webhook.url", service.url("/ended"));
    setProperty("webhook.dead-letter-topic", "webhook-failed");
    setProperty("webhook.retry-delay", "10");
    fixture.kafka().createTopic("webhook-failed", 1);
    add("webhook.camel.yaml");

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

  @Test
  void postsUnmappedEventsToChat() {
    setProperty("chat.url", service.url("/chat"));
    add("unmapped-alert.camel.yaml");
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
    setProperty("analytics.topic", "analytics");
    fixture.kafka().createTopic("analytics", 1);
    try (TopicReader copies = TopicReader.of(fixture.kafka().bootstrapServers(), "analytics")) {
      add("masked-copy.camel.yaml");
      Awaitility.await("a copy")
          .until(
              () -> {
                asterisk.emit(
                    APP,
                    "{\"type\":\"ChannelHold\",\"channel\":{\"id\":\"x\",\"name\":\"a\","
                        + "\"caller\":{\"name\":\"Al \\\"secret\\\\\", \"number\" : \"4711\"}}}");
                call();
                return !copies.records().isEmpty();
              });
      assertThat(copies.records())
          .allSatisfy(copy -> assertThat(copy.text()).doesNotContain("secret", "4711"))
          .anySatisfy(
              copy ->
                  assertThat(EventEnvelope.of(copy).payload().at("/channel/caller/number").asText())
                      .isEmpty());
      controller.execute("call", "GET", "/asterisk/ping");
      assertThat(copies.records()).noneMatch(copy -> copy.text().contains("RESPONSE"));
    }
  }

  @Test
  void sendsCommandOnSchedule() {
    setProperty("scheduled-command.delay", "100");
    add("scheduled-command.camel.yaml");
    // the simulated Asterisk has no modules
    Response response = controller.awaitResponse(it -> "scheduled".equals(it.callContext()));
    assertThat(response.status()).isEqualTo(404);
    assertThat(asterisk.requestCount("PUT", "/asterisk/modules/res_musiconhold.so")).isOne();
  }

  @Test
  void dropsEventTypes() {
    insert("drop-event-type.yaml", "events");
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
    insert("throttle-destination.yaml", "execute-command");
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
    insert("block-destination.yaml", "execute-command");
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
    setProperty("customers.url", service.url("/customers"));
    service.answer(200, "gold");
    insert("enrich-call.yaml", "events");

    assertThat(customerOf("4711")).isEqualTo("gold");
    assertThat(customerOf("4711")).isEqualTo("gold");
    assertThat(service.requests()).extracting("path").containsExactly("/customers/4711");
    assertThat(customerOf("../admin")).isNull();
    assertThat(service.requests()).hasSize(1);
    service.answer(500, "");
    assertThat(customerOf("4712")).isEqualTo("unknown");
    assertThat(log.lines(Level.ERROR)).isEmpty();
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

  private void setProperty(String name, String value) {
    System.setProperty(name, value);
    properties.add(name);
  }

  private void add(String file) {
    RouteEditExample.ofRoutes(file).applyTo(routes);
    awaitLoaded(file);
  }

  private void insert(String steps, String route) {
    RouteEditExample.ofSteps(steps).applyTo(routes);
    awaitLoaded(route + ".camel.yaml");
  }

  private void awaitLoaded(String file) {
    Awaitility.await(file)
        .until(
            () -> {
              assertThat(log.lines(Level.ERROR)).isEmpty();
              return log.lines(Level.INFO).stream().anyMatch(it -> it.endsWith(file + " loaded"));
            });
  }
}
