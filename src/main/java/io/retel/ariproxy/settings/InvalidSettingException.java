package io.retel.ariproxy.settings;

import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Settings that are missing, or one that is malformed; the message is one line that names the keys
 * and says what should be.
 */
public final class InvalidSettingException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** The file that holds the settings is broken. */
  public InvalidSettingException(String problem) {
    super(problem, null, false, false);
  }

  /** One after the other would be a start for each. */
  static InvalidSettingException missing(List<Setting> settings) {
    boolean singular = settings.size() == 1;
    return new InvalidSettingException(
        joinNames(settings, Setting::key)
            + (singular ? " is" : " are")
            + " not set (config/application.properties, or the environment variable"
            + (singular ? " " : "s ")
            + joinNames(settings, Setting::environmentVariable)
            + ")");
  }

  private static String joinNames(List<Setting> settings, Function<Setting, String> name) {
    return settings.stream().map(name).collect(Collectors.joining(", "));
  }

  public InvalidSettingException(Setting setting, String problem) {
    this(setting.key(), setting.environmentVariable(), problem);
  }

  /** What is wrong is the file that a secret should stand in. */
  static InvalidSettingException inFile(Setting secret, String problem) {
    return new InvalidSettingException(secret.fileKey(), secret.fileEnvironmentVariable(), problem);
  }

  private InvalidSettingException(String key, String environmentVariable, String problem) {
    super(
        key
            + " "
            + problem
            + " (config/application.properties, or the environment variable "
            + environmentVariable
            + ")",
        null,
        false,
        false);
  }
}
