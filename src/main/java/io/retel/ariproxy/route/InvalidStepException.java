// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import org.apache.camel.NamedNode;

/** A step for which a route file is rejected. */
final class InvalidStepException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int line;

  InvalidStepException(NamedNode step, String problem) {
    super(problem, null, false, false);
    this.line = Math.max(0, step.getLineNumber());
  }

  /** The line of the step, from 1; 0 if unknown. */
  int line() {
    return line;
  }
}
