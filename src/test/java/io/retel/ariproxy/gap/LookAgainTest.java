package io.retel.ariproxy.gap;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.Patience;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;

class LookAgainTest {

  /** Camel waits for its timers: one that is waited for looks after all. */
  @Test
  void aStopDoesNotWaitForALookThatIsDueLater() {
    DefaultCamelContext context = new DefaultCamelContext();
    context.getExecutorServiceManager().setShutdownAwaitTermination(Patience.LIMIT.toMillis());
    context.start();
    AtomicInteger looks = new AtomicInteger();
    new LookAgain(context, looks::incrementAndGet).soon();

    context.stop();

    assertThat(looks).hasValue(0);
  }
}
