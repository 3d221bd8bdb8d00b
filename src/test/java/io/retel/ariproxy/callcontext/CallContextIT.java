// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.benmanes.caffeine.cache.Cache;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.asterisk.WebSocketTap;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tests the call context of events on a real Asterisk (docs/contract.md#mapping). */
class CallContextIT {

  private static final String APP = "ari-proxy-context";
  private static final String ORIGINATE = "endpoint=Local/3000@default&app=" + APP;

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  private RealAsterisk asterisk;
  private WebSocketTap tap;
  private EmbeddedProxy proxy;
  private Controller controller;

  @Test
  void eventsBelongToTheirCall() {
    eventsBelongToTheirCall("sid");
  }

  @Test
  @FullRun("the same on Asterisk 16")
  void eventsBelongToTheirCallOnAsterisk16() {
    eventsBelongToTheirCall("bullseye");
  }

  private void eventsBelongToTheirCall(String suite) {
    asterisk = fixture.startRealAsterisk(suite);
    tap = fixture.register(WebSocketTap.open(asterisk.url()));
    fixture.settings().with(Setting.ARI_URL, tap.url());
    proxy = fixture.startProxy();
    controller = fixture.controller();

    reusedChannelId();
    playbackIdOfTwoCalls();
    inheritedVariable();
    if (suite.equals("sid")) {
      broadcast();
    }
    hiddenEnds();
    redirectedChannel();
    reusedChannelIdInGap();
  }

  /** The response to the second creation arrives before the last events of the first channel. */
  private void reusedChannelId() {
    String create = "/channels/agent-42?" + ORIGINATE;
    controller.execute("first", "POST", create).assertStatus(200);
    controller.event("first", "STASIS_START");
    tap.hold();
    controller.execute("first", "DELETE", "/channels/agent-42").assertStatus(204);
    awaitEnd("agent-42");
    controller.execute("second", "POST", create).assertStatus(200);
    tap.release();

    controller.event("second", "STASIS_START");
    controller.execute("second", "DELETE", "/channels/agent-42").assertStatus(204);
    for (String call : List.of("first", "second")) {
      controller.event(call, "CHANNEL_DESTROYED", event -> event.isOfChannel("agent-42"));
      controller.event(call, "CHANNEL_DESTROYED", event -> event.isOfChannel("agent-42;2"));
    }
    Map<String, Set<String>> callsByCreationTime =
        controller.events().stream()
            .filter(event -> event.payload().at("/channel/id").asText().equals("agent-42"))
            .collect(
                Collectors.groupingBy(
                    event -> event.payload().at("/channel/creationtime").asText(),
                    Collectors.mapping(EventEnvelope::key, Collectors.toSet())));
    assertThat(callsByCreationTime.values())
        .containsExactlyInAnyOrder(Set.of("first"), Set.of("second"));
  }

  private void playbackIdOfTwoCalls() {
    for (String call : List.of("a", "b")) {
      controller.execute(call, "POST", "/channels/" + call + "?" + ORIGINATE).assertStatus(200);
      controller.event(call, "STASIS_START");
      controller
          .execute(call, "POST", "/channels/" + call + "/play/greeting?media=sound:tt-monkeys")
          .assertStatus(201);
    }
    for (String call : List.of("a", "b")) {
      controller.event(call, "PLAYBACK_STARTED", isOnChannel(call));
    }
    for (String call : List.of("a", "b")) {
      controller.execute(call, "DELETE", "/channels/" + call).assertStatus(204);
      controller.event(call, "PLAYBACK_FINISHED", isOnChannel(call));
    }
  }

  private static Predicate<EventEnvelope> isOnChannel(String id) {
    return event -> event.payload().at("/playback/target_uri").asText().equals("channel:" + id);
  }

  /** Asterisk 16 shows the new value only after a later change of the channel. */
  private void inheritedVariable() {
    controller.execute("before", "POST", "/channels/i?" + ORIGINATE).assertStatus(200);
    controller.event("before", "STASIS_START");
    String variable = "/channels/i/variable?variable=";
    controller.execute("before", "POST", variable + "__CALL_CONTEXT&value=one").assertStatus(204);
    controller.execute("before", "POST", variable + "OTHER&value=1").assertStatus(204);
    controller.event("one", "CHANNELVARSET", setsVariable("__CALL_CONTEXT"));
    controller.event("one", "CHANNELVARSET", setsVariable("OTHER"));
    controller.execute("one", "POST", variable + "_CALL_CONTEXT&value=two").assertStatus(204);
    controller.event("two", "CHANNELVARSET", setsVariable("_CALL_CONTEXT"));
    controller.execute("two", "DELETE", "/channels/i").assertStatus(204);
    controller.event("two", "STASIS_END");
  }

  private static Predicate<EventEnvelope> setsVariable(String name) {
    return event -> event.payload().path("variable").asText().equals(name);
  }

  private void broadcast() {
    asterisk.originateCall("1002");
    EventEnvelope broadcast = controller.awaitEvent(event -> event.hasType("CALL_BROADCAST"));
    String channel = broadcast.channelId();
    assertThat(mapping("CHANNEL:" + channel)).isNull();

    asterisk.request("POST", "/events/claim?channelId=" + channel + "&application=" + APP);

    controller.event(broadcast.key(), "STASIS_START", event -> event.isOfChannel(channel));
    controller.execute(broadcast.key(), "DELETE", "/channels/" + channel).assertStatus(204);
    controller.event(broadcast.key(), "STASIS_END");
  }

