// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.fixtures.EqualHashes;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Asterisk's own events after synthetic ones. */
class SyntheticEventLogTest {

  private final CallContexts callContexts =
      new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.systemTicker());
  private final SyntheticEventLog log =
      new SyntheticEventLog(callContexts, Duration.ofMinutes(1), Ticker.systemTicker());

  /** A channel's creation time can change, but not its name. */
  @ParameterizedTest
  @CsvSource({
    "BRIDGE, 1, x, true",
    "BRIDGE, 2, x, false",
    "CHANNEL, 1, x, true",
    "CHANNEL, 2, x, true",
    "CHANNEL, 2, y, false"
  })
  void detectsEndOfOtherResource(
      ResourceType type, String creationTime, String name, boolean isDuplicate) {
    Resource resource = end(type, "1", "x").resources().get(0);
    callContexts.move(resource, "call");
    log.record(end(type, "", ""));
    callContexts.end(resource);
    assertThat(log.consumeIfDuplicate(end(type, creationTime, name))).isEqualTo(isDuplicate);
  }

  /** Otherwise, these take minutes. */
  @Test
  void isFastForIdsWithOneHashCode() {
    List<String> ids = EqualHashes.texts(15).toList();
    ids.forEach(id -> log.record(hangup(id)));
    assertThat(ids).allMatch(id -> log.consumeIfDuplicate(hangup(id)));
  }

  private static AriEvent hangup(String id) {
    return AriEvent.parse(
        "{\"type\":\"ChannelDestroyed\",\"application\":\"app\",\"channel\":{\"id\":\"%s\"}}"
            .formatted(id));
  }

  private static AriEvent end(ResourceType type, String creationTime, String name) {
    boolean isBridge = type == ResourceType.BRIDGE;
    return AriEvent.parse(
        ("{\"type\":\"%s\",\"application\":\"app\","
                + "\"%s\":{\"id\":\"id\",\"creationtime\":\"%s\",\"name\":\"%s\"}}")
            .formatted(
                isBridge ? "BridgeDestroyed" : "ChannelDestroyed",
                isBridge ? "bridge" : "channel",
                creationTime,
                name));
  }
}
