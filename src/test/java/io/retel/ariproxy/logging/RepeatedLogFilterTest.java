// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.spi.FilterReply;
import io.retel.ariproxy.command.CommandRejectedException;
import org.apache.kafka.clients.NetworkClient;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Log events that the filter passes and drops. */
class RepeatedLogFilterTest {

  private final RepeatedLogFilter filter = new RepeatedLogFilter();

  @Test
  void passesKafkaClientMessageOncePerKind() {
    assertThat(logNetwork("[AdminClient clientId=adminclient-1] Connection to node {} failed"))
        .isEqualTo(FilterReply.NEUTRAL);
    assertThat(logNetwork("[AdminClient clientId=adminclient-2] Connection to node {} failed"))
        .isEqualTo(FilterReply.DENY);
    assertThat(logNetwork("[AdminClient clientId=adminclient-2] Bootstrap broker {} disconnected"))
        .isEqualTo(FilterReply.NEUTRAL);
    assertThat(logNetwork("[Producer clientId=producer-2] Connection to node {} failed"))
        .isEqualTo(FilterReply.NEUTRAL);
  }

  /** The command gets its RESPONSE, or another line names it. */
  @Test
  void dropsStackTraceOfCommandWithResponse() {
    String logger = "org.apache.camel.processor.errorhandler.DefaultErrorHandler";
    String format = "Failed delivery for (MessageId: 1 on ExchangeId: 1).";
    assertThat(log(logger, format, new CommandRejectedException(409, "lost")))
        .isEqualTo(FilterReply.DENY);
    assertThat(log(logger, format, new IllegalStateException())).isEqualTo(FilterReply.NEUTRAL);
  }

  /** The number also contains requests to the management port. */
  @Test
  void dropsCamelsNumberOfExchangesAtShutdown() {
    String logger = "org.apache.camel.impl.engine.DefaultInflightRepository";
    assertThat(log(logger, "Shutting down while there are still {} inflight exchanges.", null, 1))
        .isEqualTo(FilterReply.DENY);
  }

  @Test
  void dropsAdminMetadataStackTraces() {
    String logger = "org.apache.kafka.clients.admin.internals.AdminMetadataManager";
    assertThat(log(logger, "Fatal error during metadata update", new IllegalStateException()))
        .isEqualTo(FilterReply.DENY);
  }

  @Test
  void passesProduceErrorOnceExceptNetworkException() {
    assertThat(
            logProduceRetry(
                1, "events-0", "NETWORK_EXCEPTION. Error Message: Disconnected from node 0"))
        .isEqualTo(FilterReply.DENY);
    assertThat(logProduceRetry(2, "events-0", "NOT_ENOUGH_REPLICAS"))
        .isEqualTo(FilterReply.NEUTRAL);
    assertThat(logProduceRetry(3, "events-1", "NOT_ENOUGH_REPLICAS")).isEqualTo(FilterReply.DENY);
    assertThat(logProduceRetry(4, "events-1", "NOT_LEADER_OR_FOLLOWER"))
        .isEqualTo(FilterReply.NEUTRAL);
  }

  /** A key for each text would fill the heap. */
  @Test
  void textOfBrokerIsNoReason() {
    String invalid = "due to org.apache.kafka.common.errors.NotLeaderOrFollowerException: ";
    assertThat(logProduceRetry(1, "events-0", "NOT_ENOUGH_REPLICAS. Error Message: a\n"))
        .isEqualTo(FilterReply.NEUTRAL);
    assertThat(logProduceRetry(2, "events-0", "NOT_ENOUGH_REPLICAS. Error Message: b\nc"))
        .isEqualTo(FilterReply.DENY);
    assertThat(logProduceRetry(3, "events-0", invalid + "a")).isEqualTo(FilterReply.NEUTRAL);
    assertThat(logProduceRetry(4, "events-0", invalid + "b")).isEqualTo(FilterReply.DENY);
  }

  @Test
  void passesFailureOfCommitOncePerReason() {
    assertThat(logFailedCommit("commands-0", 5, "too large")).isEqualTo(FilterReply.NEUTRAL);
    assertThat(logFailedCommit("commands-1", 6, "too large")).isEqualTo(FilterReply.DENY);
    assertThat(logFailedCommit("commands-0", 7, "not available")).isEqualTo(FilterReply.NEUTRAL);
  }

  private FilterReply logFailedCommit(String partition, int offset, String reason) {
    return log(
        "org.apache.kafka.clients.consumer.internals.ConsumerCoordinator",
        "[Consumer clientId=consumer-1] Offset commit failed on partition {} at offset {}: {}",
        null,
        partition,
        offset,
        reason);
  }

  private FilterReply logProduceRetry(int number, String partition, String error) {
    return log(
        "org.apache.kafka.clients.producer.internals.Sender",
        "[Producer clientId=producer-1] Got error produce response with correlation id {} on"
            + " topic-partition {}, retrying ({} attempts left). Error: {}",
        null,
        number,
        partition,
        Integer.MAX_VALUE - number,
        error);
  }

  private FilterReply logNetwork(String format) {
    return log(NetworkClient.class.getName(), format, null);
  }

  private FilterReply log(String logger, String format, Throwable throwable, Object... arguments) {
    return filter.decide(
        new LoggingEvent(
            "",
            (Logger) LoggerFactory.getLogger(logger),
            Level.ERROR,
            format,
            throwable,
            arguments));
  }
}
