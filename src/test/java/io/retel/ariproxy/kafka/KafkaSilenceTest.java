package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is said of a Kafka that acknowledges nothing. */
class KafkaSilenceTest {

  private static final Duration MOMENT = Duration.ofSeconds(1);

  private final AtomicLong clock = new AtomicLong();
  private final BoundInFlight inFlight = new BoundInFlight(100_000, () -> false, clock::get);
  private final KafkaSilence silence = new KafkaSilence(new DefaultCamelContext(), inFlight);
  private final CapturedLog log = new CapturedLog();

  @AfterEach
  void stop() {
    log.close();
  }

  @Test
  void isToldOnceAndSoIsItsEnd() throws Exception {
    inFlight.take(1_000);
    pass(BoundInFlight.SILENCE.minus(MOMENT));
    assertThat(log.events()).isEmpty();

    pass(MOMENT);
    pass(Duration.ofSeconds(25));
    inFlight.take(1_000);
    pass(Duration.ofSeconds(30));
    assertThat(log.lines(Level.WARN))
        .singleElement()
        .asString()
        .startsWith(
            "Kafka has acknowledged nothing for 5 s; what waits for it takes 1000 of 100000 bytes of heap.")
        .contains("check that Kafka can be reached");

    inFlight.giveBack(1_000);
    pass(MOMENT);
    pass(MOMENT);
    assertThat(log.lines(Level.INFO)).containsExactly("Kafka acknowledges again, after 60 s");

    pass(BoundInFlight.SILENCE);
    assertThat(log.lines(Level.WARN)).as("the next silence is told of as well").hasSize(2);
  }

  @Test
  void isNoneWhileNothingWaits() {
    pass(Duration.ofHours(1));
    assertThat(log.events()).isEmpty();
  }

  @Test
  void isNoneWhileOneAfterTheOtherIsAcknowledged() throws Exception {
    for (int i = 0; i < 20; i++) {
      inFlight.take(1_000);
      pass(MOMENT);
      inFlight.take(1_000);
      inFlight.giveBack(1_000);
    }
    assertThat(log.events()).isEmpty();
  }

  private void pass(Duration time) {
    clock.addAndGet(time.toNanos());
    silence.look();
  }
}
