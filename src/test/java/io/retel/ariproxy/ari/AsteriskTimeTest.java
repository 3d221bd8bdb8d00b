// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AsteriskTimeTest {

  private static final DateTimeFormatter JAVA_FORMATTER =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSxx");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2026-11-25T11:02:03.456+0000",
        "2026-01-01T00:00:00.000+0100",
        "2024-02-29T23:59:59.999-0330",
        "1969-12-31T23:59:59.001+0000"
      })
  void agreesWithJavaFormatter(String timestamp) {
    assertThat(AsteriskTime.epochMillis(timestamp))
        .isEqualTo(OffsetDateTime.parse(timestamp, JAVA_FORMATTER).toInstant().toEpochMilli());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "now",
        "2026-11-25T11:02:03.456Z",
        "2026-11-25 11:02:03.456+0000",
        "2026-11-25T11:02:03.4x6+0000",
        "2026-13-25T11:02:03.456+0000",
        "2025-02-29T11:02:03.456+0000"
      })
  void rejectsOtherFormats(String timestamp) {
    assertThatThrownBy(() -> AsteriskTime.epochMillis(timestamp))
        .isInstanceOf(DateTimeException.class);
  }
}
