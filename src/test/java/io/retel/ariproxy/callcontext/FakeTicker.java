// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;

/** Clock that advances only on request. */
final class FakeTicker implements Ticker {

  private long nanos;

  void advance(Duration time) {
    nanos += time.toNanos();
  }

  @Override
  public long read() {
    return nanos;
  }
}
