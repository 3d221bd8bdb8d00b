// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.micrometer.core.instrument.Counter;
import io.retel.ariproxy.logging.RateLimitFilter;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts copies that a queue of {@code seda} drops without an error of the step that made them, and
 * logs them. What the author has chosen, with an option of the queue, is not a failure.
 * Thread-safe.
 */
final class DroppedCopies {

  private static final Logger LOG = LoggerFactory.getLogger(AddedSteps.class);

  /** Counts copies of an unknown step, such as those that a bean makes. */
  private final Counter others;

  /** Counts those of them that an option has discarded. */
  private final Counter othersDiscarded;

  DroppedCopies(Counter others, Counter othersDiscarded) {
    this.others = others;
    this.othersDiscarded = othersDiscarded;
  }

  /** Reports a copy that is not queued. */
  void report(Exchange copy, String reason) {
    Optional<CopySource> source = CopySource.of(copy);
    if (source.isPresent()) {
      source.get().step().reportCopy(CopyRefusedException.ofCopy(copy, reason));
    } else {
      others.increment();
      logUnknown(copy, reason);
    }
  }

  /** Reports a copy that is not queued, as {@code discardWhenFull} requests. */
  void reportDiscarded(Exchange copy, String reason) {
    Optional<CopySource> source = CopySource.of(copy);
    if (source.isPresent()) {
      source.get().step().reportDiscarded(reason);
    } else {
      othersDiscarded.increment();
      logUnknown(copy, reason);
    }
  }

  private static void logUnknown(Exchange copy, String reason) {
    LOG.warn(RateLimitFilter.PER_MESSAGE, "Not copied: to {}: {}", queue(copy), reason);
  }

  /**
   * Reports copies whose queue ends before a route has read them, in a line for each step.
   *
   * @param discarded whether {@code purgeWhenStopping} or an operator has discarded them
   */
  void reportWaiting(Collection<Exchange> copies, boolean discarded) {
    Map<StepWatch, Integer> counts = new LinkedHashMap<>();
    Map<String, Integer> unknown = new LinkedHashMap<>();
    for (Exchange copy : copies) {
      CopySource.of(copy)
          .ifPresentOrElse(
              source -> counts.merge(source.step(), 1, Integer::sum),
              () -> unknown.merge(queue(copy), 1, Integer::sum));
    }
    counts.forEach((step, count) -> step.reportWaiting(count, discarded));
    unknown.forEach(
        (queue, count) -> {
          (discarded ? othersDiscarded : others).increment(count);
          LOG.warn("Not copied: to {}: {} copies waited when their route ended", queue, count);
        });
  }

  private static String queue(Exchange copy) {
    return copy.getFromEndpoint() == null ? "a queue" : copy.getFromEndpoint().getEndpointBaseUri();
  }
}
