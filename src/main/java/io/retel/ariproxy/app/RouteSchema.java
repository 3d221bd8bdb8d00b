// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.apache.camel.Processor;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.spi.RoutePolicy;

/**
 * The command {@code schema}: the JSON Schema of route files, for completion in editors. It is
 * Camel's, with the beans, policies, route configurations, components and properties of the proxy
 * as suggestions.
 */
final class RouteSchema {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String CAMEL = "/schema/camelYamlDsl.json";

  /** The options of the proxy's components, as Camel's tooling writes them. */
  private static final List<String> COMPONENTS =
      List.of("ahcws/ahc-ws", "handover/handover", "lanes/lanes");

  private static final List<String> ENDPOINTS =
      List.of(
          "handover:publish",
          "kafka:{{kafka.events-and-responses-topic}}",
          "kafka:{{kafka.unmapped-events-topic}}",
          "kafka:{{kafka.commands-topic}}");

  /** The public values of a message: docs/routes.md#public-api-for-routes. */
  static final List<String> VALUES =
      List.of(
          "${body.type}",
          "${body.callContext}",
          "${body.unmapped}",
          "${body.resources}",
          "${exchangeProperty.callContext}",
          "${exchangeProperty.command}",
          "${exchangeProperty.command.method}",
          "${exchangeProperty.command.operation}",
          "${exchangeProperty.command.parameter('endpoint')}",
          "${exchangeProperty.command.url}",
          "${exchangeProperty.commandId}",
          "${exchangeProperty.duplicateCommand}",
          "${exchangeProperty.eventType}",
          "${exchangeProperty.failedStep}",
          "${exchangeProperty.internalEvent}",
          "${exchangeProperty.outcome}",
          "${exchangeProperty.outcome.sent}",
          "${exchangeProperty.outcome.status}",
          "${exchangeProperty.resource}",
          "${exchangeProperty.unmapped}");

  private final Path configuration;
  private final Settings settings;

  /**
   * @param configuration the settings file
   * @param settings required ones can have any value
   */
  RouteSchema(Path configuration, Settings settings) {
    this.configuration = configuration;
    this.settings = settings;
  }

  /** Prints the schema. */
  void print(PrintStream out) {
    try (RoutesWithoutServers routes =
        new RoutesWithoutServers(
            configuration,
            settings,
            Path.of(settings.get(Setting.ROUTES_DIRECTORY)),
            context -> {})) {
      out.println(build(routes.context()));
    }
  }

  private static JsonNode build(DefaultCamelContext context) {
    JsonNode schema = read(CAMEL);
    acceptText(schema);
    ObjectNode definitions = (ObjectNode) schema.at("/items/definitions");
    Collection<String> processors =
        context.getRegistry().findByTypeWithName(Processor.class).keySet();
    suggest(definition(definitions, "ProcessDefinition"), "ref", processors);
    ObjectNode route = definition(definitions, "RouteDefinition");
    suggest(
        route, "routePolicy", context.getRegistry().findByTypeWithName(RoutePolicy.class).keySet());
    suggest(
        route,
        "routeConfigurationId",
        context.getRouteConfigurationDefinitions().stream()
            .map(RouteConfigurationDefinition::getId)
            .toList());
    suggest(definition(definitions, "language.SimpleExpression"), "expression", VALUES);
    ObjectNode options = options();
    for (JsonNode definition : definitions) {
      suggest((ObjectNode) definition, "uri", ENDPOINTS);
      for (JsonNode properties : definition.findValues("properties")) {
        if (properties.path("parameters").isObject() && properties.has("uri")) {
          ((ObjectNode) properties.get("parameters")).set("properties", options);
        }
      }
    }
    return schema;
  }

  /** Camel reads numbers and booleans from texts, such as placeholders, and texts from both. */
  private static void acceptText(JsonNode node) {
    if (node instanceof ObjectNode object && !object.has("enum")) {
      switch (object.path("type").asText()) {
        case "boolean", "integer", "number" -> {
          String type = object.get("type").asText();
          object.putArray("type").add(type).add("string");
        }
        case "string" -> object.putArray("type").add("string").add("number").add("boolean");
        default -> {
          // objects and lists
        }
      }
    }
    node.forEach(RouteSchema::acceptText);
  }

  private static ObjectNode definition(ObjectNode definitions, String name) {
    return (ObjectNode)
        Objects.requireNonNull(definitions.get("org.apache.camel.model." + name), name);
  }

  /** Adds values to a property, which still accepts others. */
  private static void suggest(ObjectNode definition, String property, Collection<String> values) {
    for (JsonNode properties : definition.findValues("properties")) {
      if (properties.get(property) instanceof ObjectNode suggested && suggested.has("type")) {
        JsonNode type = suggested.remove("type");
        ArrayNode alternatives = suggested.putArray("anyOf");
        ArrayNode known = alternatives.addObject().putArray("enum");
        new TreeSet<>(values).forEach(known::add);
        alternatives.addObject().set("type", type);
      }
    }
  }

  /** Returns the options of the proxy's endpoints. */
  private static ObjectNode options() {
    ObjectNode options = JSON.createObjectNode();
    for (String component : COMPONENTS) {
      JsonNode description = read("/META-INF/io/retel/ariproxy/component/" + component + ".json");
      for (Map.Entry<String, JsonNode> option : description.get("properties").properties()) {
        JsonNode value = option.getValue();
        if (value.path("kind").asText().equals("parameter")
            && !value.path("group").asText().contains("advanced")) {
          options
              .putObject(option.getKey())
              .put(
                  "description",
                  "%s: %s"
                      .formatted(
                          description.at("/component/scheme").asText(),
                          value.path("description").asText()));
        }
      }
    }
    return options;
  }

  private static JsonNode read(String resource) {
    try (InputStream in =
        Objects.requireNonNull(RouteSchema.class.getResourceAsStream(resource), resource)) {
      return JSON.readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
