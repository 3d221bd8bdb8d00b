package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What of Asterisk's answers passes on as JSON, and what as base64. */
class AriAnswerTest {

  @Test
  void withoutABodyThereIsTheStatusAlone() {
    assertThat(AriAnswer.of(204, "application/json", new byte[0]))
        .isEqualTo(new AriAnswer.Status(204));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "[]", " {\"a\": 1.0}\n", "null", "\"x\"", "1"})
  void jsonPassesAsItIs(String body) {
    assertThat(AriAnswer.of(200, "application/json", bytes(body)))
        .isInstanceOfSatisfying(
            AriAnswer.Json.class,
            json -> assertThat(json.body()).asString(StandardCharsets.UTF_8).isEqualTo(body));
  }

  @ParameterizedTest
  @ValueSource(strings = {"application/json; charset=utf-8", "Application/JSON"})
  void jsonMayBeToldInOtherWords(String contentType) {
    assertThat(AriAnswer.of(200, contentType, bytes("{}"))).isInstanceOf(AriAnswer.Json.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{", "{} {}", "{}}", " ", "nul", "{\"a\":1}x", "\u0000"})
  void whatWouldBreakTheEnvelopeIsNoJson(String body) {
    assertThat(AriAnswer.of(200, "application/json", bytes(body)))
        .isInstanceOf(AriAnswer.Binary.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1111", "\"\"", "{}", "null"})
  void aFileIsAFileEvenIfItReadsLikeJson(String body) {
    assertThat(AriAnswer.of(200, "audio/basic", bytes(body)))
        .isInstanceOfSatisfying(
            AriAnswer.Binary.class,
            file -> assertThat(file.contentType()).isEqualTo("audio/basic"));
  }

  @Test
  void whatHasNoTypeIsWhatItReadsLike() {
    assertThat(AriAnswer.of(200, null, bytes("{}"))).isInstanceOf(AriAnswer.Json.class);
    assertThat(AriAnswer.of(200, null, bytes("RIFF")))
        .isInstanceOfSatisfying(
            AriAnswer.Binary.class,
            file -> assertThat(file.contentType()).isEqualTo("application/octet-stream"));
  }

  @Test
  void aDeepOneIsNoJson() {
    assertThat(AriAnswer.of(200, "application/json", bytes("[".repeat(1_000_000))))
        .isInstanceOf(AriAnswer.Binary.class);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
