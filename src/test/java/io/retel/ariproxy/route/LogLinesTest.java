// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Lines in each second. */
class LogLinesTest {

  private final AtomicLong nanoTime = new AtomicLong(Long.MAX_VALUE - 1);
  private final LogLines lines = new LogLines(nanoTime::get);

  @Test
  void limitsLinesOfEachSecond() {
    assertThat(acquired(50)).isEqualTo(10);
    nanoTime.addAndGet(TimeUnit.SECONDS.toNanos(1) - 1);
    assertThat(acquired(1)).isZero();
    nanoTime.addAndGet(1);
    assertThat(acquired(50)).isEqualTo(10);
  }

  private long acquired(int attempts) {
    return IntStream.range(0, attempts).filter(i -> lines.tryAcquire()).count();
  }
}
