package io.retel.ariproxy.settings;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;

/**
 * Where settings come from: an environment variable, else the configuration. Either may also name a
 * file that a secret stands in, such as those that Docker and Kubernetes mount.
 *
 * @param environment the environment variables
 * @param configuration what {@code application.properties} has
 */
record SettingSources(Map<String, String> environment, Properties configuration) {

  /**
   * What is set, as it is written; null if nothing is.
   *
   * @throws InvalidSettingException for a secret that is given twice, or whose file does not have
   *     it
   */
  String valueOf(Setting setting) {
    String variable = environment.get(setting.environmentVariable());
    String property = configuration.getProperty(setting.key());
    if (!setting.isSecret()) {
      return variable == null ? property : variable;
    }
    String variableOfFile = environment.get(setting.fileEnvironmentVariable());
    if (variable != null || isGiven(variableOfFile)) {
      return either(setting, variable, variableOfFile);
    }
    return either(setting, property, configuration.getProperty(setting.fileKey()));
  }

  private static String either(Setting secret, String value, String file) {
    if (!isGiven(file)) {
      return value;
    }
    if (isGiven(value)) {
      throw new InvalidSettingException(
          secret, "is given twice, as it is and in the file of " + secret.fileKey());
    }
    return contentOf(secret, file.strip());
  }

  private static String contentOf(Setting secret, String file) {
    try {
      // whoever writes a file ends its last line
      String content = Files.readString(Path.of(file)).replaceFirst("\\R\\z", "");
      if (content.isBlank()) {
        throw InvalidSettingException.inFile(secret, "names " + file + ", which is empty");
      }
      if (content.lines().count() > 1) {
        throw InvalidSettingException.inFile(
            secret, "names " + file + ", which has more than one line");
      }
      return content;
    } catch (NoSuchFileException | InvalidPathException e) {
      throw InvalidSettingException.inFile(secret, "names " + file + ", which is not there");
    } catch (CharacterCodingException e) {
      throw InvalidSettingException.inFile(secret, "names " + file + ", which is no UTF-8 text");
    } catch (IOException e) {
      throw InvalidSettingException.inFile(secret, "names " + file + ", which cannot be read");
    }
  }

  private static boolean isGiven(String value) {
    return value != null && !value.isBlank();
  }
}
