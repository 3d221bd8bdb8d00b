// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.util.Optional;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/**
 * The step of an author that a message is in: copies that it makes keep it as an exchange property,
 * so that one that is dropped later is counted as one of that step. Thread-safe.
 */
final class CopySource {

  private static final String PROPERTY = "AriProxyCopySource";

  private final StepWatch step;

  /** Number of steps that a message is in, one within the other. */
  private int depth = 1;

  /** Whether the message has left the step; a copy of it is not within this one. */
  private volatile boolean left;

  /** Whether a queue has got the copy, or refused it. */
  private volatile boolean offered;

  CopySource(StepWatch step) {
    this.step = step;
  }

  /** Returns the step that made a copy. */
  static Optional<CopySource> of(Exchange copy) {
    return Optional.ofNullable(copy.getProperty(PROPERTY, CopySource.class));
  }

  /** Sets the step of a message; returns the previous one, to be {@link #restore restored}. */
  @Nullable Object enter(Exchange message) {
    Object outer = message.getProperty(PROPERTY);
    message.setProperty(PROPERTY, this);
    if (outer instanceof CopySource around && !around.left) {
      depth = around.depth + 1;
    }
    return outer;
  }

  int depth() {
    return depth;
  }

  void restore(Exchange message, @Nullable Object outer) {
    left = true;
    if (outer == null) {
      message.removeProperty(PROPERTY);
    } else {
      message.setProperty(PROPERTY, outer);
    }
  }

  StepWatch step() {
    return step;
  }

  void setOffered() {
    offered = true;
  }

  boolean isOffered() {
    return offered;
  }
}
