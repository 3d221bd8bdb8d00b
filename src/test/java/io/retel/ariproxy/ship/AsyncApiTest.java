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
import java.util.Locale;
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

  /** The document declares draft-07, so that tools need not support a newer draft. */
  @TestFactory
  Stream<DynamicTest> schemasAreValidInDraft07() {
    return document.at("/components/messages").properties().stream()
        .map(
            message ->
                dynamicTest(
                    message.getKey(),
                    () -> {
                      String file = message.getValue().at("/payload/schema/$ref").asText();
                      JsonSchema draft07 = draft07("/io/retel/ariproxy/" + file);
                      assertThat(message.getValue().at("/payload/schemaFormat").asText())
                          .isEqualTo("application/schema+json;version=draft-07");
                      for (JsonNode example : message.getValue().path("examples")) {
                        assertThat(draft07.validate(example.path("payload"))).isEmpty();
                      }
                      assertThat(draft07.validate(JSON.createObjectNode())).isNotEmpty();
                    }));
  }

  private static EnvelopeSchema schemaOf(JsonNode message) {
    String file = message.at("/payload/schema/$ref").asText();
    return EnvelopeSchema.valueOf(
        file.replaceAll("schemas/(\\w+)\\.schema\\.json", "$1").toUpperCase(Locale.ROOT));
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
