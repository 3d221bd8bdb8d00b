// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReusedIdsTest {

  private static final int COUNT = 12_000;

  @Test
  void numberIsLimited() {
    assertThat(retained(Long.MAX_VALUE / 2, "call")).isEqualTo(10_000);
  }

  /** An eighth of the heap for mappings, in which a character has up to two bytes. */
  @Test
  void heapIsLimitedInSmallHeap() {
    long maxBytes = 8L << 20;
    assertThat(retained(maxBytes, "call")).isEqualTo(1_024);
    assertThat(retained(maxBytes, "漢".repeat(4_096))).isBetween(100L, 128L);
  }

  private static long retained(long maxBytes, String callContext) {
    ReusedIds reusedIds =
        new ReusedIds(Duration.ofHours(1), Duration.ofMinutes(1), new FakeTicker(), maxBytes);
    IntStream.range(0, COUNT)
        .mapToObj(ReusedIdsTest::channel)
        .forEach(channel -> reusedIds.moveEarlier(channel, callContext));
    return IntStream.range(0, COUNT)
        .mapToObj(ReusedIdsTest::channel)
        .filter(channel -> reusedIds.earlierCallContext(channel) != null)
        .count();
  }

  private static Resource channel(int number) {
    return new Resource(ResourceType.CHANNEL, "c" + number, "instance");
  }
}
