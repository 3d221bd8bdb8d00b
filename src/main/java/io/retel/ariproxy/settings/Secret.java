package io.retel.ariproxy.settings;

import java.util.Objects;

/** A value that shows itself only to who asks for it. */
public final class Secret {

  private final String value;

  public Secret(String value) {
    this.value = Objects.requireNonNull(value);
  }

  /** The value. Hand it to who needs it, and nowhere else. */
  public String reveal() {
    return value;
  }

  @Override
  public String toString() {
    return "***";
  }
}
