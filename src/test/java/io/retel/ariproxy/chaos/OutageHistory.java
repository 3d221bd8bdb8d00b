package io.retel.ariproxy.chaos;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** When the proxy's process ended and when Kafka was away: the windows in which things get lost. */
final class OutageHistory {

  /**
   * How long it may take on a busy machine until what a process has taken is acknowledged by Kafka
   * and committed.
   */
  static final Duration SETTLE_TIME = Duration.ofSeconds(3);

  /**
   * An end of the proxy's process.
   *
   * @param told when it was told to stop; the same as the end for kill -9
   * @param ended when it was gone
   * @param forced whether it could not finish what it had taken
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

  /** What was read before this instant, Kafka has acknowledged before the process ended. */
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

  /** Whether what a process took at that time may have ended with it. */
  synchronized boolean mayBeLostWithProcess(Instant received) {
    return exits.stream()
        .filter(this::isUnclean)
        .anyMatch(
            exit ->
                !received.isBefore(acknowledgedBefore(exit.signaled()))
                    && !received.isAfter(exit.exited()));
  }

  /** Whether a process died between two instants, soon after the first one. */
  synchronized boolean processDiedSoonAfter(Instant since, Instant until) {
    return exits.stream()
        .filter(this::isUnclean)
        .anyMatch(
            exit ->
                !since.isBefore(acknowledgedBefore(exit.signaled()))
                    && !since.isAfter(exit.exited())
                    && !exit.signaled().isAfter(until));
  }

  /** Whether a process died between two instants. */
  synchronized boolean processDiedBetween(Instant from, Instant to) {
    return exits.stream()
        .filter(this::isUnclean)
        .anyMatch(exit -> exit.exited().isAfter(from) && exit.signaled().isBefore(to));
  }

  private boolean isUnclean(ProcessExit exit) {
    return exit.forced() || kafkaWasDown(exit.signaled(), exit.exited());
  }
}
