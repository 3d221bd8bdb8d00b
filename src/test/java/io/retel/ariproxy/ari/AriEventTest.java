// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.fixtures.recording.RecordedTraffic;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Parsing preserves the bytes of an event and rejects malformed input. */
class AriEventTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"type\":\"Dial\"}",
        "  {  \"type\" :\t\"Dial\" ,\r\n \"n\": 1.50e+2 }\n",
        "{\"type\":\"Dial\",\"name\":\"Zoë 電話 😀\"}",
        "{\"type\":\"Dial\",\"name\":\"\\u00e9\\/\\ud83d\\ude00\\ud800\"}",
        "{\"type\":\"Dial\",\"z\":1,\"a\":2,\"a\":3,\"nothing\":null}"
      })
  void preservesPayloadBytes(String text) {
    AriEvent event = AriEvent.parse(text);
    assertThat(event.type()).isEqualTo("Dial");
    assertThat(new String(event.payload(), StandardCharsets.UTF_8)).isEqualTo(text);
  }

  @ParameterizedTest
  @EnumSource
  void preservesPayloadBytesOfRecordedEvents(RecordedTraffic recording) {
    for (String line : recording.eventLines()) {
      assertThat(new String(AriEvent.parse(line).payload(), StandardCharsets.UTF_8))
          .isEqualTo(line);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"hello", "{\"type\":\"Dial\"", "{type:Dial}", "{\"type\":\"Dial\n\"}"})
  void rejectsMalformedJson(String text) {
    assertThatThrownBy(() -> AriEvent.parse(text))
        .isInstanceOf(MalformedEventException.class)
        .hasMessageStartingWith("not JSON: ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "  ", "[]", "\"Dial\"", "1", "null", "[{\"type\":\"Dial\"}]"})
  void rejectsNonObject(String text) {
    assertThatThrownBy(() -> AriEvent.parse(text))
        .isInstanceOf(MalformedEventException.class)
        .hasMessage("not a JSON object");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"type\":\"\"}",
        "{\"type\":null}",
        "{\"type\":5}",
        "{\"type\":{\"type\":\"Dial\"}}"
      })
  void rejectsMissingType(String text) {
    assertThatThrownBy(() -> AriEvent.parse(text))
        .isInstanceOf(MalformedEventException.class)
        .hasMessage("type is missing");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"{\"type\":\"Dial\"} {}", "{\"type\":\"Dial\"}}", "{\"type\":\"Dial\"},\"x\":1"})
  void rejectsTrailingTokens(String text) {
    assertThatThrownBy(() -> AriEvent.parse(text)).isInstanceOf(MalformedEventException.class);
  }

  @Test
  void rejectsExcessiveNesting() {
    String deep = "{\"type\":\"Dial\",\"x\":" + "[".repeat(1_000_000);
    assertThatThrownBy(() -> AriEvent.parse(deep)).isInstanceOf(MalformedEventException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type':'Dial','channel':{'channelvars':{'X':'1'}}}",
        "{'type':'Dial','peer':{'channelvars':{'X':'1'}}}",
        "{'type':'ChannelVarset','variable':'X','value':'2','channel':{'channelvars':{'X':'1'}}}"
      })
  void readsChannelVariable(String json) {
    assertThat(event(json).channelVariable("X")).contains("1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type':'Dial','channel':{'channelvars':{'X':' '}}}",
        "{'type':'Dial','channel':{'channelvars':{'X':7}}}",
        "{'type':'Dial','channel':{'channelvars':{'x':'1'}}}",
        "{'type':'Dial','channel':{'channelvars':null}}",
        "{'type':'Dial','channel':{},'peer':{'channelvars':{'X':'1'}}}",
        "{'type':'Dial','caller':{'channelvars':{'X':'1'}}}"
      })
  void channelVariableIsEmptyWhenAbsentOrBlank(String json) {
    assertThat(event(json).channelVariable("X")).isEmpty();
  }

  @Test
  void readsChangedVariable() {
    assertThat(
            event("{'type':'ChannelVarset','variable':'X','value':'2','channel':{}}")
                .changedVariable("X"))
        .contains("2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type':'ChannelVarset','variable':'X','value':'','channel':{}}",
        "{'type':'ChannelVarset','variable':'Y','value':'2','channel':{}}",
        "{'type':'ChannelVarset','variable':'X','value':'2'}",
        "{'type':'ChannelVarset','value':'2','channel':{}}",
        "{'type':'Other','variable':'X','value':'2','channel':{}}"
      })
  void changedVariableIsEmptyForOtherEvents(String json) {
    assertThat(event(json).changedVariable("X")).isEmpty();
  }

  private static AriEvent event(String json) {
    return AriEvent.parse(json.replace('\'', '"'));
  }
}
