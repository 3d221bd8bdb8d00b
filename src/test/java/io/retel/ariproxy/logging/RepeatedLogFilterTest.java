// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import ch.qos.logback.core.spi.FilterReply;
import io.retel.ariproxy.command.CommandRejectedException;
import java.util.List;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.common.utils.LogContext;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Log events that the filter passes and drops. */
class RepeatedLogFilterTest {

  private final RepeatedLogFilter filter = new RepeatedLogFilter();

  @Test
  void passesKafkaClientMessageOncePerKind() {
    String failed = "Connection to node {} ({}) could not be established.";
    assertThat(logNetwork("[AdminClient clientId=adminclient-1] ", failed, -1, "kafka/::1:9092"))
        .hasSize(1);
    assertThat(logNetwork("[AdminClient clientId=adminclient-2] ", failed, 1, "kafka/::1:9093"))
        .isEmpty();
    assertThat(
            logNetwork(
                "[AdminClient clientId=adminclient-2] ", "Bootstrap broker {} disconnected", "b"))
        .hasSize(1);
    assertThat(logNetwork("[Producer clientId=producer-2] ", failed, 1, "kafka/::1:9093"))
        .hasSize(1);
  }

  /** A topic that does not exist; a broker that rejects each login with another text. */
  @Test
  void numbersAndTextsOfNetworkClientAreNoReasons() {
    String client = "[Producer clientId=producer-1] ";
    String metadata =
        "The metadata response from the cluster reported a recoverable issue with correlation id"
            + " {} : {}";
    assertThat(logNetwork(client, metadata, 1, "{recordings=UNKNOWN_TOPIC_OR_PARTITION}"))
        .hasSize(1);
    assertThat(logNetwork(client, metadata, 2, "{recordings=UNKNOWN_TOPIC_OR_PARTITION}"))
        .isEmpty();
    assertThat(logNetwork(client, metadata, 3, "{others=UNKNOWN_TOPIC_OR_PARTITION}")).hasSize(1);
    String rejected = "Connection to node {} ({}) failed authentication due to: {}";
    assertThat(logNetwork(client, rejected, -1, "kafka/::1:9092", "request a\n")).hasSize(1);
    assertThat(logNetwork(client, rejected, -1, "kafka/::1:9092", "request b\n")).isEmpty();
  }

  @Test
  void numberAndLengthOfReasonsAreLimited() {
    for (int i = 0; i < 20_000; i++) {
      logNetwork("", "{}", "x".repeat(i % 500) + (char) ('a' + i % 20_000));
    }
    assertThat(filter.reasons())
        .hasSizeLessThanOrEqualTo(1_000)
        .allSatisfy(reason -> assertThat(reason).hasSizeLessThanOrEqualTo(300));
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

  /** Logs as Kafka's client does, which passes a finished text; returns the lines that pass. */
  private List<ILoggingEvent> logNetwork(String client, String format, Object... arguments) {
    Logger logger = (Logger) LoggerFactory.getLogger(NetworkClient.class);
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.addFilter(filter);
    lines.start();
    logger.addAppender(lines);
    logger.setAdditive(false);
    try {
      new LogContext(client).logger(NetworkClient.class).error(format, arguments);
    } finally {
      logger.setAdditive(true);
      logger.detachAppender(lines);
    }
    return lines.list;
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
