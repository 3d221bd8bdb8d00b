// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.asterisk.WebSocketTap;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
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
 * Tests bursts of events with Asterisk's default of {@code websocket_write_timeout}: one that is
 * not read in time, and one that lasts.
 */
@FullRun("12 MB of events, and a burst of 10 s")
@Tag(FullRun.ON_DEMAND)
class WriteTimeoutIT {

  private static final String APP = "ari-proxy-burst";
  private static final int EVENTS = 300;
  private static final List<String> SENDERS = List.of("sender-1", "sender-2", "sender-3");
  private static final int NUMBERS = 800;
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
    awaitPublished("after");
  }

  @Test
  void deliversSustainedBurst() {
    deliversSustainedBurst("sid");
  }

  @Test
  void deliversSustainedBurstOnAsterisk16() {
    deliversSustainedBurst("bullseye");
  }

  /** On a slow machine, Asterisk can close the websocket: events are missing in gaps alone. */
  private void deliversSustainedBurst(String suite) {
    asterisk = fixture.startRealAsterisk(suite);
    asterisk.setWebsocketWriteTimeout(Duration.ofMillis(100));
    EmbeddedProxy proxy = fixture.startProxy();
    controller = fixture.controller();
    asterisk.request("POST", "/applications/" + APP + "/subscription?eventSource=channel:");

    SENDERS.forEach(this::startBurst);
    asterisk.await(
        "/channels",
        channels ->
            channels.findValuesAsText("app_name").stream().filter("WaitExten"::equals).count()
                == SENDERS.size());
    Awaitility.await("all numbers, or a gap")
        .pollInterval(Duration.ofSeconds(1))
        .until(
            () ->
                reconnects(proxy) > 0
                    || SENDERS.stream().allMatch(sender -> numbers(sender).contains(NUMBERS)));

    for (String sender : SENDERS) {
      awaitEventAfterNumbers(sender);
      List<Integer> numbers = numbers(sender);
      assertThat(numbers).as(sender).doesNotHaveDuplicates().isSorted();
      // read after the numbers: none without a reconnect, otherwise at most one for each
      assertThat(holes(numbers)).as("holes of %s", sender).isLessThanOrEqualTo(reconnects(proxy));
    }
    assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
    assertThat(proxy.counter("ari-proxy.websocket.messages.lost")).isZero();
  }

  /** The call context is also the id of the channel that sets the numbers. */
  private void startBurst(String sender) {
    asterisk.request(
        "POST",
        "/channels?endpoint=Local/burst-%d~%s@default&channelId=far-%s&otherChannelId=%s"
                .formatted(NUMBERS, sender, sender, sender)
            + "&context=default&extension=3002");
  }

  private static int reconnects(EmbeddedProxy proxy) {
    return (int) proxy.counter("ari-proxy.websocket.reconnects");
  }

  private List<Integer> numbers(String sender) {
    return controller.events().stream()
        .filter(event -> isNumber(event) && sender.equals(event.callContext()))
        .map(event -> event.payload().path("value").asInt())
        .toList();
  }

  private static boolean isNumber(EventEnvelope event) {
    return event.payload().path("variable").asText().equals("NUMBER");
  }

  /** How often successive numbers are missing, at the start and the end as well. */
  private static int holes(List<Integer> numbers) {
    int holes = 0;
    int previous = 0;
    for (int number : numbers) {
      if (number != previous + 1) {
        holes++;
      }
      previous = number;
    }
    return previous == NUMBERS ? holes : holes + 1;
  }

  /** Waits until events continue; one of the same call context is published after its numbers. */
  private void awaitEventAfterNumbers(String sender) {
    channel = sender;
    awaitPublished("after-" + sender);
  }

  private void awaitPublished(String name) {
    Awaitility.await(name)
        .pollInterval(Duration.ofSeconds(1))
        .until(
            () -> {
              sendEvents(name, 1);
              return !published(name).isEmpty();
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
