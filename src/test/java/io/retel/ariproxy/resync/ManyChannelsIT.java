// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tests resync and comparison while a real Asterisk has thousands of channels. */
@FullRun("4,000 channels")
@Tag(FullRun.ON_DEMAND)
class ManyChannelsIT {

  private static final String APP = "ari-proxy-many";

  /** Each has two channels, the second of which is in Stasis. */
  private static final int CALLS = 2_000;

  private static final int PART = 100;

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  private RealAsterisk asterisk;
  private Controller controller;

  @Test
  void areComparedWithoutWrongEnd() {
    areComparedWithoutWrongEnd("sid");
  }

  @Test
  @FullRun("the same on Asterisk 16")
  void areComparedWithoutWrongEndOnAsterisk16() {
    areComparedWithoutWrongEnd("bullseye");
  }

  private void areComparedWithoutWrongEnd(String suite) {
    asterisk = fixture.startRealAsterisk(suite);
    fixture
        .settings()
        .with(Setting.CALLCONTEXT_COMPARISON_INTERVAL, "1s")
        .with(Setting.CALLCONTEXT_GRACE_PERIOD, "1s");
    EmbeddedProxy firstProxy = fixture.startProxy();
    controller = fixture.controller();
    asterisk.originateRingingCalls(
        IntStream.range(0, CALLS).mapToObj(call -> extension("call-" + call)).toList());
    Map<String, String> channels =
        awaitEvents(CALLS, event -> event.hasType("STASIS_START")).stream()
            .collect(Collectors.toMap(EventEnvelope::key, EventEnvelope::channelId));
    assertThat(asterisk.request("GET", "/channels")).hasSizeGreaterThan(1_500_000);
    firstProxy.close();

    List<String> endedInGap = calls(0);
    endedInGap.forEach(call -> asterisk.request("DELETE", "/channels/" + channels.get(call)));
    asterisk.await("/channels", found -> found.size() == 2 * (CALLS - PART));
    EmbeddedProxy proxy = fixture.startProxy();

    awaitEvents(PART, ManyChannelsIT::isSyntheticEnd);
    awaitEvents(CALLS - PART, event -> event.hasType("ARI_CONNECTION_RESTORED"));
    asterisk.originateRingingCalls(List.of(extension("new")));
    controller.event("new", "STASIS_START", event -> !event.isSynthetic());
    assertThat(keys(ManyChannelsIT::isSyntheticEnd))
        .containsExactlyInAnyOrderElementsOf(endedInGap);
    assertThat(keys(event -> event.hasType("ARI_CONNECTION_RESTORED")))
        .doesNotContainAnyElementsOf(endedInGap);
    assertThat(proxy.health("resync")).isEqualTo("UP");

    // another gap, in which nothing changes
    proxy.managedBean("Websocket").invoke("reconnect");
    awaitEvents(2 * (CALLS - PART) + 1, event -> event.hasType("ARI_CONNECTION_RESTORED"));
    assertThat(keys(ManyChannelsIT::isSyntheticEnd)).hasSize(PART);

    // Asterisk reports no end of those that continue in the dialplan
    calls(1)
        .forEach(
            call ->
                controller.send(
                    call,
                    "POST",
                    "/channels/"
                        + channels.get(call)
                        + "/continue?context=default&extension=3003&priority=1"));
    Awaitility.await("mappings of continued calls ended")
        .until(() -> proxy.counter("ari-proxy.comparison.mappings.ended") == PART);
    Awaitility.await("other mappings only")
        .until(() -> proxy.gauge("ari-proxy.call-contexts") == CALLS - 2 * PART + 1);
    assertThat(keys(event -> event.hasType("STASIS_END") && !event.isSynthetic()))
        .containsExactlyInAnyOrderElementsOf(calls(1));
    assertThat(proxy.counter("ari-proxy.comparison.mappings.ended")).isEqualTo(PART);
  }

  private static String extension(String call) {
    return "ctx-" + call + "~" + APP;
  }

  private static List<String> calls(int part) {
    return IntStream.range(part * PART, (part + 1) * PART)
        .mapToObj(call -> "call-" + call)
        .toList();
  }

  private static boolean isSyntheticEnd(EventEnvelope event) {
    return event.hasType("STASIS_END") && event.isSynthetic();
  }

  private List<EventEnvelope> awaitEvents(int count, Predicate<EventEnvelope> condition) {
    return Awaitility.await(count + " events")
        .pollInterval(Duration.ofMillis(500))
        .until(() -> events(condition), events -> events.size() >= count);
  }

  private List<String> keys(Predicate<EventEnvelope> condition) {
    return events(condition).stream().map(EventEnvelope::key).toList();
  }

  private List<EventEnvelope> events(Predicate<EventEnvelope> condition) {
    return controller.events().stream().filter(condition).toList();
  }
}
