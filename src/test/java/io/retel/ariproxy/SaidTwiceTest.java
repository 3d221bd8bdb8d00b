package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.spi.FilterReply;
import org.apache.kafka.clients.NetworkClient;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What is kept out of the log. */
class SaidTwiceTest {

  private final SaidTwice filter = new SaidTwice();

  @Test
  void whatKafkasClientsSayIsHeardOnceOfEachKind() {
    assertThat(network("[AdminClient clientId=adminclient-1] Connection to node {} failed"))
        .isEqualTo(FilterReply.NEUTRAL);
    assertThat(network("[AdminClient clientId=adminclient-2] Connection to node {} failed"))
        .isEqualTo(FilterReply.DENY);
    assertThat(network("[AdminClient clientId=adminclient-2] Bootstrap broker {} disconnected"))
        .isEqualTo(FilterReply.NEUTRAL);
    assertThat(network("[Producer clientId=producer-2] Connection to node {} failed"))
        .isEqualTo(FilterReply.NEUTRAL);
  }

  @Test
  void whatKafkaAnswersToWhoAsksForTopicsIsNotToldWithItsStackTrace() {
    String logger = "org.apache.kafka.clients.admin.internals.AdminMetadataManager";
    assertThat(said(logger, "Fatal error during metadata update", new IllegalStateException()))
        .isEqualTo(FilterReply.DENY);
  }

  @Test
  void whyKafkaDoesNotTakeABatchIsHeardOnceUnlessItIsThatItIsAway() {
    assertThat(retried(1, "events-0", "NETWORK_EXCEPTION. Error Message: Disconnected from node 0"))
        .isEqualTo(FilterReply.DENY);
    assertThat(retried(2, "events-0", "NOT_ENOUGH_REPLICAS")).isEqualTo(FilterReply.NEUTRAL);
    assertThat(retried(3, "events-1", "NOT_ENOUGH_REPLICAS")).isEqualTo(FilterReply.DENY);
    assertThat(retried(4, "events-1", "NOT_LEADER_OR_FOLLOWER")).isEqualTo(FilterReply.NEUTRAL);
  }

  private FilterReply retried(int number, String partition, String error) {
    return said(
        "org.apache.kafka.clients.producer.internals.Sender",
        "[Producer clientId=producer-1] Got error produce response with correlation id {} on"
            + " topic-partition {}, retrying ({} attempts left). Error: {}",
        null,
        number,
        partition,
        Integer.MAX_VALUE - number,
        error);
  }

  private FilterReply network(String format) {
    return said(NetworkClient.class.getName(), format, null);
  }

  private FilterReply said(String logger, String format, Throwable thrown, Object... arguments) {
    return filter.decide(
        new LoggingEvent(
            "", (Logger) LoggerFactory.getLogger(logger), Level.ERROR, format, thrown, arguments));
  }
}
