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
                + " ari.response-buffer-size = 2MB, commands.dedup-cache-size = 4MB,"
                + " ari.max-message-size = 2MB; -Xmx1g allows the defaults");
  }

  @Test
  void heapThatLeavesNoMemoryIsNamed() {
    assertThat(limits(700).memoryWarning(1_024 * MEGABYTE)).isEmpty();
    // as bin/ari-proxy sizes it
    assertThat(limits(56).memoryWarning(192 * MEGABYTE)).isEmpty();
    assertThat(limits(900).memoryWarning(1_024 * MEGABYTE))
        .contains(
            "Heap of 900 MB leaves 124 of 1024 MB of memory to the rest of the process, which takes"
                + " 136 MB or more: the kernel can kill it. Reduce the heap, or raise the memory limit");
    assertThat(limits(2_000).memoryWarning(1_024 * MEGABYTE))
        .hasValueSatisfying(line -> assertThat(line).contains("leaves 0 of 1024 MB"));
  }

  /** One with a character outside Latin-1 takes several times its size. */
  @Test
  void largestEventFollowsSmallHeap() {
    assertThat(settings(88).get(Setting.ARI_MAX_MESSAGE_SIZE)).isEqualTo(2 * MEGABYTE);
    assertThat(settings(128).get(Setting.ARI_MAX_MESSAGE_SIZE)).isEqualTo(4 * MEGABYTE);
    assertThat(settings(367).get(Setting.ARI_MAX_MESSAGE_SIZE)).isLessThan(16 * MEGABYTE);
    assertThat(settings(368).get(Setting.ARI_MAX_MESSAGE_SIZE)).isEqualTo(16 * MEGABYTE);
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
                + " outage of Kafka can end with exit code 3. Set -Xmx696m or more,"
                + " or lower or remove these settings");
    assertThat(limits(673).warning()).isEmpty();
  }

  @Test
  void recommendedHeapIsLargeEnough() {
    environment.put("KAFKA_MAX_IN_FLIGHT_BYTES", "256MB");
    environment.put("ARI_BUFFER_SIZE", "64MB");
    environment.put("ARI_RESPONSE_BUFFER_SIZE", "32MB");
    environment.put("COMMANDS_DEDUP_CACHE_SIZE", "64MB");

    assertThat(limits(50).warning()).get(STRING).contains("Set -Xmx696m or more");
  }

  /** The serial collector counts the young generation, a third, without one of its ten parts. */
  @Test
  void containerOfOneGigabyteAllowsDefaults() {
    long heap = 1_024 * 70 / 100;
    assertThat(limits(heap - heap / 3 / 10 - 1).lowered()).isEmpty();
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
