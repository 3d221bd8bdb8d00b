package io.retel.ariproxy.callcontext;

import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;

/** A clock that goes on when it is told to. */
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
