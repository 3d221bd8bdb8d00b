// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compiled routes and route configurations, replaced by files and restored. */
class ActiveRoutesTest {

  private static final String ROUTE_YAML =
      """
      - route:
          id: compiled-route
          routeConfigurationId: compiled-errors
          from:
            uri: direct:in
            steps:
              - setBody:
                  constant:
                    expression: file
      """;
  private static final String ERRORS_YAML =
      """
      - routeConfiguration:
          id: compiled-errors
          onException:
            - onException:
                exception:
                  - java.lang.Exception
                handled:
                  constant:
                    expression: "true"
                steps:
                  - setBody:
                      constant:
                        expression: error in file
      """;

  @AutoClose private final DefaultCamelContext context = new DefaultCamelContext();
  private final CompiledRoutes compiledRoutes =
      new CompiledRoutes(List.of(CompiledErrors::new, CompiledRoute::new));
  private ActiveRoutes routes;
  private Path file;
  private Path otherFile;

  @BeforeEach
  void start(@TempDir Path folder) throws Exception {
    context.disableJMX();
    context.addRoutes(compiledRoutes);
    context.start();
    routes = new ActiveRoutes(context, compiledRoutes, folder, DefaultTimeout.DURATION);
    file = folder.resolve("a.camel.yaml");
    otherFile = folder.resolve("b.camel.yaml");
  }

  @Test
  void fileReplacesCompiledRouteUntilUnloaded() throws Exception {
    assertThat(response("ok")).isEqualTo("compiled");
    assertThat(load(file, ROUTE_YAML)).isEmpty();
    assertThat(response("ok")).isEqualTo("file");
    assertThat(routes.unload(file, "file:" + file)).containsExactly("compiled-route");
    assertThat(response("ok")).isEqualTo("compiled");
  }

  @Test
  void fileReplacesCompiledConfigurationUntilUnloaded() throws Exception {
    assertThat(response("fail")).isEqualTo("compiled error");
    load(file, ERRORS_YAML);
    assertThat(response("fail")).isEqualTo("error in file");
    assertThat(routes.unload(file, "file:" + file)).containsExactly("compiled-errors");
    assertThat(response("fail")).isEqualTo("compiled error");
  }

  @Test
  void editWithoutItsIdsRestoresCompiled() throws Exception {
    load(file, ERRORS_YAML + ROUTE_YAML);
    assertThat(load(file, ROUTE_YAML.replace("compiled-route", "other").replace(":in", ":other")))
        .containsExactly("compiled-errors", "compiled-route");
    assertThat(response("ok")).isEqualTo("compiled");
    assertThat(response("fail")).isEqualTo("compiled error");
  }

  @Test
  void renamedFileStillReplacesCompiled() throws Exception {
    load(file, ERRORS_YAML + ROUTE_YAML);
    load(otherFile, ERRORS_YAML + ROUTE_YAML);
    assertThat(routes.unload(file, "file:" + file)).isEmpty();
    assertThat(response("ok")).isEqualTo("file");
    assertThat(context.getRoute("compiled-route").getSourceResource().getLocation())
        .endsWith("b.camel.yaml");
    assertThat(routes.unload(otherFile, "file:" + otherFile))
        .containsExactly("compiled-errors", "compiled-route");
    assertThat(response("ok")).isEqualTo("compiled");
  }

  private Set<String> load(Path path, String yaml) throws Exception {
    return routes.load(
        path, new RouteFile(context, "file:" + path, yaml.getBytes(StandardCharsets.UTF_8)));
  }

  private String response(String body) {
    return context
        .createFluentProducerTemplate()
        .to("direct:in")
        .withBody(body)
        .request(String.class);
  }

  private static final class CompiledErrors extends RouteConfigurationBuilder {
    @Override
    public void configuration() {
      routeConfiguration("compiled-errors")
          .onException(Exception.class)
          .handled(true)
          .setBody(constant("compiled error"));
    }
  }

  private static final class CompiledRoute extends RouteBuilder {
    @Override
    public void configure() {
      from("direct:in")
          .routeId("compiled-route")
          .routeConfigurationId("compiled-errors")
          .choice()
          .when(body().isEqualTo("fail"))
          .throwException(new IllegalStateException("requested"))
          .otherwise()
          .setBody(constant("compiled"));
    }
  }
}
