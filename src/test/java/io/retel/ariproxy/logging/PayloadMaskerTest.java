// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Masks personal data but not the ids needed for diagnosis. */
class PayloadMaskerTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path GOLDEN = Path.of("src/test/resources/golden/events");

  private final PayloadMasker masker = new PayloadMasker(true);

  /** {@code CommandParser} reads all of them. */
  @ParameterizedTest
  @ValueSource(strings = {" ", "\r\n\t", "\ufeff", "\ufeff ", "\0", "\ufffd\ufffd\0"})
  void masksJsonAfterInvisibleStart(String start) {
    assertThat(masker.mask(start + "{\"caller\":{\"number\":\"+493012345\"}}"))
        .isEqualTo("{\"caller\":{\"number\":\"***\"}}");
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-8", "UTF-16", "UTF-16BE", "UTF-16LE", "UTF-32", "UTF-32LE"})
  void masksEachEncodingOfJson(String encoding) {
    byte[] text = "{\"caller\":{\"number\":\"+493012345\"}}".getBytes(Charset.forName(encoding));
    assertThat(masker.mask(text).replace("\0", "")).doesNotContain("+493012345");
  }

  @Test
  void masksNumbersAndNamesButNotIds() throws IOException {
    String event =
        """
        {"type":"StasisStart","args":["+493012345"],"channel":{"id":"1532965104.0",
         "name":"PJSIP/+493012345-0000001f","state":"Up","language":"en",
         "caller":{"name":"Erika {} Mustermann","number":"+493012345"},
         "connected":{"name":"","number":"100"},"creationtime":"2026-01-02T03:04:05.006+0000",
         "dialplan":{"context":"default","exten":"4711","priority":2,"app_name":"Dial",
                     "app_data":"PJSIP/+493012345"},
         "channelvars":{"CALL_CONTEXT":"my-call","CUSTOMER":"+493012345"}}}
        """;

    JsonNode masked = JSON.readTree(masker.mask(event));

    assertThat(masked)
        .isEqualTo(
            JSON.readTree(
                """
                {"type":"StasisStart","args":["***"],"channel":{"id":"1532965104.0",
                 "name":"PJSIP/***-0000001f","state":"Up","language":"en",
                 "caller":{"name":"***","number":"***"},
                 "connected":{"name":"","number":"***"},"creationtime":"2026-01-02T03:04:05.006+0000",
                 "dialplan":{"context":"default","exten":"***","priority":2,"app_name":"Dial",
                             "app_data":"***"},
                 "channelvars":{"CALL_CONTEXT":"my-call","CUSTOMER":"***"}}}
                """));
  }

  /** Fields of events that no recording has. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"channel\":{\"id\":\"1\",\"caller_rdnis\":\"+493012345\",\"tenantid\":\"t\"}}"
            + " | {\"channel\":{\"id\":\"1\",\"caller_rdnis\":\"***\",\"tenantid\":\"t\"}}",
        "{\"device_state\":{\"name\":\"PJSIP/+493012345\",\"state\":\"INUSE\"}}"
            + " | {\"device_state\":{\"name\":\"***\",\"state\":\"INUSE\"}}",
        "{\"peer\":{\"peer_status\":\"Registered\",\"address\":\"192.0.2.7\"}}"
            + " | {\"peer\":{\"peer_status\":\"Registered\",\"address\":\"***\"}}"
      })
  void masksAddresses(String event, String masked) {
    assertThat(masker.mask(event)).isEqualTo(masked);
  }

  /** Fields and parameters of other operations and events. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'media':'digits:4711'} | {'media':'***'}",
        "{'media':['sound:beep','number:493012345']} | {'media':['sound:beep','***']}",
        "{'playback':{'id':'p','media_uri':'characters:4711','next_media_uri':'tone:ring'}}"
            + " | {'playback':{'id':'p','media_uri':'***','next_media_uri':'tone:ring'}}",
        "{'media':'sound:https://host/x?token=4711'} | {'media':'***'}",
        "{'media':['sound:digits/4','sound:letters/a','sound:phonetic/a_p','sound:digits-intro']}"
            + " | {'media':['***','***','***','sound:digits-intro']}",
        "{'media':'sound:beep,sound:digits/4'} | {'media':'***'}",
        "{'media_uri':'sound:/var/lib/asterisk/sounds/en/digits/4'} | {'media_uri':'***'}",
        "{'media':['recording:de/digits/4','sound:./Digits//4','sound:my-digits/4']}"
            + " | {'media':['***','***','sound:my-digits/4']}",
        "{'url':'/channels/c/play?media=sound:digits%2F4'} | {'url':'/channels/c/play?media=***'}",
        "{'source':'endpoint:PJSIP/493012345'} | {'source':'***'}",
        "[{'name':'app','channel_ids':['c'],'endpoint_ids':['PJSIP/4711'],'device_names':['SIP/4711']}]"
            + " | [{'name':'app','channel_ids':['c'],'endpoint_ids':['***'],'device_names':['***']}]",
        "[{'name':'PJSIP/4711','state':'INUSE'}] | [{'name':'***','state':'INUSE'}]",
        "{'mailbox':{'name':'100@default','new_messages':1,'old_messages':2}}"
            + " | {'mailbox':{'name':'***','new_messages':1,'old_messages':2}}",
        "{'parameter_name':'refer_to','parameter_value':'<sip:4711@host>'}"
            + " | {'parameter_name':'refer_to','parameter_value':'***'}",
        "{'caller':'4711','called':'4712'} | {'caller':'***','called':'***'}",
        "{'bridge':{'id':'b','name':'conference','bridgevars':{'x':'4711'}}}"
            + " | {'bridge':{'id':'b','name':'conference','bridgevars':{'x':'***'}}}",
        "{'recording':{'name':'call-1','format':'wav','state':'done'}}"
            + " | {'recording':{'name':'call-1','format':'wav','state':'done'}}",
        "{'field_of_a_later_version':'4711','another':{'list':['4711',4711,true]}}"
            + " | {'field_of_a_later_version':'***','another':{'list':['***','***',true]}}",
        "{'url':'/channels/c/play?media=sound:beep,digits:4711&lang=en'}"
            + " | {'url':'/channels/c/play?media=***&lang=en'}",
        "{'url':'/channels/c/play?media=sound%3Abeep'} | {'url':'/channels/c/play?media=sound%3Abeep'}",
        "{'url':'/events/user/e?application=app&source=endpoint:PJSIP/4711'}"
            + " | {'url':'/events/user/e?application=app&source=***'}",
        "{'message':'Channel not found','status_code':404} | {'message':'Channel not found','status_code':404}"
      })
  void masksWhatIsNotKnownToBeHarmless(String text, String masked) {
    assertThat(masker.mask(text.replace('\'', '"'))).isEqualTo(masked.replace('\'', '"'));
  }

  @ParameterizedTest
  @CsvSource({
    "/channels?api_key=user:password, /channels?api_key=***",
    "/channels?a=b&API_Key=us?er:pass=word#x&c=d, /channels?a=b&API_Key=***&c=d",
    "/a=b?api%5Fkey=user%3Apassword, /a=b?api%5Fkey=***",
    "/channels?%61pi_key=x&api_key=y, /channels?%61pi_key=***&api_key=***",
    "/channels&api_key=user:password%, /channels&api_key=***",
    "http://user:password@pbx/ari/channels, http://***@pbx/ari/channels",
    "//user@pbx/ari?api_key=, //***@pbx/ari?api_key=",
    "/channels/a@b?my_api_key=x&endpoint=PJSIP/a@b, /channels/a@b?my_api_key=x&endpoint=PJSIP/a@b"
  })
  void masksOnlyCredentialsInUrl(String url, String masked) {
    assertThat(PayloadMasker.maskCredentials(url)).isEqualTo(masked);
    assertThat(PayloadMasker.maskCredentials(masked)).isEqualTo(masked);
  }

  @Test
  void masksCredentialsInCommand() {
    assertThat(masker.mask("{\"ariCommand\":{\"url\":\"/channels?API_KEY=user:password\"}}"))
        .doesNotContain("password");
  }

  @Test
  void masksDialedNumbersInUrlAndBody() throws IOException {
    String command =
        """
        {"callContext":"call","commandId":"7","ariCommand":{"method":"POST",
         "url":"/channels?endpoint=PJSIP/+49301&app=my-app&callerId=Erika%20%3C12%3E&timeout=30",
         "body":{"endpoint":"Local/49301@out","extension":"49301","channelId":"new",
                 "variables":{"CALLERID(num)":"49301","CALL_CONTEXT":"call"}}}}
        """;

    assertThat(JSON.readTree(masker.mask(command)))
        .isEqualTo(
            JSON.readTree(
                """
                {"callContext":"call","commandId":"7","ariCommand":{"method":"POST",
                 "url":"/channels?endpoint=***&app=my-app&callerId=***&timeout=30",
                 "body":{"endpoint":"***","extension":"***","channelId":"new",
                         "variables":{"CALLERID(num)":"***","CALL_CONTEXT":"call"}}}}
                """));
  }

  @ParameterizedTest
  @CsvSource({
    "/channels/42.1/answer, /channels/42.1/answer",
    "/channels?endpoint=PJSIP/100&app=a, /channels?endpoint=***&app=a",
    "/channels?app=a&call%65rId=100, /channels?app=a&call%65rId=***",
    "/channels/42.1/dtmf?dtmf=1234, /channels/42.1/dtmf?dtmf=***",
    "/channels/42.1/variable?variable=x&value=100, /channels/42.1/variable?variable=x&value=***",
    "/endpoints/PJSIP/+49301/sendMessage?from=x, /endpoints/PJSIP/***/sendMessage?from=***",
    "/endpoints/PJSIP/+49301, /endpoints/PJSIP/***",
    "/endpoints/PJSIP, /endpoints/PJSIP",
    "/mailboxes/100@default?oldMessages=1, /mailboxes/***?oldMessages=1",
    "endpoint=PJSIP/100&app=a, endpoint=***&app=a",
    "/channels?endpoint=, /channels?endpoint=",
    "/channels?endpoint, /channels?endpoint",
  })
  void masksUrlButNotOperation(String url, String masked) {
    assertThat(masker.maskUrl(url)).isEqualTo(masked);
    assertThat(masker.mask(url)).isEqualTo(masked);
  }

  @ParameterizedTest
  @CsvSource({
    "ChannelVarset, CALLERID(num), ***",
    "ChannelVarset, CALL_CONTEXT, 4711",
  })
  void masksVariableValuesExceptCallContext(String type, String variable, String value)
      throws IOException {
    String event =
        "{\"type\":\"%s\",\"variable\":\"%s\",\"value\":\"4711\"}".formatted(type, variable);

    assertThat(JSON.readTree(masker.mask(event)).path("value").asText()).isEqualTo(value);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"caller\":{\"number\":\"4711\"}",
        "{\"caller\":{\"number\":\"4711\"}} {\"caller\":{\"number\":\"4711\"}}",
        "{4711}"
      })
  void hidesMalformedJson(String text) {
    assertThat(masker.mask(text)).doesNotContain("4711");
  }

  static Stream<Path> events() throws IOException {
    try (Stream<Path> files = Files.list(GOLDEN)) {
      return files
          .filter(file -> file.toString().endsWith(".in.json"))
          .filter(file -> !file.toString().contains("non-JSON"))
          .toList()
          .stream();
    }
  }

  @ParameterizedTest
  @MethodSource("events")
  void masksCallersInAllEvents(Path file) throws IOException {
    JsonNode event = JSON.readTree(Files.readString(file));
    JsonNode masked = JSON.readTree(masker.mask(event.toString()));

    for (String person : List.of("caller", "connected")) {
      masked.findValues(person).stream()
          .filter(each -> each.isObject() && !each.has("id"))
          .forEach(
              each -> assertThat(each).allMatch(value -> value.asText().matches("(\\*\\*\\*)?")));
    }
    assertThat(masked.findValuesAsText("exten")).allMatch(exten -> exten.matches("(\\*\\*\\*)?"));
    assertThat(masked.findValuesAsText("id")).isEqualTo(event.findValuesAsText("id"));
    assertThat(masked.findValuesAsText("type")).isEqualTo(event.findValuesAsText("type"));
  }

  /** Empty arrays take the most heap: 16 MB of them as a tree take more than 512 MB. */
  @Test
  void hidesTextThatIsTooLarge() {
    PayloadMasker masker = new PayloadMasker(true);
    byte[] large = ("[" + "[],".repeat(5_000_000) + "[]]").getBytes(StandardCharsets.UTF_8);
    assertThat(masker.mask(large)).isEqualTo("15000004 bytes, too large to be masked");
    assertThat(masker.mask(new String(large, StandardCharsets.UTF_8)))
        .isEqualTo("15000004 characters, too large to be masked");
    assertThat(masker.mask("a=" + "x".repeat(PayloadMasker.MAX_LENGTH)))
        .endsWith(" characters, too large to be masked");
    assertThat(new PayloadMasker(false).mask(large)).hasSize(PayloadMasker.MAX_LENGTH);
    byte[] largest =
        ("[" + " ".repeat(PayloadMasker.MAX_LENGTH - 2) + "]").getBytes(StandardCharsets.UTF_8);
    assertThat(masker.mask(largest)).isEqualTo("[]");
  }

  /** A pattern for the whole list would take stack for each element. */
  @Test
  void masksLongListOfMedia() {
    String media = "sound:a" + ",tone:ring".repeat(100_000);
    String url = "/channels/1/play?media=";
    assertThat(masker.maskUrl(url + media)).isEqualTo(url + media);
    assertThat(masker.maskUrl(url + media + ",digits:4711")).isEqualTo(url + "***");
    assertThat(masker.maskUrl(url + media + ",")).isEqualTo(url + "***");
    String body = "{\"media\":\"sound:a" + ",sound:b".repeat(20_000) + "\"}";
    assertThat(masker.mask(body)).isEqualTo(body);
  }

  @Test
  void hidesTextThatIsNestedTooDeeply() {
    assertThat(masker.mask("[".repeat(100) + "]".repeat(100))).startsWith("[[").endsWith("]]");
    String deep = "[".repeat(101) + "]".repeat(101);
    assertThat(masker.mask(deep)).isEqualTo("202 characters, too complex to be masked");
    assertThatThrownBy(() -> masker.maskJson(deep))
        .hasMessage("202 characters, too complex to be masked");
  }

  @Test
  void masksNothingWhenDisabled() {
    PayloadMasker disabled = new PayloadMasker(false);
    String event = "{\"caller\":{\"number\":\"4711\"}}";

    assertThat(disabled.mask(event)).isEqualTo(event);
    assertThat(disabled.maskUrl("/channels?endpoint=PJSIP/1"))
        .isEqualTo("/channels?endpoint=PJSIP/1");
  }

  @ParameterizedTest
  @CsvSource({
    "endpoint:PJSIP/4711, endpoint:***",
    "deviceState:Custom:4711, deviceState:***",
    "channel:1532965104.0, channel:1532965104.0",
    "bridge:b, bridge:b",
    "app, app"
  })
  void masksAddressInEventSource(String source, String masked) {
    assertThat(PayloadMasker.maskedSource(source)).isEqualTo(masked);
  }

  @Test
  void masksAddressInResourceKey() {
    assertThat(PayloadMasker.maskedKey(new Resource(ResourceType.ENDPOINT, "PJSIP/4711")))
        .isEqualTo("ENDPOINT:***");
    assertThat(PayloadMasker.maskedKey(new Resource(ResourceType.CHANNEL, "4711.0")))
        .isEqualTo("CHANNEL:4711.0");
  }
}
