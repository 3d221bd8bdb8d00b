package io.retel.ariproxy.component.handover;

import io.retel.ariproxy.component.RouteGate;

/** Where callers and the called route meet: a turnstile, and the consumer that is behind it now. */
final class HandoverPoint {

  final RouteGate gate = new RouteGate();

  /** Written while the turnstile is closed, read inside it. */
  volatile HandoverConsumer consumer;
}
