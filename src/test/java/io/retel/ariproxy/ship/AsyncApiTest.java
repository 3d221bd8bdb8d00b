// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaId;
import com.networknt.schema.SpecVersion.VersionFlag;
import io.retel.ariproxy.fixtures.schema.EnvelopeSchema;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The AsyncAPI document in the jar is valid, and its examples match the schemas. */
class AsyncApiTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final URL DOCUMENT =
      AsyncApiTest.class.getResource("/io/retel/ariproxy/asyncapi.yaml");

  private static final List<String> MODEL_KEYWORDS =
      List.of("title", "properties", "enum", "const", "oneOf", "anyOf");

  private static JsonNode document;

  @BeforeAll
  static void read() throws IOException {
    document = new YAMLMapper().readTree(DOCUMENT);
  }

  @Test
  void conformsToAsyncApi3Schema() throws IOException {
    assertThat(draft07("/asyncapi/3.0.0.schema.json").validate(document)).isEmpty();
  }

  @Test
  void schemaRejectsInvalidDocument() throws IOException {
    JsonNode invalid =
        new YAMLMapper().readTree("{asyncapi: 3.0.0, info: {title: t, version: '1'}, chanels: {}}");
    assertThat(draft07("/asyncapi/3.0.0.schema.json").validate(invalid)).isNotEmpty();
  }

  @TestFactory
  Stream<DynamicTest> everyReferenceResolves() {
    return document.findValuesAsText("$ref").stream()
        .distinct()
        .map(
            reference ->
                dynamicTest(
                    reference,
                    () -> assertThat(resolve(reference).isMissingNode()).as(reference).isFalse()));
  }

  @TestFactory
  Stream<DynamicTest> everyExampleConformsToItsSchema() {
    return document.at("/components/messages").properties().stream()
        .flatMap(
            message -> {
              EnvelopeSchema schema = schemaOf(message.getValue());
              JsonNode examples = message.getValue().path("examples");
              assertThat(examples).as(message.getKey()).isNotEmpty();
              return examples
                  .valueStream()
                  .map(
                      example ->
                          dynamicTest(
                              message.getKey() + ": " + example.path("name").asText(),
                              () ->
                                  assertThat(schema.violations(example.path("payload")))
                                      .isEmpty()));
            });
  }

  /** AsyncAPI's own format extends draft-07, and a tool need not support a newer one. */
  @TestFactory
  Stream<DynamicTest> schemasAreValidInDraft07() {
    return document.at("/components/messages").properties().stream()
        .map(
            message ->
                dynamicTest(
                    message.getKey(),
                    () -> {
                      JsonSchema draft07 =
                          draft07("/io/retel/ariproxy/" + schemaFile(message.getValue()));
                      for (JsonNode example : message.getValue().path("examples")) {
                        assertThat(draft07.validate(example.path("payload"))).isEmpty();
                      }
                      assertThat(draft07.validate(JSON.createObjectNode())).isNotEmpty();
                    }));
  }

  /**
   * A generator names a model after its title or key. Without one, the name depends on the
   * generator and changes with the document. Names are public.
   */
  @Test
  void everyModelHasName() throws Exception {
    List<String> names = new ArrayList<>();
    for (Map.Entry<String, JsonNode> component : document.at("/components/schemas").properties()) {
      String file = component.getValue().path("$ref").asText();
      JsonNode schema = file.isEmpty() ? component.getValue() : resolve(file);
      assertThat(schema.path("title").asText()).isEqualTo(component.getKey());
      assertThat(schema.has("$id")).as("some generators prefer it to the title").isFalse();
      addModelNames(schema, names);
    }
    assertThat(names)
        .containsExactlyInAnyOrder(
            "TraceContext",
            "Command",
            "AriCommand",
            "AriMethod",
            "AriEventEnvelope",
            "AriEvent",
            "EventResources",
            "EventResource",
            "EventResourceType",
            "Response",
            "ResponseType",
            "CommandRequest",
            "ResponseResource",
            "ResponseResourceType",
            "ResponsePayload",
            "ResponseBody",
            "ResponseFile",
            "ResponseFailure",
            "ResponseOutcome",
            "AsteriskJson");
  }

  /** Adds the titles of a schema and of those in it for which a generator creates a type. */
  private static void addModelNames(JsonNode schema, List<String> names) {
    if (MODEL_KEYWORDS.stream().anyMatch(schema::has)) {
      names.add(schema.path("title").asText("no title: " + schema));
    }
    Stream.of("properties", "$defs", "oneOf", "anyOf")
        .forEach(keyword -> schema.path(keyword).forEach(part -> addModelNames(part, names)));
    if (schema.has("items")) {
      addModelNames(schema.path("items"), names);
    }
  }

  private static EnvelopeSchema schemaOf(JsonNode message) {
    return EnvelopeSchema.valueOf(
        schemaFile(message)
            .replaceAll("schemas/(\\w+)\\.schema\\.json", "$1")
            .toUpperCase(Locale.ROOT));
  }

  private static String schemaFile(JsonNode message) {
    String schema = message.at("/payload/$ref").asText();
    return document.at(schema.substring(1) + "/$ref").asText();
  }

  private static JsonNode resolve(String reference) throws Exception {
    if (reference.startsWith("#")) {
      return document.at(reference.substring(1));
    }
    URI file = DOCUMENT.toURI().resolve(reference);
    return JSON.readTree(file.toURL());
  }

  /** Returns a schema as draft-07, regardless of the draft that it declares. */
  private static JsonSchema draft07(String resource) throws IOException {
    try (InputStream in = AsyncApiTest.class.getResourceAsStream(resource)) {
      ObjectNode schema = (ObjectNode) JSON.readTree(in);
      schema.put("$schema", SchemaId.V7);
      return JsonSchemaFactory.getInstance(VersionFlag.V7).getSchema(schema);
    }
  }
}
