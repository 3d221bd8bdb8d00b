// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A value that is not printed, only returned on request. If it comes from a file, it is what the
 * file contains now: a client asks for it again before each login.
 */
public final class Secret {

  private final Supplier<String> value;
  private final Optional<Path> file;

  public Secret(String value) {
    Objects.requireNonNull(value);
    this.value = () -> value;
    this.file = Optional.empty();
  }

  private Secret(Supplier<String> value, Path file) {
    this.value = value;
    this.file = Optional.of(file);
  }

  /**
   * Returns the content of a file.
   *
   * @param name the setting, for the log
   * @param reader reads and validates the file
   */
  static Secret of(String name, Path file, Supplier<String> reader) {
    return new Secret(ReloadedFiles.read(name, List.of(file), reader), file);
  }

  /** The current value. Never log or expose it. */
  public String reveal() {
    return value.get();
  }

  /** The file that it is read from, if any. */
  public Optional<Path> file() {
    return file;
  }

  @Override
  public String toString() {
    return "***";
  }
}
