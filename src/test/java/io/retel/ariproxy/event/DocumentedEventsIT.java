// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.EventType;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.golden.GoldenEvent;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Compares the proxy's knowledge of events with the documentation of the running Asterisk. A
 * failure names the additions of a newer version, which require a change of {@code EventReader} and
 * a golden pair.
 */
class DocumentedEventsIT {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** models of resources, with one example each */
  private static final Map<String, Example> RESOURCE_EXAMPLES =
      Map.of(
          "Channel", new Example("{'id':'x'}", ResourceType.CHANNEL, "x"),
          "Bridge", new Example("{'id':'x'}", ResourceType.BRIDGE, "x"),
          "Playback", new Example("{'id':'x'}", ResourceType.PLAYBACK, "x"),
          "LiveRecording", new Example("{'name':'x'}", ResourceType.RECORDING, "x"),
          "Endpoint",
              new Example("{'technology':'SIP','resource':'x'}", ResourceType.ENDPOINT, "SIP/x"),
          "DeviceState", new Example("{'name':'x'}", ResourceType.DEVICE, "x"));

  private static JsonNode models;
  private static Set<String> eventTypes;

  @BeforeAll
  static void readApiDocs() throws Exception {
    try (RealAsterisk asterisk = RealAsterisk.start("sid")) {
      models = get(asterisk.url() + "/api-docs/events.json").path("models");
    }
    eventTypes = new TreeSet<>();
    models.path("Event").path("subTypes").forEach(type -> eventTypes.add(type.asText()));
    assertThat(eventTypes).contains("StasisStart", "StasisEnd");
  }

  @Test
  void everyDocumentedEventHasGoldenPair() {
    Set<String> missing = new TreeSet<>(eventTypes);
    for (GoldenEvent golden : GoldenEvent.all()) {
      missing.removeIf(type -> golden.event().contains("\"type\":\"" + type + "\""));
    }
    assertThat(missing).isEmpty();
  }

  /** Others are counted under one label. */
  @Test
  void everyDocumentedEventIsKnown() {
    assertThat(eventTypes).allMatch(EventType::isKnown);
  }

  @Test
  void findsResourceInEveryField() throws IOException {
    List<String> fields = new ArrayList<>();
    List<String> notFound = new ArrayList<>();
    for (String type : eventTypes) {
      for (Field field : fields(type)) {
        fields.add(type + " " + field);
        AriEvent event = AriEvent.parse(field.toEvent(type));
        List<Resource> found = new ArrayList<>(event.resources());
        found.addAll(event.relatedResources());
        if (!found.contains(field.example().resource())) {
          notFound.add(type + " " + field);
        }
      }
    }
    assertThat(fields).contains("StasisStart /channel", "ChannelTransfer /refer_to/bridge");
    assertThat(notFound).isEmpty();
  }

  private static List<Field> fields(String model) {
    List<Field> fields = new ArrayList<>();
    addFields(fields, model, "");
    return fields;
  }

  /**
   * Descends into models other than resources; the fields of a channel or bridge are not examined.
   */
  private static void addFields(List<Field> fields, String model, String path) {
    for (Map.Entry<String, JsonNode> property :
        models.at("/" + model + "/properties").properties()) {
      // a list of resources must also be found
      String type = property.getValue().path("type").asText().replaceAll("^List\\[(.*)]$", "$1");
      String field = path + "/" + property.getKey();
      Example example = RESOURCE_EXAMPLES.get(type);
      if (example != null) {
        fields.add(new Field(field, example));
      } else {
        addFields(fields, type, field);
      }
    }
  }

  private record Example(String text, ResourceType type, String id) {

    Resource resource() {
      return new Resource(type, id);
    }

    JsonNode json() throws IOException {
      return JSON.readTree(text.replace('\'', '"'));
    }
  }

  private record Field(String path, Example example) {

    /** Returns an event of the type that has only this field. */
    String toEvent(String type) throws IOException {
      ObjectNode event = JSON.createObjectNode().put("type", type);
      int lastSlash = path.lastIndexOf('/');
      ObjectNode parent = lastSlash == 0 ? event : event.withObject(path.substring(0, lastSlash));
      parent.set(path.substring(lastSlash + 1), example.json());
      return event.toString();
    }

    @Override
    public String toString() {
      return path;
    }
  }

  private static JsonNode get(String url) throws IOException, InterruptedException {
    String credentials = RealAsterisk.USERNAME + ":" + RealAsterisk.PASSWORD;
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url))
            .header(
                "Authorization",
                "Basic "
                    + Base64.getEncoder()
                        .encodeToString(credentials.getBytes(StandardCharsets.UTF_8)))
            .build();
    return JSON.readTree(HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body());
  }
}
