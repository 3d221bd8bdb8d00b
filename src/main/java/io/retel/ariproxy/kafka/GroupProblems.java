// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.time.Moment;
import java.time.Duration;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerConfig;

/**
 * What Kafka's client neither throws nor logs about a consumer group, or what has Camel replace its
 * consumer again and again. Thread-safe.
 *
 * @param unassigned the consumer is without its partitions
 * @param uncommitted Kafka does not acknowledge offsets
 * @param loginRejected and not accepted since
 */
record GroupProblems(
    PersistingProblem unassigned, PersistingProblem uncommitted, AtomicBoolean loginRejected) {

  /** How long a consumer can be without its partitions, as in a rebalance. */
  private static final Duration UNASSIGNED_TOLERANCE = Duration.ofSeconds(30);

  private static final Duration UNCOMMITTED_TOLERANCE = Duration.ofSeconds(10);

  /**
   * @param properties of the consumer; one without a group instance id waits for other members
   */
  static GroupProblems of(Properties properties) {
    boolean dynamicMember = properties.get(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG) == null;
    Duration rebalance =
        dynamicMember
            ? DrainTimeouts.option(properties, ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG)
            : Duration.ZERO;
    return new GroupProblems(
        new PersistingProblem(UNASSIGNED_TOLERANCE.plus(rebalance), Moment::now),
        new PersistingProblem(UNCOMMITTED_TOLERANCE, Moment::now),
        new AtomicBoolean());
  }

  /** Describes in one sentence why commands are not, or not only once, consumed; or empty. */
  Optional<String> describe() {
    return unassigned.describe().or(uncommitted::describe);
  }
}
