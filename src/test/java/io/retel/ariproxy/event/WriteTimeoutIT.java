// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.asterisk.WebSocketTap;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Tests a burst of events that is not read in time, with Asterisk's default of {@code
 * websocket_write_timeout}.
 */
@FullRun("12 MB of events")
@Tag(FullRun.ON_DEMAND)
class WriteTimeoutIT {

  private static final String APP = "ari-proxy-burst";
  private static final int EVENTS = 300;
  private static final String VARIABLES =
      "{\"variables\":{\"text\":\"" + "x".repeat(39_000) + "\"}}";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  private RealAsterisk asterisk;
  private Controller controller;
  private String channel;

  @Test
  void publishesWhatAsteriskWroteInTime() {
    publishesWhatAsteriskWroteInTime("sid");
  }

  @Test
  void publishesWhatAsteriskWroteInTimeOnAsterisk16() {
    publishesWhatAsteriskWroteInTime("bullseye");
  }

  private void publishesWhatAsteriskWroteInTime(String suite) {
    asterisk = fixture.startRealAsterisk(suite);
    asterisk.setWebsocketWriteTimeout(Duration.ofMillis(100));
    WebSocketTap tap = fixture.register(WebSocketTap.open(asterisk.url()));
    fixture.settings().with(Setting.ARI_URL, tap.url());
    fixture.startProxy();
    controller = fixture.controller();
    asterisk.originateCall("ctx-call~" + APP);
    channel = controller.event("call", "STASIS_START").channelId();

    // nobody reads
    tap.hold();
    sendEvents("unread", EVENTS);
    tap.release();

    controller.event("call", "ARI_CONNECTION_RESTORED");
    // those that Asterisk wrote before it closed the websocket
    List<Integer> unread = published("unread");
    assertThat(unread).hasSizeBetween(1, EVENTS - 1);
    assertThat(unread)
        .containsExactlyElementsOf(IntStream.rangeClosed(1, unread.size()).boxed().toList());
    Awaitility.await("events continue")
        .until(
            () -> {
              sendEvents("after", 1);
              return !published("after").isEmpty();
            });
  }

  private void sendEvents(String name, int count) {
    asterisk.requestEach(
        "POST",
        IntStream.rangeClosed(1, count)
            .mapToObj(i -> "/events/user/" + name + "-" + i + "?application=" + APP)
            .map(path -> path + "&source=channel:" + channel)
            .toList(),
        VARIABLES);
  }

  private List<Integer> published(String name) {
    return controller.events().stream()
        .map(WriteTimeoutIT::name)
        .filter(each -> each.startsWith(name + "-"))
        .map(each -> Integer.valueOf(each.substring(name.length() + 1)))
        .toList();
  }

  private static String name(EventEnvelope event) {
    return event.payload().path("eventname").asText();
  }
}
