package io.retel.ariproxy.logging;

import ch.qos.logback.core.PropertyDefinerBase;
import io.retel.ariproxy.settings.Setting;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * Tells {@code logback.xml} a setting, since the log begins before the settings are checked: from
 * the environment variable, else from the file. What is none of its values is as if it were not
 * set; the check says so a moment later.
 */
public final class SettingPropertyDefiner extends PropertyDefinerBase {

  private final Path file;
  private final Map<String, String> environment;
  private Setting setting;
  private List<String> values = List.of();

  /** For logback. */
  public SettingPropertyDefiner() {
    this(Path.of(Setting.CONFIGURATION_FILE), System.getenv());
  }

  SettingPropertyDefiner(Path file, Map<String, String> environment) {
    this.file = file;
    this.environment = environment;
  }

  /** Its key. */
  public void setKey(String key) {
    setting =
        Arrays.stream(Setting.values())
            .filter(candidate -> candidate.key().equals(key))
            .findFirst()
            .orElseThrow();
  }

  /** The values that it may have, separated by commas. */
  public void setValues(String values) {
    this.values = List.of(values.split(","));
  }

  @Override
  public String getPropertyValue() {
    String value = environment.get(setting.environmentVariable());
    String configured = value != null ? value : readFile();
    return configured != null && values.contains(configured.strip())
        ? configured.strip()
        : setting.defaultValue();
  }

  private String readFile() {
    Properties properties = new Properties();
    if (Files.isRegularFile(file)) {
      try (Reader reader = Files.newBufferedReader(file)) {
        properties.load(reader);
      } catch (IOException | IllegalArgumentException e) {
        // what is wrong with the file is said when all settings are read
        return null;
      }
    }
    return properties.getProperty(setting.key());
  }
}
