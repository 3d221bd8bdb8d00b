package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.asterisk.WebSocketTap;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The main job on a real Asterisk and a real Kafka. */
@ExtendWith(KafkaExtension.class)
class RealAsteriskIT {

  private static final String APP = "ari-proxy-it";

  /**
   * The call: into Stasis, answered, played to, recorded, bridged with a second one, hung
   * up.
   */
  @ParameterizedTest
  @ValueSource(strings = {"sid", "bullseye"})
  void aCallGoesThroughWithEveryEventInOrderAndEveryCommandAnswered(String suite, KafkaBroker kafka)
      throws Exception {
    String call = "call-of-" + suite;
    try (RealAsterisk asterisk = RealAsterisk.start(suite);
        WebSocketTap tap = WebSocketTap.before(asterisk.url())) {
      ProxySettings settings =
          ProxySettings.of(tap.url(), RealAsterisk.USERNAME, RealAsterisk.PASSWORD, APP, kafka);
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();

        asterisk.call("ctx-" + call + "~" + APP);
        String channel =
            controller.event(call, "STASIS_START", any()).json().at("/payload/channel/id").asText();
        String first = "/channels/" + channel;

        expect(204, controller.ask(call, "POST", first + "/answer"));
        expect(
            201,
            controller.ask(call, "POST", first + "/play/greeting-" + suite + "?media=sound:beep"));
        controller.event(call, "PLAYBACK_FINISHED", id("playback", "id", "greeting-" + suite));
        expect(
            201,
            controller.ask(
                call,
                "POST",
                first
                    + "/record?name=voice-"
                    + suite
                    + "&format=wav&maxDurationSeconds=1&ifExists=overwrite"));
        controller.event(call, "RECORDING_FINISHED", id("recording", "name", "voice-" + suite));

        String bridge = "bridge-" + suite;
        expect(200, controller.ask(call, "POST", "/ari/bridges/" + bridge + "?type=mixing"));
        expect(
            204,
            controller.ask(call, "POST", "/bridges/" + bridge + "/addChannel?channel=" + channel));
        String second = "second-" + suite;
        expect(
            200,
            controller.ask(
                call,
                "POST",
                "/channels?endpoint=Local/3000@default&app=" + APP + "&channelId=" + second));
        controller.event(call, "STASIS_START", id("channel", "id", second));
        expect(
            204,
            controller.ask(call, "POST", "/bridges/" + bridge + "/addChannel?channel=" + second));
        controller.event(call, "CHANNEL_ENTERED_BRIDGE", id("channel", "id", second));
        // no id of the controller's own: the proxy gives one, and the RESPONSE tells it
        TopicRecord played =
            controller.response(
                controller.send(call, "POST", "/bridges/" + bridge + "/play?media=sound:beep"));
        expect(201, played.json().path("payload"));
        String playback = played.json().at("/resources/1/id").asText();
        controller.event(call, "PLAYBACK_FINISHED", id("playback", "id", playback));

        expect(204, controller.ask(call, "DELETE", "/channels/" + second));
        expect(204, controller.ask(call, "DELETE", first));
        controller.event(call, "CHANNEL_DESTROYED", id("channel", "id", second));
        controller.event(call, "CHANNEL_DESTROYED", id("channel", "id", second + ";2"));
        controller.event(call, "STASIS_END", id("channel", "id", channel));
        expect(204, controller.ask(call, "DELETE", "/bridges/" + bridge));

        Awaitility.await("every event is published")
            .untilAsserted(
                () ->
                    assertThat(
                            controller.events().stream()
                                .filter(record -> call.equals(record.key()))
                                .map(Controller::payload))
                        .containsExactlyElementsOf(tap.messages()));
        assertThat(controller.unmapped()).isEmpty();
        assertThat(controller.responses())
            .filteredOn(record -> call.equals(record.key()))
            .extracting(record -> record.json().path("commandId").asText())
            .containsExactlyElementsOf(controller.sent(call));
        assertThat(proxy.count("ari-proxy.events.unreadable")).isZero();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sid", "bullseye"})
  void anAsteriskThatIsRestartedIsConnectedAgain(String suite, KafkaBroker kafka) {
    try (RealAsterisk asterisk = RealAsterisk.start(suite)) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();
        asterisk.call("ctx-before-" + suite + "~" + APP);
        controller.event("before-" + suite, "STASIS_START", any());

        asterisk.restart();

        controller.awaitApplication();
        asterisk.call("ctx-after-" + suite + "~" + APP);
        controller.event("after-" + suite, "STASIS_START", any());

        asterisk.kill();
        asterisk.startAgain();

        controller.awaitApplication();
        asterisk.call("ctx-after-kill-" + suite + "~" + APP);
        controller.event("after-kill-" + suite, "STASIS_START", any());
      }
    }
  }

  private static void expect(int status, JsonNode payload) {
    assertThat(payload.path("status_code").asInt()).as("%s", payload).isEqualTo(status);
  }

  private static Predicate<JsonNode> any() {
    return payload -> true;
  }

  private static Predicate<JsonNode> id(String resource, String field, String value) {
    return payload -> value.equals(payload.path(resource).path(field).asText());
  }
}
