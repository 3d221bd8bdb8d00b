// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import org.apache.camel.Processor;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckHelper;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A simulated Asterisk and a context with a route that consumes its websocket. */
abstract class AhcWsTestSupport {

  static final String APP = "app";
  static final String ROUTE = "events";
  final SimulatedAsterisk asterisk = newAsterisk();
  final DefaultCamelContext context = new DefaultCamelContext();

  /** The bodies that the route has received. */
  final Collection<Object> received = new ConcurrentLinkedQueue<>();

  SimulatedAsterisk newAsterisk() {
    return SimulatedAsterisk.start();
  }

  boolean isJmxEnabled() {
    return false;
  }

  @BeforeEach
  void configureContext() {
    if (!isJmxEnabled()) {
      context.disableJMX();
    }
    // AhcWsComponentStopTest covers clean shutdowns
    context.getShutdownStrategy().setTimeout(60);
    context.getExecutorServiceManager().setShutdownAwaitTermination(60_000);
    AhcWsComponent component = context.getComponent("ahc-ws", AhcWsComponent.class);
    component.setAuthorization(basicAuth(asterisk.username(), asterisk.password()));
  }

  static Function<URI, Optional<String>> basicAuth(String username, String password) {
    byte[] credentials = (username + ":" + password).getBytes(StandardCharsets.UTF_8);
    String header = "Basic " + Base64.getEncoder().encodeToString(credentials);
    return uri -> Optional.of(header);
  }

  @AfterEach
  void stopAll() {
    context.stop();
    asterisk.close();
  }

  /** The endpoint's URI with fast reconnects and the given options, such as {@code a=1&b=2}. */
  String uri(String options) {
    return "ahc-ws:localhost:%d/ari/events?app=%s&reconnectInitialDelay=40&reconnectMaximumDelay=200%s"
        .formatted(asterisk.port(), APP, options.isEmpty() ? "" : "&" + options);
  }

  RouteBuilder route(String options, Processor processor) {
    return new RouteBuilder() {
      @Override
      public void configure() {
        from(uri(options)).routeId(ROUTE).process(processor);
      }
    };
  }

  /** Starts a route that records what it receives, and waits until it is connected. */
  void startConnected(String options) throws Exception {
    startConnected(options, exchange -> received.add(exchange.getMessage().getBody()));
  }

  void startConnected(String options, Processor processor) throws Exception {
    context.addRoutes(route(options, processor));
    context.start();
    awaitConnected();
  }

  /** Waits until both sides have the connection open. */
  void awaitConnected() {
    asterisk.awaitConnected(APP);
    awaitHealth(HealthCheck.State.UP);
  }

  HealthCheck.Result awaitHealth(HealthCheck.State state) {
    return await().until(() -> health(), result -> result != null && result.getState() == state);
  }

  HealthCheck.Result health() {
    HealthCheck check =
        HealthCheckHelper.getHealthCheck(
            context, "websocket:ws://localhost:" + asterisk.port() + "/ari/events");
    return check == null ? null : check.call();
  }

  void awaitReceived(int count) {
    await().until(() -> received.size() >= count);
    assertThat(received).hasSize(count);
  }
}
