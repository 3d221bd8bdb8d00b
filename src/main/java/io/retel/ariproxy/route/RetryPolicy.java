// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.time.Duration;
import org.apache.camel.model.OnExceptionDefinition;

/**
 * Retries after an error, with a delay that doubles up to a minute.
 *
 * @param maxRetries how often to retry; 0: never
 * @param firstDelay the delay before the first retry
 */
public record RetryPolicy(int maxRetries, Duration firstDelay) {

  private static final int BACKOFF_MULTIPLIER = 2;

  /** Camel's default of a redelivery policy. */
  private static final Duration MAX_DELAY = Duration.ofMinutes(1);

  /** Sets the policy of an error handler in Java. Camel logs neither retries nor their end. */
  public OnExceptionDefinition applyTo(OnExceptionDefinition onException) {
    return onException
        .maximumRedeliveries(maxRetries)
        .redeliveryDelay(firstDelay.toMillis())
        .useExponentialBackOff()
        .backOffMultiplier(Integer.toString(BACKOFF_MULTIPLIER))
        .logRetryAttempted(false)
        .logExhausted(false);
  }

  /** The number of attempts, the first included. */
  public int maxAttempts() {
    return 1 + maxRetries;
  }

  /** The sum of all delays. */
  public Duration totalDelay() {
    Duration total = Duration.ZERO;
    Duration delay = firstDelay;
    for (int retry = 0; retry < maxRetries; retry++) {
      total = total.plus(delay);
      delay = min(delay.multipliedBy(BACKOFF_MULTIPLIER), MAX_DELAY);
    }
    return total;
  }

  private static Duration min(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }
}
