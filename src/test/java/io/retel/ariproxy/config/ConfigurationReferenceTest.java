// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** {@code -Dgolden.update} rewrites both files from the settings. */
class ConfigurationReferenceTest {

  private static final Path FILE = Path.of(Setting.CONFIGURATION_FILE);
  private static final Path PAGE = Path.of("docs", "configuration.md");
  private static final String CAMEL_SECTION = "\n# ---- Camel";

  @Test
  void configurationFileShowsEverySettingWithItsDefault() throws IOException {
    String file = Files.readString(FILE);
    String camel = file.substring(file.indexOf(CAMEL_SECTION));
    assertGenerated(FILE, ConfigurationReference.propertiesFile() + camel);
    assertThat(camel.lines().filter(line -> !line.isBlank() && !line.startsWith("#")))
        .allMatch(line -> line.startsWith("camel."));
  }

  @Test
  void pageShowsEverySetting() throws IOException {
    assertGenerated(PAGE, ConfigurationReference.page());
  }

  private static void assertGenerated(Path file, String expected) throws IOException {
    if (System.getProperty("golden.update") != null) {
      Files.writeString(file, expected);
    }
    assertThat(Files.readString(file))
        .as("%s; -Dgolden.update rewrites it", file)
        .isEqualTo(expected);
  }
}
