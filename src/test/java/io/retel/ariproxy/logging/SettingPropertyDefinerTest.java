// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Log settings are available before the first log line. */
class SettingPropertyDefinerTest {

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "json, text, json",
    "json, , json",
    ", json, json",
    ", ' json ', json",
    ", , text",
    "xml, json, text",
    ", xml, text",
  })
  void prefersEnvironmentThenFileThenDefault(String environment, String file, String format)
      throws IOException {
    Path path = folder.resolve("application.properties");
    if (file != null) {
      Files.writeString(path, "logging.format =" + file + "\n");
    }
    Map<String, String> variables = new HashMap<>();
    if (environment != null) {
      variables.put("LOGGING_FORMAT", environment);
    }
    SettingPropertyDefiner definer = new SettingPropertyDefiner(path, variables);
    definer.setKey("logging.format");

    assertThat(definer.getPropertyValue()).isEqualTo(format);
  }
}
