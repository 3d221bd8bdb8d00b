// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.fixtures.HostileText;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TagValueFilterTest {

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  @BeforeEach
  void addFilter() {
    registry.config().meterFilter(new TagValueFilter());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "STASIS_START",
        "/channels/{channelId}/play",
        "CodeHeap 'non-profiled nmethods'",
        "G1 Evacuation Pause (normal)",
        "München",
        ""
      })
  void keepsSuitableValue(String value) {
    registry.counter("c", "tag", value, "other", "value").increment();

    assertThat(registry.get("c").counter().getId().getTag("tag")).isEqualTo(value);
  }

  @Test
  void countsUnsuitableValuesAsOther() {
    List<String> unsuitable =
        List.of(HostileText.all(), HostileText.large(), "x".repeat(129), "a\"b", "a\\b", "\u202e");
    for (String value : unsuitable) {
      registry.counter("c", "tag", value, "other", "value").increment();
    }

    assertThat(registry.get("c").tag("tag", "other").tag("other", "value").counter().count())
        .isEqualTo(unsuitable.size());
    assertThat(registry.get("c").counters()).hasSize(1);
  }
}
