// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import java.util.Objects;

/** A value that is not printed, only returned on request. */
public final class Secret {

  private final String value;

  public Secret(String value) {
    this.value = Objects.requireNonNull(value);
  }

  /** The value. Never log or expose it. */
  public String reveal() {
    return value;
  }

  @Override
  public String toString() {
    return "***";
  }
}
