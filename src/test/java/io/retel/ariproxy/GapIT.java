package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What happens in a real Asterisk while nobody reads its events is made up for at the next connect
 * (contract.md section 5).
 */
@ExtendWith(KafkaExtension.class)
class GapIT {

  private static final String APP = "ari-proxy-gap";

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"sid", "bullseye"})
  void whatHappensWhileTheProxyHangsAndIsKilledIsMadeUpFor(String suite, KafkaBroker kafka) {
    try (RealAsterisk asterisk = RealAsterisk.start(suite)) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"));
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();
        String staying = call(asterisk, controller, "staying-" + suite);
        String ending = call(asterisk, controller, "ending-" + suite);
        // two calls that only commands know of
        originate(controller, "made-" + suite, "made-channel-" + suite);
        originate(controller, "gone-" + suite, "gone-channel-" + suite);
        controller.ask("gone-" + suite, "POST", "/bridges/gone-bridge-" + suite);
        controller.ask("made-" + suite, "POST", "/bridges/made-bridge-" + suite);
        play(controller, "made-" + suite, "made-channel-" + suite, "made-playback-" + suite);
        record(controller, "gone-" + suite, "gone-channel-" + suite, "gone-recording-" + suite);

        controller.awaitCommitted();
        proxy.freeze();
        asterisk.call("ctx-arriving-" + suite + "~" + APP);
        asterisk.ari("DELETE", "/playbacks/made-playback-" + suite);
        asterisk.ari("DELETE", "/channels/" + ending);
        asterisk.ari("DELETE", "/channels/gone-channel-" + suite);
        asterisk.ari("DELETE", "/bridges/gone-bridge-" + suite);
        asterisk.await("/channels", channels -> count(channels, "Stasis") == 3);
        proxy.kill();
        proxy.start();

        TopicRecord arrived = synthesized(controller, "arriving-" + suite, "STASIS_START");
        String arriving = arrived.json().at("/payload/channel/id").asText();
        synthesized(controller, "made-" + suite, "PLAYBACK_FINISHED");
        synthesized(controller, "gone-" + suite, "RECORDING_FINISHED");
        synthesized(controller, "gone-" + suite, "STASIS_END");
        synthesized(controller, "gone-" + suite, "CHANNEL_DESTROYED");
        synthesized(controller, "gone-" + suite, "BRIDGE_DESTROYED");
        synthesized(controller, "ending-" + suite, "STASIS_END");
        assertThat(
                synthesized(controller, "staying-" + suite, "ARI_CONNECTION_RESTORED")
                    .json()
                    .at("/payload/channels/0/id")
                    .asText())
            .isEqualTo(staying);
        assertThat(
                synthesized(controller, "made-" + suite, "ARI_CONNECTION_RESTORED")
                    .json()
                    .path("resources")
                    .toString())
            .contains("made-channel-" + suite, "made-bridge-" + suite);

        // and all of it goes on
        assertThat(
                status(
                    controller, "arriving-" + suite, "POST", "/channels/" + arriving + "/answer"))
            .isEqualTo(204);
        assertThat(status(controller, "made-" + suite, "DELETE", "/channels/made-channel-" + suite))
            .isEqualTo(204);
        controller.event(
            "made-" + suite,
            "CHANNEL_DESTROYED",
            payload ->
                payload.at("/channel/id").asText().equals("made-channel-" + suite)
                    && payload.path("synthesized_by").isMissingNode());
        assertThat(status(controller, "staying-" + suite, "DELETE", "/channels/" + staying))
            .isEqualTo(204);
        controller.event(
            "staying-" + suite,
            "STASIS_END",
            payload -> payload.path("synthesized_by").isMissingNode());
        assertThat(controller.unmapped()).isEmpty();
        assertThat(restored(controller, "gone-" + suite)).isZero();
        assertThat(restored(controller, "ending-" + suite)).isZero();
        assertThat(restored(controller, "staying-" + suite)).isOne();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sid", "bullseye"})
  void whenAsteriskIsStartedAgainAllThatItHadHasEnded(String suite, KafkaBroker kafka) {
    try (RealAsterisk asterisk = RealAsterisk.start(suite)) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"));
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();
        call(asterisk, controller, "call-" + suite);
        originate(controller, "made-" + suite, "made-" + suite);
        controller.ask("made-" + suite, "POST", "/bridges/bridge-" + suite);
        play(controller, "made-" + suite, "made-" + suite, "playback-" + suite);

        controller.ask(
            "setup",
            "POST",
            "/applications/" + APP + "/subscription?eventSource=deviceState:Stasis:x");
        ObjectNode filter = JsonNodeFactory.instance.objectNode();
        filter.putArray("disallowed").addObject().put("type", "ChannelDialplan");
        controller.response(
            controller.send("setup", "PUT", "/applications/" + APP + "/eventFilter", filter));

        asterisk.kill();
        asterisk.startAgain();

        synthesized(controller, "call-" + suite, "STASIS_END");
        synthesized(controller, "made-" + suite, "PLAYBACK_FINISHED");
        synthesized(controller, "made-" + suite, "STASIS_END");
        synthesized(controller, "made-" + suite, "CHANNEL_DESTROYED");
        synthesized(controller, "made-" + suite, "BRIDGE_DESTROYED");
        assertThat(restored(controller, "call-" + suite)).isZero();
        assertThat(restored(controller, "made-" + suite)).isZero();
        asterisk.await(
            "/applications/" + APP,
            application ->
                application.at("/device_names/0").asText().equals("Stasis:x")
                    && application
                        .at("/events_disallowed/0/type")
                        .asText()
                        .equals("ChannelDialplan"));
      }
    }
  }

  private static long count(JsonNode channels, String application) {
    return StreamSupport.stream(channels.spliterator(), false)
        .filter(channel -> channel.at("/dialplan/app_name").asText().equals(application))
        .count();
  }

  private static long restored(Controller controller, String callContext) {
    return controller.events().stream()
        .filter(record -> callContext.equals(record.key()))
        .filter(record -> record.json().path("type").asText().equals("ARI_CONNECTION_RESTORED"))
        .count();
  }

  private static TopicRecord synthesized(Controller controller, String callContext, String type) {
    return controller.event(
        callContext, type, payload -> payload.path("synthesized_by").asText().equals("ari-proxy"));
  }

  private static String call(RealAsterisk asterisk, Controller controller, String callContext) {
    asterisk.call("ctx-" + callContext + "~" + APP);
    return controller
        .event(callContext, "STASIS_START", any())
        .json()
        .at("/payload/channel/id")
        .asText();
  }

  private static void originate(Controller controller, String callContext, String channel) {
    controller.ask(
        callContext,
        "POST",
        "/channels?endpoint=Local/3001@default&app=" + APP + "&channelId=" + channel);
    controller.event(callContext, "STASIS_START", any());
  }

  private static void play(
      Controller controller, String callContext, String channel, String playback) {
    // long enough to last
    controller.ask(
        callContext, "POST", "/channels/" + channel + "/play/" + playback + "?media=tone:ring");
    controller.event(callContext, "PLAYBACK_STARTED", any());
  }

  private static void record(
      Controller controller, String callContext, String channel, String name) {
    controller.ask(
        callContext,
        "POST",
        "/channels/" + channel + "/record?format=wav&ifExists=overwrite&name=" + name);
    controller.event(callContext, "RECORDING_STARTED", any());
  }

  private static int status(Controller controller, String context, String method, String url) {
    return controller.ask(context, method, url).path("status_code").asInt();
  }

  private static Predicate<JsonNode> any() {
    return payload -> true;
  }
}
