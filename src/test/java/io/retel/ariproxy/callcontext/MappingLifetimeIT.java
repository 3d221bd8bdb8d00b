// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Cache;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tests the lifetime of mappings of channels, playbacks and recordings on a real Asterisk. */
class MappingLifetimeIT {

  private static final String APP = "ari-proxy-lifetime";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @Test
  @FullRun("waits for comparisons with Asterisk")
  void mappingEndsWithItsResource() {
    mappingEndsWithItsResource("sid");
  }

  @Test
  @FullRun("the same on Asterisk 16")
  void mappingEndsWithItsResourceOnAsterisk16() {
    mappingEndsWithItsResource("bullseye");
  }

  private void mappingEndsWithItsResource(String suite) {
    RealAsterisk asterisk = fixture.startRealAsterisk(suite);
    fixture.settings().with(Setting.CALLCONTEXT_COMPARISON_INTERVAL, "1s");
    EmbeddedProxy proxy = fixture.startProxy();
    Controller controller = fixture.controller();

    // without an end event: a call ends in the dialplan, another never enters Stasis, and a
    // playback ends on a bridge without subscription
    EventEnvelope continued = startCall(asterisk, controller, 60);
    controller
        .execute(
            continued.key(),
            "POST",
            "/channels/"
                + continued.channelId()
                + "/continue?context=default&priority=1&extension=3003")
        .assertStatus(204);
    controller
        .execute(
            "dialed",
            "POST",
            "/channels/dialed?endpoint=Local/3003@default&context=default&priority=1&extension=3003")
        .assertStatus(200);
    controller.execute("announced", "POST", "/bridges/announced").assertStatus(200);
    controller
        .execute("announced", "POST", "/bridges/announced/play/announcement?media=sound:beep")
        .assertStatus(201);

    // the controller hangs up; playbacks and recordings end with the channel
    EventEnvelope deleted = startCall(asterisk, controller, 60);
    String channelUrl = "/channels/" + deleted.channelId();
    controller.execute(deleted.key(), "POST", channelUrl + "/answer");
    controller.execute(deleted.key(), "POST", channelUrl + "/play/none?media=sound:no-such-sound");
    controller.event(deleted.key(), "PLAYBACK_FINISHED");
    controller.execute(
        deleted.key(), "POST", channelUrl + "/record?name=cut&format=wav&ifExists=overwrite");
    controller.event(deleted.key(), "RECORDING_STARTED");
    controller.execute(deleted.key(), "DELETE", "/recordings/live/cut");
    controller.event(deleted.key(), "RECORDING_FINISHED");
    // a snoop channel leaves Stasis when its channel ends, and no further event follows
    controller.execute(deleted.key(), "POST", channelUrl + "/snoop/listener?spy=in&app=" + APP);
    controller.event(deleted.key(), "STASIS_START", event -> event.isOfChannel("listener"));
    assertThat(mapping(proxy, "CHANNEL:" + deleted.channelId()).ended()).isFalse();
    controller.execute(deleted.key(), "DELETE", channelUrl);
    controller.event(deleted.key(), "STASIS_END", event -> event.isOfChannel(deleted.channelId()));
    assertThat(mapping(proxy, "CHANNEL:" + deleted.channelId()).ended()).isTrue();
    controller.event(deleted.key(), "STASIS_END", event -> event.isOfChannel("listener"));
    assertThat(mapping(proxy, "CHANNEL:listener").ended()).isTrue();
    assertThat(mapping(proxy, "PLAYBACK:none").ended()).isTrue();
    assertThat(mapping(proxy, "RECORDING:cut").ended()).isTrue();

    // the far end hangs up, a second after the answer
    EventEnvelope hungUp = startCall(asterisk, controller, 1);
    controller.execute(hungUp.key(), "POST", "/channels/" + hungUp.channelId() + "/answer");
    controller.event(hungUp.key(), "STASIS_END");
    assertThat(mapping(proxy, "CHANNEL:" + hungUp.channelId()).ended()).isTrue();

    // it continues in the dialplan and returns
    EventEnvelope returned = startCall(asterisk, controller, 60);
    controller.execute(
        returned.key(),
        "POST",
        "/channels/"
            + returned.channelId()
            + "/continue?context=default&priority=1&extension=app-"
            + APP);
    controller.event(returned.key(), "STASIS_END");
    assertThat(mapping(proxy, "CHANNEL:" + returned.channelId()).ended()).isFalse();
    Awaitility.await("returned with its call context")
        .until(
            () ->
                controller.events().stream()
                        .filter(record -> returned.key().equals(record.key()))
                        .filter(MappingLifetimeIT::isStasisStart)
                        .count()
                    == 2);

    for (String ended :
        List.of(
            "CHANNEL:" + continued.channelId(),
            "CHANNEL:dialed",
            "CHANNEL:dialed;2",
            "PLAYBACK:announcement")) {
      Awaitility.await(ended)
          .until(() -> mapping(proxy, ended) == null || mapping(proxy, ended).ended());
    }
    assertThat(proxy.counter("ari-proxy.comparison.mappings.ended")).isEqualTo(4);
    assertThat(mapping(proxy, "BRIDGE:announced").ended()).isFalse();
    assertThat(mapping(proxy, "CHANNEL:" + returned.channelId()).ended()).isFalse();
  }

  private static EventEnvelope startCall(
      RealAsterisk asterisk, Controller controller, int seconds) {
    int before = countStasisStarts(controller);
    asterisk.runCli("channel originate Local/app-" + APP + "@default application Wait " + seconds);
    Awaitility.await("call started").until(() -> countStasisStarts(controller) > before);
    return controller.events().stream()
        .filter(MappingLifetimeIT::isStasisStart)
        .reduce((first, second) -> second)
        .orElseThrow();
  }

  private static int countStasisStarts(Controller controller) {
    return (int) controller.events().stream().filter(MappingLifetimeIT::isStasisStart).count();
  }

  private static boolean isStasisStart(EventEnvelope event) {
    return event.hasType("STASIS_START");
  }

  private static Mapping mapping(EmbeddedProxy proxy, String resource) {
    Object mapping =
        proxy
            .context()
            .getRegistry()
            .lookupByNameAndType("callContexts", Cache.class)
            .asMap()
            .get(resource);
    return (Mapping) mapping;
  }
}
