// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Encoding of keys and texts in table rows. */
class JdbcRowTest {

  private static final String LONG_KEY = "k".repeat(600);

  @Test
  void plainTextIsUnchanged() {
    assertThat(JdbcRow.of("CHANNEL:1532965104.0", "{\"a\":\"é\"}"))
        .isEqualTo(new JdbcRow("CHANNEL:1532965104.0", "{\"a\":\"é\"}"));
  }

  @Test
  void roundTripsKeysAndTexts() {
    List<String> texts =
        List.of(
            "",
            "a",
            "\0",
            "\\",
            "\\0",
            "\\\0",
            "\\\\",
            "\\#",
            "3:abc",
            "600:",
            LONG_KEY,
            LONG_KEY + "\\\0:");
    for (String key : texts) {
      for (String text : texts) {
        JdbcRow row = JdbcRow.of(key, text);
        assertThat(row.key()).isEqualTo(key);
        assertThat(row.text()).isEqualTo(text);
        assertThat(row.resource()).isEqualTo(JdbcRow.resource(key)).doesNotContain("\0");
        assertThat(row.value()).doesNotContain("\0");
      }
    }
  }

  /** A restore reports it as malformed, instead of failing at each start. */
  @ParameterizedTest
  @ValueSource(strings = {"", "abc", ":", ":abc", "x:y", "-1:a", "4:abc", "99999999999:a"})
  void rowOfAnotherWriterHasItsColumns(String value) {
    JdbcRow row = new JdbcRow("\\#x", value);
    assertThat(row.key()).isEqualTo("#x");
    assertThat(row.text()).isEqualTo(value);
  }

  @Test
  void differentKeysYieldDifferentResources() {
    List<String> keys =
        List.of(
            "\0",
            "\\0",
            "\\\\0",
            LONG_KEY,
            LONG_KEY + "k",
            JdbcRow.resource(LONG_KEY),
            LONG_KEY + "\0");
    assertThat(keys.stream().map(JdbcRow::resource)).doesNotHaveDuplicates();
  }

  @Test
  void longKeyYieldsShortResource() {
    assertThat(JdbcRow.resource("漢".repeat(10_000)).getBytes(StandardCharsets.UTF_8))
        .hasSizeLessThan(1_000);
    assertThat(JdbcRow.resource("漢".repeat(500)).getBytes(StandardCharsets.UTF_8))
        .hasSizeLessThan(2_000);
  }
}
