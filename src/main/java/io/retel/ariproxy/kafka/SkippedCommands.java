// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.concurrent.atomic.LongAdder;

/** Numbers of commands that were not executed and get no RESPONSE. Thread-safe. */
public final class SkippedCommands {

  private final LongAdder old = new LongAdder();
  private final LongAdder deleted = new LongAdder();
  private final LongAdder unreadable = new LongAdder();

  /** Counts commands from before a group without committed offsets started to consume. */
  void old(long count) {
    old.add(count);
  }

  /** Counts commands that Kafka deleted before they were consumed. */
  void deleted(long count) {
    deleted.add(count);
  }

  /** Counts commands that an operator skipped since they cannot be read. */
  void unreadable(long count) {
    unreadable.add(count);
  }

  /** Commands from before a group without committed offsets started to consume. */
  public long old() {
    return old.sum();
  }

  /** Commands that Kafka deleted before they were consumed. */
  public long deleted() {
    return deleted.sum();
  }

  /** Commands that an operator skipped since they cannot be read. */
  public long unreadable() {
    return unreadable.sum();
  }
}
