package io.retel.ariproxy.settings;

/**
 * A setting that is missing or malformed; the message is one line that names its key and says what
 * it should be.
 */
public final class InvalidSettingException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** The file that holds the settings is broken. */
  public InvalidSettingException(String problem) {
    super(problem, null, false, false);
  }

  public InvalidSettingException(Setting setting, String problem) {
    this(setting.key(), setting.environmentVariable(), problem);
  }

  /** What is wrong is the file that a secret should stand in. */
  static InvalidSettingException ofFile(Setting secret, String problem) {
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
