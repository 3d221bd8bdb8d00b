// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.config.InvalidSettingException;
import java.nio.charset.StandardCharsets;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Routes of shipped files at the start. */
class SingleConsumersTest {

  @AutoClose private final DefaultCamelContext context = new DefaultCamelContext();

  @Test
  void endsStartWithFileAndLineOfAddedRoute() throws Exception {
    context.addStartupListener(new SingleConsumers());
    load("events", "own", "direct:publish?timeout=1");
    load("publish", "publish", "direct:publish");
    assertThatThrownBy(context::start)
        .isInstanceOf(InvalidSettingException.class)
        .hasMessage(
            "/events.camel.yaml:4: the endpoint direct:publish belongs to the route publish of"
                + " publish.camel.yaml; choose another one");
  }

  @Test
  void endsStartIfFileConsumesEndpointOfCompiledRoute() throws Exception {
    context.addStartupListener(new SingleConsumers());
    load("events", "own", "direct:resync");
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:resync").routeId("resync").log("hello");
          }
        });
    assertThatThrownBy(context::start)
        .hasMessage(
            "/events.camel.yaml:4: the endpoint direct:resync belongs to the route resync; choose"
                + " another one");
  }

  @Test
  void startsRoutesWithOtherEndpoints() throws Exception {
    context.addStartupListener(new SingleConsumers());
    load("events", "own", "direct:own");
    load("publish", "publish", "direct:publish");
    assertThatCode(context::start).doesNotThrowAnyException();
  }

  /** Such as two routes with policies for different hours. */
  @Test
  void startsRouteWhoseOtherWaits() throws Exception {
    context.addStartupListener(new SingleConsumers());
    load("events", "own", "direct:own");
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:own").routeId("waits").autoStartup(false).log("hello");
          }
        });
    assertThatCode(context::start).doesNotThrowAnyException();
  }

  private void load(String file, String id, String uri) throws Exception {
    String yaml =
        """
        - route:
            id: %s
            from:
              uri: %s
              steps:
                - log: hello
        """
            .formatted(id, uri);
    PluginHelper.getRoutesLoader(context)
        .loadRoutes(
            ResourceHelper.fromBytes(
                "file:/" + file + ".camel.yaml", yaml.getBytes(StandardCharsets.UTF_8)));
  }
}
