// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.envelope;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.config.EventResourcesFormat;
import io.retel.ariproxy.fixtures.recording.RecordedTraffic;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The exact text of event envelopes. */
class EventEnvelopeTest {

  private static final Resource CHANNEL = new Resource(ResourceType.CHANNEL, "1532965104.0");
  private static final Resource BRIDGE = new Resource(ResourceType.BRIDGE, "br");

  @Test
  void arrayContainsAllResources() {
    assertThat(array("{\"type\":\"ChannelLeftBridge\"}", "call", List.of(CHANNEL, BRIDGE)))
        .isEqualTo(
            "{\"type\":\"CHANNEL_LEFT_BRIDGE\",\"callContext\":\"call\","
                + "\"commandsTopic\":\"commands\",\"commandId\":null,\"commandRequest\":null,"
                + "\"resources\":[{\"type\":\"CHANNEL\",\"id\":\"1532965104.0\"},"
                + "{\"type\":\"BRIDGE\",\"id\":\"br\"}],"
                + "\"payload\":{\"type\":\"ChannelLeftBridge\"}}");
  }

  @Test
  void objectContainsDecidingResource() {
    assertThat(object("{\"type\":\"StasisStart\"}", "call", List.of(CHANNEL, BRIDGE)))
        .isEqualTo(
            "{\"type\":\"STASIS_START\",\"callContext\":\"call\","
                + "\"commandsTopic\":\"commands\",\"commandId\":null,\"commandRequest\":null,"
                + "\"resources\":{\"type\":\"CHANNEL\",\"id\":\"1532965104.0\"},"
                + "\"payload\":{\"type\":\"StasisStart\"}}");
  }

  @Test
  void unmappedEventHasNullCallContext() {
    assertThat(array("{\"type\":\"ApplicationRegistered\"}", null, List.of()))
        .isEqualTo(
            "{\"type\":\"APPLICATION_REGISTERED\",\"callContext\":null,"
                + "\"commandsTopic\":\"commands\",\"commandId\":null,\"commandRequest\":null,"
                + "\"resources\":[],\"payload\":{\"type\":\"ApplicationRegistered\"}}");
    assertThat(object("{\"type\":\"ApplicationRegistered\"}", null, List.of()))
        .contains(",\"resources\":null,");
  }

  @Test
  void copyListsAllCallContexts() {
    MappedEvent mapped =
        new MappedEvent(AriEvent.parse("{\"type\":\"Dial\"}"), "two", List.of(BRIDGE, CHANNEL));
    assertThat(
            new String(
                new Envelopes("commands", EventResourcesFormat.OBJECT)
                    .event(mapped, List.of("one", "two")),
                StandardCharsets.UTF_8))
        .isEqualTo(
            "{\"type\":\"DIAL\",\"callContext\":\"two\",\"callContexts\":[\"one\",\"two\"],"
                + "\"commandsTopic\":\"commands\",\"commandId\":null,\"commandRequest\":null,"
                + "\"resources\":{\"type\":\"BRIDGE\",\"id\":\"br\"},"
                + "\"payload\":{\"type\":\"Dial\"}}");
  }

  @Test
  void payloadIsUnchanged() {
    String payload =
        "{ \"type\" :\t\"Dial\",\n\"x\":\"\\u00e9 é 😀 \\ud800\",\"n\":1.50,\"x\":1 } ";
    assertThat(array(payload, "call", List.of())).endsWith("\"payload\":" + payload + "}");
  }

  @Test
  void largePayloadIsComplete() {
    String payload = "{\"type\":\"Dial\",\"x\":\"" + "é".repeat(100_000) + "\"}";
    assertThat(array(payload, "call", List.of())).endsWith("\"payload\":" + payload + "}");
  }

  @Test
  void idsAndCallContextsAreEscaped() {
    Resource odd = new Resource(ResourceType.CHANNEL, "a\"\\\n\u0000é😀\ud800");
    assertThat(array("{\"type\":\"Dial\"}", "\ud83d\ude00\udc00\"", List.of(odd)))
        .contains("\"callContext\":\"\\uD83D\\uDE00\\uDC00\\\"\"")
        .contains("\"id\":\"a\\\"\\\\\\n\\u0000é\\uD83D\\uDE00\\uD800\"");
  }

  @ParameterizedTest
  @EnumSource
  void recordedEventsAreEmbeddedUnchanged(RecordedTraffic recording) throws IOException {
    ObjectMapper json = new ObjectMapper();
    for (String line : recording.eventLines()) {
      AriEvent event = AriEvent.parse(line);
      String envelope = array(line, "call", event.resources());
      assertThat(envelope).endsWith(",\"payload\":" + line + "}");
      JsonNode read = json.readTree(envelope);
      assertThat(read.fieldNames())
          .toIterable()
          .containsExactly(
              "type",
              "callContext",
              "commandsTopic",
              "commandId",
              "commandRequest",
              "resources",
              "payload");
      assertThat(read.get("payload")).isEqualTo(json.readTree(line));
    }
  }

  private static String array(String event, String callContext, List<Resource> resources) {
    return envelope(EventResourcesFormat.ARRAY, event, callContext, resources);
  }

  private static String object(String event, String callContext, List<Resource> resources) {
    return envelope(EventResourcesFormat.OBJECT, event, callContext, resources);
  }

  private static String envelope(
      EventResourcesFormat format, String event, String callContext, List<Resource> resources) {
    MappedEvent mapped = new MappedEvent(AriEvent.parse(event), callContext, resources);
    return new String(
        new Envelopes("commands", format).event(mapped, List.of()), StandardCharsets.UTF_8);
  }
}
