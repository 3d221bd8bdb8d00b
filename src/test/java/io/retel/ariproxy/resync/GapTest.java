// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.time.Moment;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GapTest {

  private final Gap gap = new Gap();

  @Test
  void nextLossExtendsGapOfCallsThatAreStillActive() {
    Moment first = Moment.now();
    gap.begin(first, Set.of("ends", "continues"));
    gap.begin(Moment.now(), Set.of("continues"));
    assertThat(gap.end("continues")).isEqualTo(first);
  }

  /** Otherwise, calls accumulate while a resync never completes. */
  @Test
  void endedCallHasNoGap() {
    gap.begin(null, Set.of("ends"));
    gap.begin(null, Set.of());
    assertThat(gap.includes("ends")).isFalse();
  }
}
