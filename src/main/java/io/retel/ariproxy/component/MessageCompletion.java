// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component;

import org.apache.camel.Exchange;
import org.apache.camel.support.ExchangeHelper;
import org.apache.camel.support.SynchronizationAdapter;

/**
 * Runs once a message has completed, also if it continues in {@code lanes}. Camel hands other
 * completions over to the copy that a {@code seda} endpoint queues, or drops them with it if the
 * queue is full.
 */
public abstract class MessageCompletion extends SynchronizationAdapter {

  /** Whether the message continues on another thread. */
  private static final ThreadLocal<Boolean> MOVES = ThreadLocal.withInitial(() -> false);

  /** Returns the exchange in which a message continues: completions run at its end. */
  public static Exchange move(Exchange message) {
    MOVES.set(true);
    try {
      return ExchangeHelper.createCorrelatedCopy(message, true);
    } finally {
      MOVES.set(false);
    }
  }

  @Override
  public final boolean allowHandover() {
    return MOVES.get();
  }
}
