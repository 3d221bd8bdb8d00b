// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.time.Moment;
import java.time.Duration;
import java.util.concurrent.TimeoutException;

/**
 * The limit in time for reading all mappings of a store: the server decides when its rows end, and
 * each of them can arrive within its timeout.
 */
final class ReadLimit {

  /** How many timeouts a read can take. */
  private static final int MAX_TIMEOUTS = 60;

  private final String store;
  private final Duration limit;
  private final Moment start = Moment.now();

  /**
   * Begins with the read.
   *
   * @param store its name, such as {@code Redis}
   * @param timeout for the server to respond
   */
  ReadLimit(String store, Duration timeout) {
    this.store = store;
    this.limit = timeout.multipliedBy(MAX_TIMEOUTS);
  }

  /**
   * Call it for each row or page.
   *
   * @throws TimeoutException if the read has not ended in time
   */
  void check() throws TimeoutException {
    if (Moment.now().since(start).compareTo(limit) > 0) {
      throw new TimeoutException(
          "reading the mappings from %s did not end within %d s: check what else it contains, or set a larger callcontext.store-timeout"
              .formatted(store, limit.toSeconds()));
    }
  }
}
