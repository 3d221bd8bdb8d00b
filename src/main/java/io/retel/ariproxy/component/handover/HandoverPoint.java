// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.handover;

import io.retel.ariproxy.component.RouteGate;
import org.jspecify.annotations.Nullable;

/** Connects callers to the consumer that is currently active. */
final class HandoverPoint {

  final RouteGate gate = new RouteGate();

  /** Written while the gate is closed, read inside it. Null without an active consumer. */
  volatile @Nullable HandoverConsumer consumer;
}
