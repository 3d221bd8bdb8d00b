// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.CallContexts;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

/** Malformed and invalid commands are rejected with 400. */
class MalformedCommandTest {

  private static final RecordPosition ORIGIN =
      new RecordPosition("commands", 3, 42, "key", Instant.EPOCH);

  private final CommandParser parser =
      new CommandParser(
          new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.disabledTicker()));

  @ParameterizedTest
  @NullAndEmptySource
  void rejectsEmptyRecord(byte[] value) {
    assertRejected(parser.parse(ORIGIN, value));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        " ",
        "hello",
        "{",
        "{\"ariCommand\":",
        "{ariCommand:{}}",
        "<command/>",
        "\u0000",
        "{\"callContext\":\"a\u0000b\"}",
        "{\"callContext\":\"a\nb\"}"
      })
  void rejectsMalformedJson(String value) {
    assertRejected(parser.parse(ORIGIN, bytes(value)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"null", "[]", "1", "\"GET /channels\"", "true"})
  void rejectsNonObjectJson(String value) {
    assertRejected(parser.parse(ORIGIN, bytes(value)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"ariCommand\":null}",
        "{\"ariCommand\":\"GET /x\"}",
        "{\"ariCommand\":[]}",
        "{\"ariCommand\":{}}",
        "{\"ariCommand\":{\"method\":\"GET\"}}",
        "{\"ariCommand\":{\"url\":\"/x\"}}",
        "{\"ariCommand\":{\"method\":\"\",\"url\":\"/x\"}}",
        "{\"ariCommand\":{\"method\":null,\"url\":\"/x\"}}",
        "{\"ariCommand\":{\"method\":1,\"url\":\"/x\"}}",
        "{\"ariCommand\":{\"method\":\"GET\",\"url\":\"\"}}",
        "{\"ariCommand\":{\"method\":\"GET\",\"url\":5}}",
        "{\"ariCommand\":{\"method\":\"GET\",\"url\":[\"/x\"]}}",
        "{\"method\":\"GET\",\"url\":\"/x\"}"
      })
  void rejectsMissingMethodOrUrl(String value) {
    assertRejected(parser.parse(ORIGIN, bytes(value)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"get", "HEAD", "PATCH", "OPTIONS", "TRACE", "CONNECT", "GET ", "G\\u0000"})
  void rejectsUnknownMethod(String method) {
    assertRejected(
        parser.parse(
            ORIGIN, bytes("{\"ariCommand\":{\"method\":\"" + method + "\",\"url\":\"/x\"}}")));
  }

  @ParameterizedTest
  @ValueSource(strings = {" {}", "}", " x", "{\"ariCommand\":{}}", "\u0000"})
  void rejectsTrailingContent(String trailing) {
    assertRejected(
        parser.parse(
            ORIGIN,
            bytes("{\"ariCommand\":{\"method\":\"GET\",\"url\":\"/asterisk/info\"}}" + trailing)));
  }

  @Test
  void rejectsInvalidUtf8() {
    assertRejected(parser.parse(ORIGIN, new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'}));
    assertRejected(parser.parse(ORIGIN, new byte[] {(byte) 0xc3, 0x28}));
  }

  @ParameterizedTest
  @ValueSource(strings = {"[", "{\"x\":"})
  void rejectsExcessiveNesting(String level) {
    assertRejected(parser.parse(ORIGIN, bytes(level.repeat(1_000_000))));
    assertRejected(
        parser.parse(
            ORIGIN,
            bytes(
                "{\"ariCommand\":{\"method\":\"GET\",\"url\":\"/x\",\"body\":"
                    + level.repeat(1_000_000))));
  }

  /** At the check before anything is sent. */
  @Test
  void rejectsNumberThatJavaWritesButDoesNotRead() {
    // Java writes 1.234E+2147483648, and reads that from Java 21 on
    String number = "123.4E2147483646";
    Command command =
        parser.parse(
            ORIGIN,
            bytes(
                "{\"ariCommand\":{\"method\":\"POST\",\"url\":\"/x\",\"body\":{\"n\":%s}}}"
                    .formatted(number)));
    ThrowingCallable check = () -> ((Command.Accepted) command).prepared().parameters();
    if (isRead(new BigDecimal(number).toString())) {
      assertThatCode(check).doesNotThrowAnyException();
    } else {
      assertThatThrownBy(check)
          .isInstanceOfSatisfying(
              CommandRejectedException.class,
              rejection -> assertThat(rejection.status()).isEqualTo(400));
    }
  }

  private static boolean isRead(String number) {
    try {
      new BigDecimal(number);
      return true;
    } catch (NumberFormatException e) {
      return false;
    }
  }

  @Test
  void rejectsOversizedUrl() {
    String url = "/channels/" + "x".repeat(25_000_000);
    assertRejected(
        parser.parse(
            ORIGIN, bytes("{\"ariCommand\":{\"method\":\"GET\",\"url\":\"" + url + "\"}}")));
  }

  /** UTF-8 cannot encode it, so that the record's key and the ids in JSON would differ. */
  @ParameterizedTest
  @ValueSource(strings = {"\\ud800", "\\udc00\\ud800", "x\\ud800y", "\\ud800\\ud83d\\ude00"})
  void rejectsUnpairedSurrogate(String text) {
    for (String field : List.of("callContext", "commandId", "body")) {
      String value =
          """
          {"callContext":"call","commandId":"7",
           "ariCommand":{"method":"POST","url":"/bridges","body":{"bridgeId":"body"}}}"""
              .replace(
                  field.equals("commandId")
                      ? "\"7\""
                      : field.equals("body") ? "\"body\"}" : "\"call\"",
                  "\"" + text + "\"" + (field.equals("body") ? "}" : ""));

      Command command = parser.parse(ORIGIN, bytes(value));

      assertRejected(command);
      assertThat(((Command.Rejected) command).reason()).hasMessageContaining(field);
      assertThat(command.callContext()).isEqualTo(field.equals("callContext") ? null : "call");
      assertThat(command.commandId() == null).isEqualTo(field.equals("commandId"));
      // an id that cannot be read is not logged as null
      assertThat(command.toString())
          .isEqualTo(
              "rejected command ("
                  + switch (field) {
                    case "callContext" -> "command \"7\"";
                    case "commandId" -> "of call";
                    default -> "command \"7\" of call";
                  }
                  + ", "
                  + ORIGIN
                  + ")");
    }
  }

  /** A mapping with it could not be stored. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'callContext':'%s','ariCommand':{'method':'GET','url':'/channels'}}",
        "{'ariCommand':{'method':'POST','url':'/channels','body':"
            + "{'endpoint':'Local/1','variables':{'CALL_CONTEXT':'%s'}}}}"
      })
  void rejectsCallContextsThatAreTooLong(String format) {
    String longest = "x".repeat(Resource.MAX_ID_LENGTH);
    assertThat(parse(format, longest)).isInstanceOf(Command.Accepted.class);
    assertRejected(parse(format, longest + "x"), "is longer than 4096 characters");
  }

  /** Asterisk accepts such an id in a body, and then no request for the resource. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'ariCommand':{'method':'POST','url':'/bridges','body':{'bridgeId':'%s'}}}",
        "{'ariCommand':{'method':'POST','url':'/channels','body':"
            + "{'endpoint':'Local/1','otherChannelId':'%s'}}}",
        "{'ariCommand':{'method':'POST','url':'/channels/c/play','body':"
            + "{'media':'sound:a','playbackId':'%s'}}}",
        "{'ariCommand':{'method':'POST','url':'/channels/c/record','body':{'name':'%s'}}}",
        "{'ariCommand':{'method':'POST','url':'/events/claim','body':{'channelId':'%s'}}}",
      })
  void rejectsIdsThatAreTooLong(String format) {
    assertThat(parse(format, "x".repeat(3_900))).isInstanceOf(Command.Accepted.class);
    assertRejected(parse(format, "x".repeat(3_901)), "has 3901 bytes in a path");
    assertThat(parse(format, "\u20ac".repeat(433))).isInstanceOf(Command.Accepted.class);
    assertRejected(parse(format, "\u20ac".repeat(434)), "has 3906 bytes in a path");
    assertRejected(
        parse(format, "x".repeat(Resource.MAX_ID_LENGTH + 1)), "is longer than 4096 characters");
  }

  private Command parse(String format, String text) {
    return parser.parse(ORIGIN, bytes(format.formatted(text).replace('\'', '"')));
  }

  private static void assertRejected(Command command, String message) {
    assertRejected(command);
    assertThat(((Command.Rejected) command).reason()).hasMessageContaining(message);
    assertThat(command.callContext()).isNull();
  }

  @Test
  void acceptsPairedSurrogates() {
    Command command =
        parser.parse(
            ORIGIN,
            bytes(
                "{\"callContext\":\"\\ud83d\\ude00\","
                    + "\"ariCommand\":{\"method\":\"GET\",\"url\":\"/asterisk/ping\"}}"));
    assertThat(command.accepted().callContext()).isEqualTo("\ud83d\ude00");
  }

  @Test
  void retainsReadableFieldsForResponse() {
    Command command =
        parser.parse(
            ORIGIN,
            bytes(
                "{\"callContext\":\"call\",\"commandId\":7,"
                    + "\"ariCommand\":{\"method\":\"GET\",\"url\":\"/../x\"}}"));
    assertRejected(command);
    assertThat(command.callContext()).isEqualTo("call");
    assertThat(command.commandId().intValue()).isEqualTo(7);
    assertThat(command.method()).isEqualTo("GET");
    assertThat(command.url()).isEqualTo("/../x");
    assertThat(command.orderingKey()).isEqualTo("call");
  }

  private static void assertRejected(Command command) {
    assertThat(command)
        .isInstanceOfSatisfying(
            Command.Rejected.class,
            rejected -> {
              assertThat(rejected.reason().status()).isEqualTo(400);
              assertThat(rejected.reason().getMessage()).isNotBlank().hasSizeLessThan(1_000);
              assertThatThrownBy(rejected::accepted).isSameAs(rejected.reason());
            });
    assertThat(command.resources()).isEmpty();
    assertThat(command.toString()).hasSizeLessThan(1_000);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
