// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import ch.qos.logback.core.PropertyDefinerBase;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.config.SmallFile;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Provides a setting to {@code logback.xml}, since logging starts before settings are validated.
 *
 * <p>The environment variable takes precedence over the file. Treats an invalid value as not set;
 * validation reports it later.
 */
public final class SettingPropertyDefiner extends PropertyDefinerBase {

  private final Path file;
  private final Map<String, String> environment;
  private Setting<?> setting;

  /** For Logback. */
  public SettingPropertyDefiner() {
    this(Path.of(Setting.CONFIGURATION_FILE), System.getenv());
  }

  SettingPropertyDefiner(Path file, Map<String, String> environment) {
    this.file = file;
    this.environment = environment;
  }

  /** The setting's key. */
  public void setKey(String key) {
    setting = Setting.of(key);
  }

  @Override
  public String getPropertyValue() {
    String value = environment.get(setting.environmentVariable());
    String configured = value != null ? value : readFile();
    return configured != null && setting.isValid(configured.strip())
        ? configured.strip()
        : setting.defaultText();
  }

  private @Nullable String readFile() {
    Properties properties = new Properties();
    if (Files.isRegularFile(file)) {
      try {
        properties.load(new StringReader(SmallFile.readText(file, Settings.MAX_FILE_BYTES)));
      } catch (IOException | IllegalArgumentException e) {
        // reading all settings reports it
        return null;
      }
    }
    return properties.getProperty(setting.key());
  }
}
