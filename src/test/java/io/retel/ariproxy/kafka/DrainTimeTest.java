package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.junit.jupiter.api.Test;

/** A consumer that does not poll for too long is put out of its group. */
class DrainTimeTest {

  private static final DrainTime TEN_MINUTES =
      new DrainTime(Duration.ofMinutes(10), Duration.ofMinutes(10));

  private final Properties consumer = new Properties();

  @Test
  void endsBeforeKafkasOwnLimit() {
    Duration most = Duration.ofMinutes(4);
    assertThat(TEN_MINUTES.within(consumer)).isEqualTo(new DrainTime(most, most));
  }

  @Test
  void endsBeforeTheLimitThatTheRouteSets() {
    consumer.put(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG, "100000");
    assertThat(TEN_MINUTES.within(consumer).running()).isEqualTo(Duration.ofSeconds(80));
  }

  @Test
  void isAsItIsWhereThatIsLess() {
    DrainTime usual = new DrainTime(Duration.ofSeconds(27), Duration.ofSeconds(15));
    assertThat(usual.within(consumer)).isEqualTo(usual);
  }
}
