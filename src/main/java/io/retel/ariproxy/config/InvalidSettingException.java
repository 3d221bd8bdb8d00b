// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Missing settings, or a malformed one. The message is one line that names the keys and states the
 * valid values.
 */
public final class InvalidSettingException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** A problem with the configuration file as a whole. */
  public InvalidSettingException(String problem) {
    super(problem, null, false, false);
  }

  /** Reports all missing settings at once. */
  static InvalidSettingException ofMissing(List<Setting<?>> settings) {
    boolean one = settings.size() == 1;
    return new InvalidSettingException(
        joinNames(settings, Setting::key)
            + (one ? " is" : " are")
            + " not set ("
            + Setting.CONFIGURATION_FILE
            + ", or the environment variable"
            + (one ? " " : "s ")
            + joinNames(settings, Setting::environmentVariable)
            + ")");
  }

  private static String joinNames(List<Setting<?>> settings, Function<Setting<?>, String> name) {
    return settings.stream().map(name).collect(Collectors.joining(", "));
  }

  /**
   * @param problem completes a sentence that begins with the setting's key
   */
  public InvalidSettingException(Setting<?> setting, String problem) {
    this(setting.key(), setting.environmentVariable(), problem);
  }

  /** A problem with the file that contains a secret. */
  static InvalidSettingException inFile(Setting<?> secret, String problem) {
    return new InvalidSettingException(secret.fileKey(), secret.fileEnvironmentVariable(), problem);
  }

  private InvalidSettingException(String key, String environmentVariable, String problem) {
    super(
        key
            + " "
            + problem
            + " ("
            + Setting.CONFIGURATION_FILE
            + ", or the environment variable "
            + environmentVariable
            + ")",
        null,
        false,
        false);
  }
}
