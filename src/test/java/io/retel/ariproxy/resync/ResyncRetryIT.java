// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Tests that events continue while Asterisk does not respond to a resync, which completes later.
 */
class ResyncRetryIT {

  private static final String APP = "silent-at-first";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  private SimulatedAsterisk asterisk;

  @BeforeEach
  void startAsterisk() {
    asterisk = fixture.startSimulatedAsterisk();
  }

  @Test
  void publishesMissedEventsOnceAsteriskResponds() {
    fixture.settings().with(Setting.CALLCONTEXT_STORE, "memory");
    EmbeddedProxy firstProxy = fixture.startProxy();
    startCall("call");
    firstProxy.close();

    Fault forbidden =
        asterisk
            .faults()
            .respondWith(request -> request.uri().equals("/ari/channels"), 403, "Forbidden");
    EmbeddedProxy secondProxy = fixture.startProxy();
    Awaitility.await("resync failed")
        .until(() -> secondProxy.counter("ari-proxy.resync.failures") > 0);
    startCall("newer call");
    assertThat(secondProxy.health("resync"))
        .startsWith("DOWN: Resync incomplete: ")
        .endsWith(", GET /channels responded with 403");
    forbidden.clear();

    fixture.controller().event("call", "STASIS_START", ResyncRetryIT::isLate);
    Awaitility.await("resync completed").until(() -> secondProxy.health("resync").equals("UP"));
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(2);
  }

  @Test
  void eventsContinueWhilePlaybacksAreNotDescribed() {
    EmbeddedProxy proxy = fixture.startProxy();
    String channel = startCall("call");
    for (int i = 0; i < 50; i++) {
      asterisk.emit(
          APP,
          "{\"type\":\"PlaybackStarted\",\"application\":\""
              + APP
              + "\",\"playback\":{\"id\":\"playback-"
              + i
              + "\",\"target_uri\":\"channel:"
              + channel
              + "\"}}");
    }
    fixture.controller().event("call", "PLAYBACK_STARTED", event -> hasPlayback(event, 49));

    Fault hang =
        asterisk.faults().hang(request -> request.uri().startsWith("/ari/playbacks/playback"));
    asterisk.dropConnections();
    asterisk.awaitConnected(APP);
    startCall("newer call");
    EventEnvelope restored = fixture.controller().event("call", "ARI_CONNECTION_RESTORED");
    assertThat(restored.payload().has("late")).isFalse();
    assertThat(proxy.gauge("ari-proxy.resync.pending")).isEqualTo(50);
    assertThat(hang.hits()).as("concurrent requests").isEqualTo(8);

    hang.clear();
    for (int i : List.of(0, 49)) {
      fixture
          .controller()
          .event("call", "PLAYBACK_FINISHED", event -> hasPlayback(event, i) && isLate(event));
    }
    Awaitility.await("resync completed").until(() -> proxy.health("resync").equals("UP"));
  }

  @Test
  void stopsWithoutWaitingForAsterisk() {
    fixture.settings().with(Setting.ARI_RESPONSE_TIMEOUT, "5m");
    CapturedLog log = fixture.register(new CapturedLog());
    EmbeddedProxy proxy = fixture.startProxy();
    startCall("call");
    Fault hang = asterisk.faults().hang(request -> request.uri().equals("/ari/channels"));
    asterisk.dropConnections();
    asterisk.awaitConnected(APP);
    hang.awaitHits(1);
    startCall("newer call");

    Async.run(proxy::close).orTimeout(DefaultTimeout.SECONDS, TimeUnit.SECONDS).join();
    assertThat(log.lines(Level.INFO))
        .anyMatch(line -> line.contains("STOPPED: all events acknowledged"));
  }

  private String startCall(String callContext) {
    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", callContext));
    return fixture.controller().event(callContext, "STASIS_START").channelId();
  }

  private static boolean isLate(EventEnvelope event) {
    return event.isSynthetic() && event.payload().path("late").asBoolean();
  }

  private static boolean hasPlayback(EventEnvelope event, int number) {
    return event.payload().at("/playback/id").asText().equals("playback-" + number);
  }
}
