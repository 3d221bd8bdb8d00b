// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.metrics.Meters;

/**
 * Commands that were not executed and get no RESPONSE, by reason.
 *
 * @param old from before a group without committed offsets started to consume
 * @param deleted by Kafka before they were consumed
 * @param unreadable and skipped by an operator
 */
record SkippedCommands(Counter old, Counter deleted, Counter unreadable) {

  static SkippedCommands count(MeterRegistry meters) {
    return new SkippedCommands(
        Meters.COMMANDS_SKIPPED.counter(meters, "old"),
        Meters.COMMANDS_SKIPPED.counter(meters, "deleted"),
        Meters.COMMANDS_SKIPPED.counter(meters, "unreadable"));
  }
}
