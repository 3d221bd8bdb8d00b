// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.app.RoutesUnderTest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.NamedNode;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.support.PluginHelper;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The YAML in {@code docs/compiled-routes} is equivalent to the compiled routes. */
class CompiledRoutesTest {

  private static final Pattern QUERY = Pattern.compile("\\?([^\"]*)\"");

  @AutoClose private RoutesUnderTest routes;
  private ModelCamelContext context;

  @BeforeEach
  void load() throws Exception {
    routes = RoutesUnderTest.loadWithoutStarting();
    context = routes.context();
  }

  static List<Path> files() throws IOException {
    return RoutesUnderTest.compiledRouteFiles();
  }

  @Test
  void everyCompiledRouteHasFile() throws IOException {
    assertThat(files())
        .extracting(file -> file.getFileName().toString().replace(".camel.yaml", ""))
        .containsExactlyInAnyOrder(
            "command-errors",
            "event-errors",
            "propagate-errors",
            "publish-missed-events",
            "resync",
            "resync-errors");
  }

  @ParameterizedTest
  @MethodSource("files")
  void yamlIsEquivalent(Path file) throws Exception {
    RouteConfigurationBuilder yaml = parse(context, file);
    yaml.setCamelContext(context);
    yaml.configuration();
    List<RouteConfigurationDefinition> configurations =
        yaml.getRouteConfigurationCollection().getRouteConfigurations();
    List<RouteDefinition> yamlRoutes = yaml.configureRoutes(context).getRoutes();
    assertThat(configurations.size() + yamlRoutes.size()).isOne();
    for (RouteConfigurationDefinition configuration : configurations) {
      assertThat(context.getRouteConfigurationDefinition(configuration.getId()).getOnExceptions())
          .allMatch(onException -> onException.getHandledPolicy() != null);
      assertEquivalent(
          context.getRouteConfigurationDefinition(configuration.getId()), configuration);
    }
    for (RouteDefinition route : yamlRoutes) {
      assertEquivalent(context.getRouteDefinition(route.getRouteId()), route);
    }
  }

  private void assertEquivalent(NamedNode compiled, NamedNode yaml) throws Exception {
    String expected = dump(yaml);
    assertThat(expected).contains("id=\"" + yaml.getId() + "\"");
    assertThat(dump(compiled)).isEqualTo(expected);
  }

  /** Returns the definition as XML with sorted parameters. */
  private String dump(NamedNode definition) throws Exception {
    String xml =
        PluginHelper.getModelToXMLDumper(context)
            .dumpModelAsXml(context, definition)
            // Java sets a predicate that is not dumped
            .replaceAll("(?s)\\s*<handled>.*?</handled>", "");
    return QUERY
        .matcher(xml)
        .replaceAll(
            match ->
                Matcher.quoteReplacement(
                    Stream.of(match.group(1).split("&amp;"))
                        .sorted()
                        .collect(Collectors.joining("&amp;", "?", "\""))));
  }

  private static RouteConfigurationBuilder parse(CamelContext context, Path file) throws Exception {
    return (RouteConfigurationBuilder)
        PluginHelper.getRoutesLoader(context)
            .findRoutesBuilders(
                List.of(
                    PluginHelper.getResourceLoader(context)
                        .resolveResource("file:" + file.toAbsolutePath())))
            .iterator()
            .next();
  }
}
