// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.asterisk.WebSocketTap;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests a complete call on a real Asterisk and a real Kafka. */
@ExtendWith(KafkaExtension.class)
class RealAsteriskIT {

  private static final String APP = "ari-proxy-it";

  /**
   * A call enters Stasis and is answered, played to, recorded, bridged with a second one and hung
   * up.
   */
  @ParameterizedTest
  @ValueSource(strings = {"sid", "bullseye"})
  void publishesAllEventsAndRespondsToAllCommands(String suite, KafkaBroker kafka)
      throws Exception {
    String callContext = "call-of-" + suite;
    try (RealAsterisk asterisk = RealAsterisk.start(suite);
        WebSocketTap tap = WebSocketTap.open(asterisk.url())) {
      ProxySettings settings =
          ProxySettings.of(tap.url(), RealAsterisk.USERNAME, RealAsterisk.PASSWORD, APP, kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();

        proxy.awaitResync();
        asterisk.originateCall("ctx-" + callContext + "~" + APP);
        String channel = controller.event(callContext, "STASIS_START").channelId();
        String channelUrl = "/channels/" + channel;

        controller.execute(callContext, "POST", channelUrl + "/answer").assertStatus(204);
        controller
            .execute(
                callContext,
                "POST",
                channelUrl + "/play/greeting-" + suite + "?media=sound:beep,sound:beep")
            .assertStatus(201);
        controller.event(
            callContext, "PLAYBACK_FINISHED", hasId("playback", "id", "greeting-" + suite));
        assertThat(controller.events())
            .filteredOn(event -> event.type().startsWith("PLAYBACK_"))
            .extracting(EventEnvelope::type)
            .containsExactly(
                "PLAYBACK_STARTED", "PLAYBACK_CONTINUING", "PLAYBACK_STARTED", "PLAYBACK_FINISHED");
        controller
            .execute(
                callContext,
                "POST",
                channelUrl
                    + "/record?name=voice-"
                    + suite
                    + "&format=wav&maxDurationSeconds=1&ifExists=overwrite")
            .assertStatus(201);
        controller.event(
            callContext, "RECORDING_FINISHED", hasId("recording", "name", "voice-" + suite));

        String bridge = "bridge-" + suite;
        controller
            .execute(callContext, "POST", "/ari/bridges/" + bridge + "?type=mixing")
            .assertStatus(200);
        controller
            .execute(callContext, "POST", "/bridges/" + bridge + "/addChannel?channel=" + channel)
            .assertStatus(204);
        String secondChannel = "second-" + suite;
        controller
            .execute(
                callContext,
                "POST",
                "/channels?endpoint=Local/3000@default&app=" + APP + "&channelId=" + secondChannel)
            .assertStatus(200);
        controller.event(callContext, "STASIS_START", hasId("channel", "id", secondChannel));
        controller
            .execute(
                callContext, "POST", "/bridges/" + bridge + "/addChannel?channel=" + secondChannel)
            .assertStatus(204);
        controller.event(
            callContext, "CHANNEL_ENTERED_BRIDGE", hasId("channel", "id", secondChannel));
        // without an id from the controller: the proxy generates one, and the RESPONSE contains it
        Response playResponse =
            controller.response(
                controller.send(
                    callContext, "POST", "/bridges/" + bridge + "/play?media=sound:beep"));
        playResponse.assertStatus(201);
        String playback = playResponse.resources().get(1).id();
        controller.event(callContext, "PLAYBACK_FINISHED", hasId("playback", "id", playback));

        controller.execute(callContext, "DELETE", "/channels/" + secondChannel).assertStatus(204);
        controller.execute(callContext, "DELETE", channelUrl).assertStatus(204);
        controller.event(callContext, "CHANNEL_DESTROYED", hasId("channel", "id", secondChannel));
        controller.event(
            callContext, "CHANNEL_DESTROYED", hasId("channel", "id", secondChannel + ";2"));
        controller.event(callContext, "STASIS_END", hasId("channel", "id", channel));
        controller.execute(callContext, "DELETE", "/bridges/" + bridge).assertStatus(204);

        Awaitility.await("all events published")
            .untilAsserted(
                () ->
                    assertThat(
                            controller.events().stream()
                                .filter(record -> callContext.equals(record.key()))
                                .map(EventEnvelope::payloadText))
                        .containsExactlyElementsOf(tap.messages()));
        assertThat(controller.unmapped()).isEmpty();
        assertThat(controller.responses())
            .filteredOn(record -> callContext.equals(record.key()))
            .extracting(record -> record.commandId())
            .containsExactlyElementsOf(controller.sentCommandIds(callContext));
        assertThat(proxy.counter("ari-proxy.events.malformed")).isZero();
      }
    }
  }

  @Test
  void reconnectsAfterAsteriskRestart(KafkaBroker kafka) {
    reconnectsAfterAsteriskRestart("sid", kafka);
  }

  @Test
  @FullRun("the same on Asterisk 16")
  void reconnectsAfterAsteriskRestartOnAsterisk16(KafkaBroker kafka) {
    reconnectsAfterAsteriskRestart("bullseye", kafka);
  }

  private void reconnectsAfterAsteriskRestart(String suite, KafkaBroker kafka) {
    try (RealAsterisk asterisk = RealAsterisk.start(suite)) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();
        asterisk.originateCall("ctx-before-" + suite + "~" + APP);
        controller.event("before-" + suite, "STASIS_START");

        asterisk.restart();

        controller.awaitApplication();
        asterisk.originateCall("ctx-after-" + suite + "~" + APP);
        controller.event("after-" + suite, "STASIS_START");

        asterisk.kill();
        asterisk.start();

        controller.awaitApplication();
        asterisk.originateCall("ctx-after-kill-" + suite + "~" + APP);
        controller.event("after-kill-" + suite, "STASIS_START");
      }
    }
  }

  private static Predicate<EventEnvelope> hasId(String resource, String field, String value) {
    return event -> value.equals(event.payload().path(resource).path(field).asText());
  }
}
