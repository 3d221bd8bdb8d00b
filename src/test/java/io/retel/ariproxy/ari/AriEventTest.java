// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.fixtures.recording.RecordedTraffic;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
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

  /** Jackson would read them as UTF-16 or UTF-32, and skip the byte order mark. */
  @ParameterizedTest
  @ValueSource(strings = {"UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"})
  void rejectsOtherEncodings(String charset) {
    byte[] encoded = "{\"type\":\"Dial\"}".getBytes(Charset.forName(charset));
    rejectsMalformedJson(new String(encoded, StandardCharsets.UTF_8));
    rejectsMalformedJson("\ufeff{\"type\":\"Dial\"}");
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

  /** The parser remembers names for good. */
  @Test
  void rejectsLongName() {
    String named = "{\"type\":\"Dial\",\"%s\":1}";
    assertThat(AriEvent.parse(named.formatted("n".repeat(256))).type()).isEqualTo("Dial");
    assertThatThrownBy(() -> AriEvent.parse(named.formatted("n".repeat(49_000))))
        .isInstanceOf(MalformedEventException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type':'Dial','channel':{'channelvars':{'CALL_CONTEXT':'1'}}}",
        "{'type':'Dial','peer':{'channelvars':{'CALL_CONTEXT':'1'}}}",
        "{'type':'ChannelVarset','variable':'CALL_CONTEXT','value':'2','channel':{'channelvars':{'CALL_CONTEXT':'1'}}}"
      })
  void readsChannelVariable(String json) {
    assertThat(event(json).channel().callContext()).isEqualTo("1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type':'Dial','channel':{'channelvars':{'CALL_CONTEXT':' '}}}",
        "{'type':'Dial','channel':{'channelvars':{'CALL_CONTEXT':7}}}",
        "{'type':'Dial','channel':{'channelvars':{'call_context':'1'}}}",
        "{'type':'Dial','channel':{'channelvars':null}}",
        "{'type':'Dial','channel':{},'peer':{'channelvars':{'CALL_CONTEXT':'1'}}}",
        "{'type':'Dial','caller':{'channelvars':{'CALL_CONTEXT':'1'}}}"
      })
  void channelVariableIsEmptyWhenAbsentOrBlank(String json) {
    assertThat(event(json).channel().callContext()).isEmpty();
  }

  @Test
  void readsAssignedCallContext() {
    assertThat(
            event("{'type':'ChannelVarset','variable':'CALL_CONTEXT','value':'2','channel':{}}")
                .assignedCallContext())
        .isEqualTo("2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type':'ChannelVarset','variable':'CALL_CONTEXT','value':'','channel':{}}",
        "{'type':'ChannelVarset','variable':'Y','value':'2','channel':{}}",
        "{'type':'ChannelVarset','variable':'CALL_CONTEXT','value':'2'}",
        "{'type':'ChannelVarset','value':'2','channel':{}}",
        "{'type':'Other','variable':'CALL_CONTEXT','value':'2','channel':{}}"
      })
  void assignedCallContextIsEmptyForOtherEvents(String json) {
    assertThat(event(json).assignedCallContext()).isEmpty();
  }

  @Test
  void readsValues() {
    AriEvent event =
        event(
            "{'type':'StasisStart','timestamp':'t','args':[{'id':'x'}],'channel':{'dialplan':"
                + "{'id':'x'},'id':'c','name':'Snoop/c','creationtime':'s'},'asterisk_id':'a',"
                + "'application':'app'}");
    assertThat(event.timestamp()).isEqualTo("t");
    assertThat(event.asteriskId()).isEqualTo("a");
    assertThat(event.application()).isEqualTo("app");
    assertThat(event.channel()).isEqualTo(new AriEvent.Channel("c", "Snoop/c", "s", ""));
    assertThat(event.channel().isSnoop()).isTrue();
    assertThat(event.isSynthetic()).isFalse();
    assertThat(event.change()).isEqualTo(ResourceChange.ENTERED_STASIS);
  }

  @Test
  void valuesAreEmptyWhenAbsentOrNotText() {
    AriEvent event =
        event("{'type':'StasisEnd','timestamp':1,'asterisk_id':null,'application':['x']}");
    assertThat(event.timestamp()).isEmpty();
    assertThat(event.asteriskId()).isEmpty();
    assertThat(event.application()).isEmpty();
    assertThat(event.channel()).isEqualTo(new AriEvent.Channel("", "", "", ""));
    assertThat(event.resources()).isEmpty();
    assertThat(event.relatedResources()).isEmpty();
  }

  @Test
  void lastOfRepeatedFieldsCounts() {
    assertThat(event("{'type':'Dial','peer':{'id':'a'},'peer':{'id':'b'}}").resources())
        .containsExactly(new Resource(ResourceType.CHANNEL, "b"));
    assertThat(event("{'type':'Dial','peer':{'id':'a'},'peer':null}").resources()).isEmpty();
    assertThat(event("{'type':'Dial','type':'StasisEnd'}").type()).isEqualTo("StasisEnd");
  }

  @Test
  void detectsSyntheticEvent() {
    assertThat(event("{'type':'StasisEnd','synthesized_by':'ari-proxy'}").isSynthetic()).isTrue();
  }

  @Test
  void routesReadJson() throws Exception {
    try (DefaultCamelContext context = new DefaultCamelContext()) {
      context.start();
      Exchange exchange = new DefaultExchange(context);
      exchange.getMessage().setBody(event("{'type':'Dial','dialstatus':'BUSY'}"));
      assertThat(
              context
                  .resolveLanguage("simple")
                  .createExpression("${body.json.get('dialstatus').asText}")
                  .evaluate(exchange, String.class))
          .isEqualTo("BUSY");
    }
  }

  private static AriEvent event(String json) {
    return AriEvent.parse(json.replace('\'', '"'));
  }
}
