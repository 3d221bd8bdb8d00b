// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.chaos;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Records when the proxy's process exited and when Kafka was down: the windows in which data can be
 * lost.
 */
final class OutageHistory {

  /**
   * Maximum time on a busy machine until Kafka has acknowledged and committed the data that a
   * process has received.
   */
  static final Duration SETTLE_TIME = Duration.ofSeconds(3);

  /**
   * An exit of the proxy's process.
   *
   * @param signaled when it received the signal; the exit time for kill -9
   * @param exited when it had exited
   * @param forced whether it could not finish the work it had accepted
   */
  record ProcessExit(Instant signaled, Instant exited, boolean forced) {}

  private record KafkaOutage(Instant from, Instant to) {

    boolean overlaps(Instant from, Instant to) {
      return this.from.isBefore(to) && (this.to == null || this.to.plus(SETTLE_TIME).isAfter(from));
    }
  }

  private final List<ProcessExit> exits = new ArrayList<>();
  private final List<KafkaOutage> outages = new ArrayList<>();

  synchronized void recordExit(Instant signaled, boolean forced) {
    exits.add(new ProcessExit(signaled, Instant.now(), forced));
  }

  synchronized void recordKafkaStop() {
    outages.add(new KafkaOutage(Instant.now(), null));
  }

  synchronized void recordKafkaStart() {
    KafkaOutage last = outages.remove(outages.size() - 1);
    outages.add(new KafkaOutage(last.from(), Instant.now()));
  }

  synchronized boolean kafkaWasDown(Instant from, Instant to) {
    return outages.stream().anyMatch(outage -> outage.overlaps(from, to));
  }

  /** Returns the time before which all data received was acknowledged by Kafka before the exit. */
  private Instant acknowledgedBefore(Instant signaled) {
    Instant acknowledged = signaled.minus(SETTLE_TIME);
    for (int i = outages.size() - 1; i >= 0; i--) {
      KafkaOutage outage = outages.get(i);
      if (outage.overlaps(acknowledged, signaled)) {
        acknowledged = outage.from().minus(SETTLE_TIME);
      }
    }
    return acknowledged;
  }

  /** Returns whether data received at that time can be lost with its process. */
  synchronized boolean mayBeLostWithProcess(Instant received) {
    return exits.stream()
        .filter(this::isUnclean)
        .anyMatch(
            exit ->
                !received.isBefore(acknowledgedBefore(exit.signaled()))
                    && !received.isAfter(exit.exited()));
  }

  /** Returns whether a process died between two instants, soon after the first. */
  synchronized boolean processDiedSoonAfter(Instant since, Instant until) {
    return exits.stream()
        .filter(this::isUnclean)
        .anyMatch(
            exit ->
                !since.isBefore(acknowledgedBefore(exit.signaled()))
                    && !since.isAfter(exit.exited())
                    && !exit.signaled().isAfter(until));
  }

  /** Returns whether a process died between two instants. */
  synchronized boolean processDiedBetween(Instant from, Instant to) {
    return exits.stream()
        .filter(this::isUnclean)
        .anyMatch(exit -> exit.exited().isAfter(from) && exit.signaled().isBefore(to));
  }

  private boolean isUnclean(ProcessExit exit) {
    return exit.forced() || kafkaWasDown(exit.signaled(), exit.exited());
  }
}
