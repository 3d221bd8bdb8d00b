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

  private FilterReply network(String format) {
    return said(NetworkClient.class.getName(), format, null);
  }

  private FilterReply said(String logger, String format, Throwable thrown) {
    return filter.decide(
        new LoggingEvent(
            "", (Logger) LoggerFactory.getLogger(logger), Level.ERROR, format, thrown, null));
  }
}
