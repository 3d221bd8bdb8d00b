// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnitsTest {

  @ParameterizedTest
  @CsvSource({
    "500ms, PT0.5S",
    "30s, PT30S",
    "30 s, PT30S",
    "5m, PT5M",
    "2h, PT2H",
    "1d, PT24H",
    "0, PT0S"
  })
  void parsesDuration(String text, Duration duration) {
    assertThat(Units.duration(text)).isEqualTo(duration);
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "0B, 0", "40KB, 40960", "64MB, 67108864", "2 GB, 2147483648"})
  void parsesSize(String text, long bytes) {
    assertThat(Units.bytes(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "30",
        "s",
        "-1s",
        "1.5s",
        "30S",
        "30 seconds",
        "1s 2s",
        "99999999999999999999s",
        "999999999999999999d"
      })
  void rejectsMalformedDuration(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Units.duration(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "64", "64mb", "64M", "0x10B", "1e6B", "999999999999999999GB"})
  void rejectsMalformedSize(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Units.bytes(text));
  }
}
