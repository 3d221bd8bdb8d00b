// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** What an editor does with the schema: it validates files, and suggests values. */
class RouteSchemaTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern PROPERTY = Pattern.compile("(?m)^\\| `(\\w+)`(?:, `(\\w+)`)? \\|");

  private static JsonNode document;
  private static JsonSchema schema;

  @BeforeAll
  static void print() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new RouteSchema(Path.of("config", "application.properties"), RoutesUnderTest.settings(Map.of()))
        .print(new PrintStream(out, true, StandardCharsets.UTF_8));
    document = JSON.readTree(out.toByteArray());
    schema = JsonSchemaFactory.getInstance(VersionFlag.V4).getSchema(document);
  }

  static List<Path> files() throws IOException {
    List<Path> files = new ArrayList<>(RoutesUnderTest.routeFiles());
    files.addAll(RoutesUnderTest.compiledRouteFiles());
    try (Stream<Path> examples = Files.list(Path.of("examples", "routes"))) {
      examples.filter(file -> file.toString().endsWith(".camel.yaml")).forEach(files::add);
    }
    return files;
  }

  @ParameterizedTest
  @MethodSource("files")
  void acceptsFilesThatLoad(Path file) throws IOException {
    assertThat(schema.validate(parse(Files.readString(file)))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"unmarschal: {json: {}}", "setBody: {cosntant: x}", "process: {reff: x}"})
  void rejectsUnknownStepsAndOptions(String step) {
    String yaml = "- route:\n    from:\n      uri: direct:a\n      steps:\n        - " + step;
    assertThat(schema.validate(parse(yaml))).isNotEmpty();
    assertThat(schema.validate(parse(yaml.replace(step, "process: {ref: own}")))).isEmpty();
  }

  @Test
  void suggestsWhatTheProxyHas() {
    assertThat(suggested("ProcessDefinition", "ref"))
        .contains("dropEvent", "rejectCommand", "resolveCallContext", "limitInFlight");
    assertThat(suggested("RouteDefinition", "routePolicy"))
        .contains("pausePolicy", "startupGatePolicy");
    assertThat(suggested("RouteDefinition", "routeConfigurationId"))
        .contains("command-errors", "event-errors", "propagate-errors");
    assertThat(suggested("ToDefinition", "uri")).contains("handover:publish");
    assertThat(options("FromDefinition")).contains("bufferSize", "groupTimeout", "timeout");
  }

  /** The page of routes is the list of what is public. */
  @Test
  void suggestsThePublicProperties() throws IOException {
    String page = Files.readString(Path.of("docs", "routes.md"));
    String table =
        page.substring(
            page.indexOf("### Exchange properties"), page.indexOf("### Bodies and headers"));
    List<String> properties =
        PROPERTY
            .matcher(table)
            .results()
            .map(row -> row.group(1))
            .filter(name -> !name.equals("property") && !name.startsWith("rejection"))
            .map(name -> "${exchangeProperty." + name + "}")
            .toList();
    assertThat(properties).hasSizeGreaterThan(5);
    assertThat(RouteSchema.VALUES).containsAll(properties);
  }

  private static JsonNode parse(String yaml) {
    return JSON.valueToTree(new Load(LoadSettings.builder().build()).loadFromString(yaml));
  }

  private static List<String> suggested(String definition, String property) {
    List<String> values = new ArrayList<>();
    for (JsonNode properties : definition(definition).findValues("properties")) {
      properties.at("/" + property + "/anyOf/0/enum").forEach(value -> values.add(value.asText()));
    }
    return values;
  }

  private static List<String> options(String definition) {
    List<String> names = new ArrayList<>();
    definition(definition)
        .at("/properties/parameters/properties")
        .fieldNames()
        .forEachRemaining(names::add);
    return names;
  }

  private static JsonNode definition(String name) {
    return document.get("items").get("definitions").get("org.apache.camel.model." + name);
  }
}
