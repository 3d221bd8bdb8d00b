package io.retel.ariproxy.settings;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code config/application.properties} shows every setting, its default, and what it is for. */
class ConfigurationFileTest {

  private static final Path FILE = Path.of("config", "application.properties");

  @Test
  void listsExactlyAllSettingsInOrder() throws IOException {
    assertThat(
            Files.readAllLines(FILE).stream()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .map(line -> line.substring(0, line.indexOf('=')).strip())
                .filter(key -> !key.startsWith("camel.")))
        .containsExactlyElementsOf(Arrays.stream(Setting.values()).map(Setting::key).toList());
  }

  @ParameterizedTest
  @EnumSource
  void showsDefault(Setting setting) throws IOException {
    Properties file = new Properties();
    try (Reader reader = Files.newBufferedReader(FILE)) {
      file.load(reader);
    }
    assertThat(file.getProperty(setting.key()))
        .isEqualTo(Objects.requireNonNullElse(setting.defaultValue(), ""));
  }

  @ParameterizedTest
  @EnumSource
  void commentsSetting(Setting setting) throws IOException {
    List<String> lines = Files.readAllLines(FILE);
    int line = 0;
    while (!lines.get(line).startsWith(setting.key() + " =")) {
      line++;
    }
    assertThat(lines.get(line - 1)).as("the line above %s", setting.key()).startsWith("# ");
  }
}
