// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The settings that limit what waits in the heap, compared with the heap. */
final class HeapLimits {

  private static final List<Setting<Long>> LIMITS =
      List.of(
          Setting.KAFKA_MAX_IN_FLIGHT_BYTES,
          Setting.ARI_BUFFER_SIZE,
          Setting.ARI_RESPONSE_BUFFER_SIZE,
          Setting.COMMANDS_DEDUP_CACHE_SIZE);

  private static final long MEGABYTE = 1 << 20;

  /**
   * What the process needs outside the heap, in MB: with Java's fast compiler only, as measured for
   * {@code bin/ari-proxy}.
   */
  private static final long OUTSIDE_HEAP = 136;

  private final Settings settings;
  private final long heap;

  /**
   * @param heap the largest size of the heap, in bytes
   */
  HeapLimits(Settings settings, long heap) {
    this.settings = settings;
    this.heap = heap;
  }

  /**
   * Returns the limit of mappings in a heap of a given size, in bytes: an eighth, of the third that
   * the limits for messages do not use. A resync needs several times the heap of the mappings that
   * it compares.
   */
  static long forMappings(long heap) {
    return Setting.heapForMessages(heap) / 8;
  }

  /**
   * Returns the limit of copies that wait in one place, in a heap of a given size, in bytes: 16 MB
   * with {@code -Xmx1g}, as much as the largest message. Few places are full at the same time.
   */
  static long forCopies(long heap) {
    return Setting.heapForMessages(heap) / 60;
  }

  /** Returns a warning if the limits exceed two thirds of the heap for messages. */
  Optional<String> warning() {
    long sum = LIMITS.stream().mapToLong(settings::get).sum();
    long available = Setting.heapForMessages(heap);
    if (sum <= available / 3 * 2) {
      return Optional.empty();
    }
    long needed = Setting.HEAP_FOR_PROXY + sum / 2 * 3;
    // the serial collector does not count a thirtieth, an empty survivor space, as heap
    long option = needed + needed / 29;
    return Optional.of(
        "Heap of %d MB is too small for %s: an outage of Kafka can end with exit code 3. Set -Xmx%dm or more, or lower or remove these settings"
            .formatted(heap / MEGABYTE, describe(LIMITS), option / MEGABYTE + 1));
  }

  /** Returns a sentence if the heap is too small for the defaults of settings that are not set. */
  Optional<String> lowered() {
    List<Setting<Long>> lowered =
        Stream.concat(LIMITS.stream(), Stream.of(Setting.ARI_MAX_MESSAGE_SIZE)).toList();
    return lowered.stream().anyMatch(settings::isLoweredByHeap)
        ? Optional.of(
            "Heap of %d MB limits %s; -Xmx1g allows the defaults"
                .formatted(heap / MEGABYTE, describe(lowered)))
        : Optional.empty();
  }

  /**
   * Returns a warning if a heap that a user has sized does not fit into the memory.
   *
   * @param memory of the container or the machine, in bytes
   */
  Optional<String> memoryWarning(long memory) {
    long rest = memory / MEGABYTE - heap / MEGABYTE;
    return rest >= OUTSIDE_HEAP
        ? Optional.empty()
        : Optional.of(
            "Heap of %d MB leaves %d of %d MB of memory to the rest of the process, which takes %d MB or more:"
                    .formatted(heap / MEGABYTE, Math.max(0, rest), memory / MEGABYTE, OUTSIDE_HEAP)
                + " the kernel can kill it. Reduce the heap, or raise the memory limit");
  }

  private String describe(List<Setting<Long>> limits) {
    return limits.stream()
        .map(limit -> "%s = %dMB".formatted(limit.key(), settings.get(limit) / MEGABYTE))
        .collect(Collectors.joining(", "));
  }
}
