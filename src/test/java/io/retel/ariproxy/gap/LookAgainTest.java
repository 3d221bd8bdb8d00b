package io.retel.ariproxy.gap;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;

class LookAgainTest {

  /** Camel waits for its timers, up to ten seconds each. */
  @Test
  void aStopDoesNotWaitForALookThatIsDueLater() {
    DefaultCamelContext context = new DefaultCamelContext();
    context.start();
    AtomicInteger looks = new AtomicInteger();
    new LookAgain(context, looks::incrementAndGet).soon();

    long began = System.nanoTime();
    context.stop();

    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(LookAgain.AFTER);
    assertThat(looks).hasValue(0);
  }
}
