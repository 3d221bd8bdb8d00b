// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How the limits of what waits in the heap follow its size. */
class HeapLimitsTest {

  private static final long MEGABYTE = 1 << 20;

  private final Map<String, String> environment =
      new HashMap<>(
          Map.of(
              "ARI_APP", "app",
              "ARI_USERNAME", "user",
              "ARI_PASSWORD", "secret",
              "KAFKA_EVENTS_AND_RESPONSES_TOPIC", "events",
              "KAFKA_COMMANDS_TOPIC", "commands"));

  @Test
  void largeHeapHasDefaults() {
    Settings settings = settings(700);

    assertThat(settings.get(Setting.KAFKA_MAX_IN_FLIGHT_BYTES)).isEqualTo(256 * MEGABYTE);
    assertThat(settings.get(Setting.ARI_BUFFER_SIZE)).isEqualTo(64 * MEGABYTE);
    assertThat(settings.get(Setting.ARI_RESPONSE_BUFFER_SIZE)).isEqualTo(32 * MEGABYTE);
    assertThat(settings.get(Setting.COMMANDS_DEDUP_CACHE_SIZE)).isEqualTo(64 * MEGABYTE);
    assertThat(limits(700).warning()).isEmpty();
    assertThat(limits(700).lowered()).isEmpty();
  }

  @Test
  void defaultsFollowSmallHeap() {
    Settings settings = settings(88);

    assertThat(settings.get(Setting.KAFKA_MAX_IN_FLIGHT_BYTES)).isEqualTo(16 * MEGABYTE);
    assertThat(settings.get(Setting.ARI_BUFFER_SIZE)).isEqualTo(4 * MEGABYTE);
    assertThat(settings.get(Setting.ARI_RESPONSE_BUFFER_SIZE)).isEqualTo(2 * MEGABYTE);
    assertThat(settings.get(Setting.COMMANDS_DEDUP_CACHE_SIZE)).isEqualTo(4 * MEGABYTE);
    assertThat(limits(88).warning()).isEmpty();
    assertThat(limits(88).lowered())
        .contains(
            "Heap of 88 MB limits kafka.max-in-flight-bytes = 16MB, ari.buffer-size = 4MB,"
                + " ari.response-buffer-size = 2MB, commands.dedup-cache-size = 4MB;"
                + " -Xmx1g allows the defaults");
  }

  @Test
  void tinyHeapHasValidDefaults() {
    assertThat(settings(32).get(Setting.KAFKA_MAX_IN_FLIGHT_BYTES)).isGreaterThan(MEGABYTE);
  }

  @Test
  void warnsIfConfiguredLimitsExceedHeap() {
    environment.put("KAFKA_MAX_IN_FLIGHT_BYTES", "256MB");
    environment.put("ARI_BUFFER_SIZE", "64MB");
    environment.put("ARI_RESPONSE_BUFFER_SIZE", "32MB");
    environment.put("COMMANDS_DEDUP_CACHE_SIZE", "64MB");

    assertThat(settings(512).get(Setting.KAFKA_MAX_IN_FLIGHT_BYTES)).isEqualTo(256 * MEGABYTE);
    assertThat(limits(512).warning())
        .contains(
            "Heap of 512 MB is too small for kafka.max-in-flight-bytes = 256MB, ari.buffer-size ="
                + " 64MB, ari.response-buffer-size = 32MB, commands.dedup-cache-size = 64MB: an"
                + " outage of Kafka can end with exit code 3. Set -Xmx673m or more,"
                + " or lower or remove these settings");
    assertThat(limits(673).warning()).isEmpty();
  }

  @Test
  void recommendedHeapIsLargeEnough() {
    environment.put("KAFKA_MAX_IN_FLIGHT_BYTES", "256MB");
    environment.put("ARI_BUFFER_SIZE", "64MB");
    environment.put("ARI_RESPONSE_BUFFER_SIZE", "32MB");
    environment.put("COMMANDS_DEDUP_CACHE_SIZE", "64MB");

    assertThat(limits(50).warning()).get(STRING).contains("Set -Xmx673m or more");
  }

  @Test
  void mappingsHaveAnEighth() {
    assertThat(HeapLimits.forMappings(1_024 * MEGABYTE)).isEqualTo(122 * MEGABYTE);
    assertThat(HeapLimits.forMappings(848 * MEGABYTE)).isEqualTo(100 * MEGABYTE);
    assertThat(HeapLimits.forMappings(32 * MEGABYTE)).isEqualTo(3 * MEGABYTE / 2);
  }

  private HeapLimits limits(long megabytes) {
    return new HeapLimits(settings(megabytes), megabytes * MEGABYTE);
  }

  private Settings settings(long megabytes) {
    return Settings.read(Path.of("none"), environment, megabytes * MEGABYTE);
  }
}
