// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.envelope;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Classification of Asterisk's responses as JSON or binary. */
class CommandResultTest {

  @Test
  void emptyBodyYieldsStatusOnly() {
    assertThat(CommandResult.of(204, "application/json", new byte[0]))
        .isEqualTo(new CommandResult.Status(204));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "[]", " {\"a\": 1.0}\n", "null", "\"x\"", "1"})
  void passesJsonUnchanged(String body) {
    assertThat(CommandResult.of(200, "application/json", bytes(body)))
        .isInstanceOfSatisfying(
            CommandResult.Json.class,
            json -> assertThat(json.body()).asString(StandardCharsets.UTF_8).isEqualTo(body));
  }

  @ParameterizedTest
  @ValueSource(strings = {"application/json; charset=utf-8", "Application/JSON"})
  void acceptsJsonContentTypeVariants(String contentType) {
    assertThat(CommandResult.of(200, contentType, bytes("{}")))
        .isInstanceOf(CommandResult.Json.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{", "{} {}", "{}}", " ", "nul", "{\"a\":1}x", "\u0000"})
  void treatsInvalidJsonAsBinary(String body) {
    assertThat(CommandResult.of(200, "application/json", bytes(body)))
        .isInstanceOf(CommandResult.Binary.class);
  }

  /** Jackson reads them; an envelope with one would be neither UTF-8 nor JSON. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "efbbbf7b7d", // byte order mark
        "7b007d00", // UTF-16
        "007b007d",
        "0000007b0000007d", // UTF-32
        "22c08022", // overlong NUL
        "22eda08022", // surrogate
        "22f7bfbfbf22", // beyond Unicode
        "7b2261223a22c3", // truncated
        "22c322"
      })
  void treatsOtherEncodingsAsBinary(String hex) {
    assertThat(CommandResult.of(200, "application/json", HexFormat.of().parseHex(hex)))
        .isInstanceOf(CommandResult.Binary.class);
  }

  @Test
  void passesLongTextOfAllLengthsOfCharacters() {
    String body = '"' + "a\u00e9\u20ac\ud83d\ude00".repeat(10_000) + '"';
    assertThat(CommandResult.of(200, "application/json", bytes(body)))
        .isInstanceOf(CommandResult.Json.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1111", "\"\"", "{}", "null"})
  void treatsNonJsonContentTypeAsBinary(String body) {
    assertThat(CommandResult.of(200, "audio/basic", bytes(body)))
        .isInstanceOfSatisfying(
            CommandResult.Binary.class,
            file -> assertThat(file.contentType()).isEqualTo("audio/basic"));
  }

  @Test
  void detectsTypeWithoutContentType() {
    assertThat(CommandResult.of(200, null, bytes("{}"))).isInstanceOf(CommandResult.Json.class);
    assertThat(CommandResult.of(200, null, bytes("RIFF")))
        .isInstanceOfSatisfying(
            CommandResult.Binary.class,
            file -> assertThat(file.contentType()).isEqualTo("application/octet-stream"));
  }

  @Test
  void treatsDeeplyNestedJsonAsBinary() {
    assertThat(CommandResult.of(200, "application/json", bytes("[".repeat(1_000_000))))
        .isInstanceOf(CommandResult.Binary.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"id":"c","dialplan":{"id":"x"},"creationtime":"2026"} | 2026
          {"creationtime":"2026","id":"c"}                       | 2026
          {"id":"d","creationtime":"2026"}                       | ``
          {"id":"c","creationtime":2026}                         | ``
          {"id":"c","name":"PJSIP/a-1","creationtime":"2026"}    | 2026 42ecbb6
          [{"id":"c","creationtime":"2026"}]                     | ``
          """)
  void readsInstanceOfItsResource(String body, String instance) {
    assertThat(
            new CommandResult.Json(200, bytes(body))
                .instanceOf(new Resource(ResourceType.CHANNEL, "c")))
        .isEqualTo(instance);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
