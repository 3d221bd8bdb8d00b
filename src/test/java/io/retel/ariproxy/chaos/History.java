package io.retel.ariproxy.chaos;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** When the proxy's process ended and when Kafka was away: the windows in which things get lost. */
final class History {

  /**
   * How long it may take on a busy machine until what a process has taken is acknowledged by Kafka
   * and committed.
   */
  static final Duration SETTLING = Duration.ofSeconds(3);

  /**
   * An end of the proxy's process.
   *
   * @param told when it was told to stop; the same as the end for kill -9
   * @param ended when it was gone
   * @param forced whether it could not finish what it had taken
   */
  record End(Instant told, Instant ended, boolean forced) {}

  private record Outage(Instant from, Instant to) {

    boolean touches(Instant from, Instant to) {
      return this.from.isBefore(to) && (this.to == null || this.to.plus(SETTLING).isAfter(from));
    }
  }

  private final List<End> ends = new ArrayList<>();
  private final List<Outage> outages = new ArrayList<>();

  synchronized void processEnded(Instant told, boolean forced) {
    ends.add(new End(told, Instant.now(), forced));
  }

  synchronized void kafkaGone() {
    outages.add(new Outage(Instant.now(), null));
  }

  synchronized void kafkaBack() {
    Outage last = outages.remove(outages.size() - 1);
    outages.add(new Outage(last.from(), Instant.now()));
  }

  synchronized boolean kafkaWasAway(Instant from, Instant to) {
    return outages.stream().anyMatch(outage -> outage.touches(from, to));
  }

  /** What was read before this instant, Kafka has acknowledged before the process ended. */
  private Instant settledBefore(Instant told) {
    Instant settled = told.minus(SETTLING);
    for (int i = outages.size() - 1; i >= 0; i--) {
      Outage outage = outages.get(i);
      if (outage.touches(settled, told)) {
        settled = outage.from().minus(SETTLING);
      }
    }
    return settled;
  }

  /** Whether what a process took at that time may have ended with it. */
  synchronized boolean mayHaveDiedWithAProcess(Instant taken) {
    return ends.stream()
        .filter(this::leavesSomething)
        .anyMatch(end -> !taken.isBefore(settledBefore(end.told())) && !taken.isAfter(end.ended()));
  }

  /** Whether a process died between two instants, soon after the first one. */
  synchronized boolean processDied(Instant soonAfter, Instant before) {
    return ends.stream()
        .filter(this::leavesSomething)
        .anyMatch(
            end ->
                !soonAfter.isBefore(settledBefore(end.told()))
                    && !soonAfter.isAfter(end.ended())
                    && !end.told().isAfter(before));
  }

  /** Whether a process died between two instants. */
  synchronized boolean processDiedBetween(Instant from, Instant to) {
    return ends.stream()
        .filter(this::leavesSomething)
        .anyMatch(end -> end.ended().isAfter(from) && end.told().isBefore(to));
  }

  private boolean leavesSomething(End end) {
    return end.forced() || kafkaWasAway(end.told(), end.ended());
  }
}
