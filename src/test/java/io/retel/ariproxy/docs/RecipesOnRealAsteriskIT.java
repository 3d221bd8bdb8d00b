// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.docs;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.HttpReceiver;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.docs.Recipes;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs files of {@code examples/routes} with calls of a real Asterisk, which decides what its
 * events contain and how it answers.
 */
@FullRun("starts Asterisk for each recipe; faster: RecipesIT")
class RecipesOnRealAsteriskIT {

  private static final String APP = "real-recipes";
  private static final ObjectMapper JSON = new ObjectMapper();

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);
  @AutoClose private final CapturedLog log = CapturedLog.asShipped();
  @AutoClose private final HttpReceiver service = HttpReceiver.start();
  private RealAsterisk asterisk;
  private Recipes recipes;
  private Controller controller;
  private int calls;

  @BeforeEach
  void start(@TempDir Path folder) {
    recipes = fixture.register(new Recipes(RoutesDirectory.copyTo(folder), log));
    asterisk = fixture.startRealAsterisk("sid");
    fixture.settings().with(Setting.ROUTES_DIRECTORY, folder.toString());
    EmbeddedProxy proxy = fixture.startProxy();
    controller = fixture.controller();
    proxy.awaitResync();
  }

  @Test
  void postsEachHangUpToWebhook() {
    recipes.setProperty("webhook.url", service.url("/ended"));
    fixture.kafka().createTopic("webhook-failed", 1);
    recipes.add("webhook.camel.yaml");
    Awaitility.await("the webhook gets the end of a call")
        .until(
            () -> {
              hangUp(call());
              return !service.requests().isEmpty();
            });
    List<String> channels = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      channels.add(call());
    }
    channels.forEach(this::hangUp);
    Awaitility.await("all hang-ups").until(() -> postedChannels().containsAll(channels));
    assertThat(postedChannels()).doesNotHaveDuplicates();
    assertThat(service.requests())
        .allSatisfy(
            request ->
                assertThat(json(request.body()).at("/type").asText()).isEqualTo("StasisEnd"));
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  @Test
  void publishesDeadLettersWithCause() {
    recipes.setProperty("webhook.url", service.url("/ended"));
    recipes.setProperty("webhook.retry-delay", "10");
    fixture.kafka().createTopic("dead-letters", 1);
    service.answer(503, "");
    recipes.addWebhookWithDeadLetters();
    try (TopicReader failed = TopicReader.of(fixture.kafka().bootstrapServers(), "dead-letters")) {
      Recipes.awaitRecord(failed, () -> hangUp(call()));
      TopicRecord letter = failed.records().get(0);
      assertThat(EventEnvelope.of(letter).type()).isEqualTo("STASIS_END");
      assertThat(letter.header("failed-route")).isEqualTo("webhook");
      assertThat(letter.header("cause")).contains("503");
    }
  }

  @Test
  void addsCustomerToCallStart() {
    recipes.setProperty("customers.url", service.url("/customers"));
    service.answer(200, "gold");
    recipes.insert("enrich-call.yaml", "events");
    int number = 4711;
    // its deadline of 200 ms is short while the machine is busy
    while (!"gold".equals(startOfCall(number).header("customer"))) {
      number++;
    }
    assertThat(startOfCall(number).header("customer")).as("cached").isEqualTo("gold");
    assertThat(service.requests())
        .extracting("path")
        .doesNotHaveDuplicates()
        .endsWith("/customers/" + number);
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  @Test
  void throttlesDestination() {
    recipes.insert("throttle-destination.yaml", "execute-command");
    long start = System.nanoTime();
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      ids.add(originate("throttled-" + i, "PJSIP/100@trunk"));
    }
    List<Response> responses = ids.stream().map(controller::response).toList();
    long seconds = Duration.ofNanos(System.nanoTime() - start).toSeconds() + 1;
    // Asterisk knows no trunk, and refuses what it gets
    assertThat(responses)
        .filteredOn(response -> response.status() != 429)
        .hasSizeBetween(10, 10 * (int) (seconds + 1))
        .allSatisfy(response -> assertThat(response.status()).isBetween(400, 500));
    assertThat(responses).filteredOn(response -> response.status() == 429).isNotEmpty();
    controller.response(originate("other", "Local/3000@default")).assertStatus(200);
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  @Test
  void blocksDestination() {
    recipes.insert("block-destination.yaml", "execute-command");
    controller.response(originate("blocked", "PJSIP/+49900123@trunk")).assertStatus(403);
    assertThat(asterisk.request("GET", "/channels")).isEqualTo("[]");
    controller.response(originate("allowed", "Local/3000@default")).assertStatus(200);
    asterisk.await("/channels", channels -> !channels.isEmpty());
  }

  @Test
  void reloadsModuleOnSchedule() {
    recipes.setProperty("scheduled-command.delay", "100");
    recipes.setProperty("scheduled-command.period", "200");
    recipes.add("scheduled-command.camel.yaml");
    Awaitility.await("several responses").until(() -> scheduled().size() >= 3);
    assertThat(scheduled()).allSatisfy(response -> response.assertStatus(204));
  }

  private List<Response> scheduled() {
    return controller.responses().stream()
        .filter(response -> "scheduled".equals(response.callContext()))
        .toList();
  }

  /** Returns the channel of a call that has entered the application. */
  private String call() {
    String context = "call-" + ++calls;
    asterisk.originateCall("ctx-" + context + "~" + APP);
    return controller.event(context, "STASIS_START").channelId();
  }

  /** As a phone does: Asterisk reports it, not the controller. */
  private void hangUp(String channel) {
    asterisk.runCli("channel request hangup " + name(channel));
  }

  private String name(String channel) {
    return json(asterisk.request("GET", "/channels/" + channel)).at("/name").asText();
  }

  private EventEnvelope startOfCall(int callerNumber) {
    String context = "call-" + ++calls;
    asterisk.request(
        "POST",
        "/channels?endpoint=Local/3002@default&context=default&extension=ctx-%s~%s&callerId=%d"
            .formatted(context, APP, callerNumber));
    return controller.event(context, "STASIS_START");
  }

  private List<String> postedChannels() {
    return service.requests().stream()
        .map(request -> json(request.body()).at("/channel/id").asText())
        .toList();
  }

  private String originate(String callContext, String endpoint) {
    return controller.send(
        callContext, "POST", "/channels?app=" + APP + "&endpoint=" + endpoint.replace("+", "%2B"));
  }

  private static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }
}
