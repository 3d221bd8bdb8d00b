package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.benmanes.caffeine.cache.Cache;
import io.retel.ariproxy.callcontext.Mapping;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
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

/** How long a real Asterisk's channels, playbacks and recordings are remembered. */
@ExtendWith(KafkaExtension.class)
class MappingLifetimeIT {

  private static final String APP = "ari-proxy-lifetime";

  @ParameterizedTest
  @ValueSource(strings = {"sid", "bullseye"})
  void aMappingLastsAsLongAsItsResource(String suite, KafkaBroker kafka) {
    try (RealAsterisk asterisk = RealAsterisk.start(suite)) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();

        // the controller ends it; what plays and records ends with it
        TopicRecord deleted = call(asterisk, controller, 60);
        String channel = "/channels/" + channel(deleted);
        controller.ask(deleted.key(), "POST", channel + "/answer");
        controller.ask(deleted.key(), "POST", channel + "/play/none?media=sound:no-such-sound");
        controller.event(deleted.key(), "PLAYBACK_FINISHED", any());
        controller.ask(
            deleted.key(), "POST", channel + "/record?name=cut&format=wav&ifExists=overwrite");
        controller.event(deleted.key(), "RECORDING_STARTED", any());
        controller.ask(deleted.key(), "DELETE", "/recordings/live/cut");
        controller.event(deleted.key(), "RECORDING_FINISHED", any());
        // a snoop channel leaves Stasis when its channel is gone, and nothing more is told of it
        controller.ask(deleted.key(), "POST", channel + "/snoop/listener?spy=in&app=" + APP);
        controller.event(deleted.key(), "STASIS_START", of("listener"));
        assertThat(mapping(proxy, "CHANNEL:" + channel(deleted)).ended()).isFalse();
        controller.ask(deleted.key(), "DELETE", channel);
        controller.event(deleted.key(), "STASIS_END", of(channel(deleted)));
        assertThat(mapping(proxy, "CHANNEL:" + channel(deleted)).ended()).isTrue();
        controller.event(deleted.key(), "STASIS_END", of("listener"));
        assertThat(mapping(proxy, "CHANNEL:listener").ended()).isTrue();
        assertThat(mapping(proxy, "PLAYBACK:none").ended()).isTrue();
        assertThat(mapping(proxy, "RECORDING:cut").ended()).isTrue();

        // the far end hangs up, a second after the answer
        TopicRecord left = call(asterisk, controller, 1);
        controller.ask(left.key(), "POST", "/channels/" + channel(left) + "/answer");
        controller.event(left.key(), "STASIS_END", any());
        assertThat(mapping(proxy, "CHANNEL:" + channel(left)).ended()).isTrue();

        // it goes on in the dialplan and comes back
        TopicRecord back = call(asterisk, controller, 60);
        controller.ask(
            back.key(),
            "POST",
            "/channels/"
                + channel(back)
                + "/continue?context=default&priority=1&extension=app-"
                + APP);
        controller.event(back.key(), "STASIS_END", any());
        assertThat(mapping(proxy, "CHANNEL:" + channel(back)).ended()).isFalse();
        Awaitility.await("it is back under its context")
            .until(
                () ->
                    controller.events().stream()
                            .filter(record -> back.key().equals(record.key()))
                            .filter(MappingLifetimeIT::isStart)
                            .count()
                        == 2);
      }
    }
  }

  private static Predicate<JsonNode> of(String channel) {
    return payload -> channel.equals(payload.at("/channel/id").asText());
  }

  private static TopicRecord call(RealAsterisk asterisk, Controller controller, int seconds) {
    int before = starts(controller);
    asterisk.console("channel originate Local/app-" + APP + "@default application Wait " + seconds);
    Awaitility.await("a call").until(() -> starts(controller) > before);
    return controller.events().stream()
        .filter(MappingLifetimeIT::isStart)
        .reduce((first, second) -> second)
        .orElseThrow();
  }

  private static int starts(Controller controller) {
    return (int) controller.events().stream().filter(MappingLifetimeIT::isStart).count();
  }

  private static boolean isStart(TopicRecord record) {
    return "STASIS_START".equals(record.json().path("type").asText());
  }

  private static String channel(TopicRecord start) {
    return start.json().at("/payload/channel/id").asText();
  }

  private static Mapping mapping(RunningProxy proxy, String resource) {
    Object mapping =
        proxy
            .context()
            .getRegistry()
            .lookupByNameAndType("callContexts", Cache.class)
            .asMap()
            .get(resource);
    return (Mapping) mapping;
  }

  private static Predicate<JsonNode> any() {
    return payload -> true;
  }
}