  /** An event filter hides the end of a channel. */
  private void hiddenEnds() {
    String filter = "/applications/" + APP + "/eventFilter";
    String hidden =
        "{'disallowed':[{'type':'StasisEnd'},{'type':'ChannelDestroyed'},"
            + "{'type':'ChannelHangupRequest'}]}";
    controller.response(controller.send("setup", "PUT", filter, json(hidden))).assertStatus(200);
    controller.execute("hidden", "POST", "/channels/h?" + ORIGINATE).assertStatus(200);
    controller.event("hidden", "STASIS_START");
    assertThat(mapping("CHANNEL:h").ended()).isFalse();

    controller.execute("hidden", "DELETE", "/channels/h").assertStatus(204);

    assertThat(mapping("CHANNEL:h").ended()).isTrue();
    assertThat(mapping("CHANNEL:h;2").ended()).isTrue();

    // the same within a gap
    controller.execute("hidden", "POST", "/channels/g?" + ORIGINATE).assertStatus(200);
    controller.event("hidden", "STASIS_START", event -> event.isOfChannel("g"));
    tap.hold();
    hangUpAsOtherClient("g");
    tap.drop();
    Awaitility.await("mapping ended").until(() -> mapping("CHANNEL:g").ended());
    controller
        .response(controller.send("setup", "PUT", filter, json("{'disallowed':[]}")))
        .assertStatus(200);
    assertThat(controller.events())
        .filteredOn(event -> event.key().equals("hidden"))
        .extracting(EventEnvelope::type)
        .doesNotContain("STASIS_END", "CHANNEL_DESTROYED");
  }

  /** Another client ends a channel and creates one with its id while no websocket is read. */
  private void reusedChannelIdInGap() {
    String create = "/channels/agent-43?" + ORIGINATE;
    controller.execute("before-gap", "POST", create).assertStatus(200);
    controller.event("before-gap", "STASIS_START");
    tap.hold();
    hangUpAsOtherClient("agent-43");
    asterisk.request("POST", create);
    asterisk.await("/channels/agent-43", channel -> channel.path("state").asText().equals("Up"));
    tap.drop();

    controller.event("before-gap", "STASIS_END", EventEnvelope::isSynthetic);
    controller.event("before-gap", "CHANNEL_DESTROYED", EventEnvelope::isSynthetic);
    EventEnvelope start =
        controller.awaitEvent(
            event ->
                event.hasType("STASIS_START")
                    && event.isOfChannel("agent-43")
                    && !event.key().equals("before-gap"));
    assertThat(start.isSynthetic()).isTrue();
    controller.execute(start.key(), "DELETE", "/channels/agent-43").assertStatus(204);
    controller.event(start.key(), "STASIS_END");
    assertThat(controller.events())
        .filteredOn(event -> event.key().equals("before-gap") && event.isSynthetic())
        .extracting(event -> event.channelId() + " " + event.type())
        .containsExactlyInAnyOrder(
            "agent-43 STASIS_END", "agent-43 CHANNEL_DESTROYED", "agent-43;2 CHANNEL_DESTROYED");
  }

  /** Asterisk responds before the channel has ended. */
  private void hangUpAsOtherClient(String channel) {
    asterisk.request("DELETE", "/channels/" + channel);
    awaitEnd(channel);
  }

  private void awaitEnd(String channel) {
    asterisk.await(
        "/channels",
        channels ->
            StreamSupport.stream(channels.spliterator(), false)
                .noneMatch(listed -> listed.path("id").asText().startsWith(channel)));
  }

  /**
   * A redirect changes the creation time of a channel: therefore an event with another creation
   * time alone does not show that the channel is another one.
   */
  private void redirectedChannel() {
    controller.execute("redirected", "POST", "/channels/r?" + ORIGINATE).assertStatus(200);
    EventEnvelope start = controller.event("redirected", "STASIS_START");
    asterisk.runCli(
        "channel redirect "
            + start.payload().at("/channel/name").asText()
            + " default,app-"
            + APP
            + ",1");
    EventEnvelope second =
        controller.event(
            "redirected",
            "STASIS_START",
            event -> !creationTime(event).equals(creationTime(start)));
    assertThat(second.channelId()).isEqualTo("r");
    controller.execute("redirected", "DELETE", "/channels/r").assertStatus(204);
    controller.event("redirected", "CHANNEL_DESTROYED", event -> event.isOfChannel("r"));
    Awaitility.await("mapping ended").until(() -> mapping("CHANNEL:r").ended());
  }

  private static String creationTime(EventEnvelope event) {
    return event.payload().at("/channel/creationtime").asText();
  }

  private static JsonNode json(String text) {
    try {
      return new ObjectMapper().readTree(text.replace('\'', '"'));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private Mapping mapping(String key) {
    return (Mapping)
        proxy
            .context()
            .getRegistry()
            .lookupByNameAndType("callContexts", Cache.class)
            .asMap()
            .get(key);
  }
}
