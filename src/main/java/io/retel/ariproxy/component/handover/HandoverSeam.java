package io.retel.ariproxy.component.handover;

import io.retel.ariproxy.component.Turnstile;

/** Where callers and the called route meet: a turnstile, and the consumer that is behind it now. */
final class HandoverSeam {

  final Turnstile turnstile = new Turnstile();

  /** Written while the turnstile is closed, read inside it. */
  volatile HandoverConsumer consumer;
}
