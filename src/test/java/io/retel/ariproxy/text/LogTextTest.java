// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.HostileText;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LogTextTest {

  private static final int MAX = 100;

  @ParameterizedTest
  @ValueSource(
      strings = {"", "Call 17.1", "Grüße, 日本語, שלום, 😀", "C:\\path \"quoted\"", "…", "e\u0301"})
  void returnsOrdinaryTextItself(String text) {
    assertThat(LogText.escape(text, MAX)).isSameAs(text);
  }

  @ParameterizedTest
  @CsvSource({
    "000d, \\r",
    "000a, \\n",
    "0009, \\t",
    "0000, \\u0000",
    "001b, \\u001b",
    "007f, \\u007f",
    "0085, \\u0085",
    "009b, \\u009b",
    "202e, \\u202e",
    "2066, \\u2066",
    "200f, \\u200f",
    "061c, \\u061c",
    "2028, \\u2028",
    "2029, \\u2029",
    "200b, \\u200b",
    "feff, \\ufeff",
    "d800, \\ud800",
    "dc00, \\udc00",
    "e0041, \\udb40\\udc41"
  })
  void escapesUnsafeCharacter(String codePoint, String escape) {
    String text = "a" + Character.toString(Integer.parseInt(codePoint, 16)) + "b";

    assertThat(LogText.escape(text, MAX)).isEqualTo("a" + escape + "b");
  }

  @Test
  void escapesTextWithAllUnsafeCharacters() {
    String escaped = LogText.escape(HostileText.withUnpairedSurrogate(), 1_000);

    assertThat(HostileText.problems(escaped, 1_000)).isEmpty();
    assertThat(LogText.escape(escaped, 1_000)).isSameAs(escaped);
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "é", "😀", "\u001b", "😀\r", "\ud800"})
  void cutsLongTextAndNamesItsLength(String part) {
    String text = part.repeat(1_000);

    String cut = LogText.escape(text, MAX);

    assertThat(cut)
        .hasSizeBetween(MAX - 12, MAX)
        .endsWith("… (" + text.length() + " characters)")
        .doesNotContainPattern("\\\\u?[0-9a-f]{0,3}…");
    assertThat(UnpairedSurrogates.isIn(cut)).isFalse();
    assertThat(LogText.escape(cut, MAX)).isSameAs(cut);
  }

  @Test
  void keepsTextOfMaximumLength() {
    assertThat(LogText.escape("x".repeat(MAX), MAX)).hasSize(MAX).doesNotContain("…");
    assertThat(LogText.escape("x".repeat(MAX - 2) + "\n", MAX)).hasSize(MAX).endsWith("x\\n");
    assertThat(LogText.escape("x".repeat(MAX - 1) + "\n", MAX)).endsWith("… (100 characters)");
  }

  @Test
  void abbreviatesToValue() {
    assertThat(LogText.abbreviate(null)).isNull();
    assertThat(LogText.abbreviate(HostileText.large()))
        .hasSizeLessThanOrEqualTo(200)
        .endsWith("… (1048576 characters)");
  }
}
