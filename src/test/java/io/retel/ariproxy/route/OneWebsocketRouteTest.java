// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.apache.camel.FailedToCreateRouteException;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Routes that could consume a websocket; {@code CheckRoutesTest} covers files. */
class OneWebsocketRouteTest {

  private final DefaultCamelContext context = new DefaultCamelContext();

  @BeforeEach
  void start() {
    context.disableJMX();
    context.setAutoStartup(false);
    context.addModelLifecycleStrategy(new OneWebsocketRoute(context, "events"));
    context.start();
  }

  @AfterEach
  void stop() {
    context.stop();
  }

  /** Camel knows the parameters of a template later. */
  @Test
  void acceptsRouteOfTemplate() throws Exception {
    addTemplate("timer:{{name}}?period={{period}}");
    context.addRouteFromTemplate("other", "template", Map.of("name", "x", "period", "1000"));
    assertThat(context.getRoute("other")).isNotNull();
  }

  @Test
  void rejectsWebsocketOfTemplate() throws Exception {
    addTemplate("ahc-ws:{{name}}?period={{period}}");
    assertThatThrownBy(
            () ->
                context.addRouteFromTemplate(
                    "other", "template", Map.of("name", "x", "period", "1000")))
        .isInstanceOf(FailedToCreateRouteException.class)
        .hasMessageContaining("other")
        .hasRootCauseMessage(
            "only the route events consumes a websocket: another Asterisk needs a proxy of its own");
  }

  private void addTemplate(String uri) throws Exception {
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            routeTemplate("template")
                .templateParameter("name")
                .templateParameter("period")
                .from(uri)
                .to("log:x");
          }
        });
  }
}
