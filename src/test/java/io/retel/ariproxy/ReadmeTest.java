package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.settings.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The README's tables are true. */
class ReadmeTest {

  @ParameterizedTest
  @EnumSource(Setting.class)
  void theSettingsTableHasEverySettingWithItsDefault(Setting setting) throws IOException {
    String row = "| `" + setting.key() + "` | ";
    String cell =
        Files.readAllLines(Path.of("README.md")).stream()
            .filter(line -> line.startsWith(row))
            .map(line -> line.substring(row.length()).replace(" |", ""))
            .findFirst()
            .orElse("no row");
    if (setting.defaultValue() == null) {
      assertThat(cell).isEqualTo("required");
    } else if (setting.defaultValue().isEmpty()) {
      // said in words: it follows from another setting, or it is none
      assertThat(cell).isNotBlank().isNotEqualTo("no row").doesNotContain("required");
    } else {
      assertThat(cell).isEqualTo("`" + setting.defaultValue() + "`");
    }
  }

  @ParameterizedTest
  @EnumSource(Meters.class)
  void theMetricsTableHasEveryMeterAsItIs(Meters meter) throws IOException {
    String tags =
        meter.tags().stream().map(tag -> "`" + tag + "`").collect(Collectors.joining(", "));
    assertThat(Files.readString(Path.of("README.md")))
        .contains(
            "| `"
                + meter.meterName()
                + "`"
                + (tags.isEmpty() ? "" : " by " + tags)
                + " | "
                + meter.kind().name().toLowerCase(Locale.ROOT)
                + " | "
                + meter.description()
                + " |");
  }
}
