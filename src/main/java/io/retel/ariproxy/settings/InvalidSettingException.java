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
    super(
        setting.key()
            + " "
            + problem
            + " (config/application.properties, or the environment variable "
            + setting.environmentVariable()
            + ")",
        null,
        false,
        false);
  }
}
