// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.ServiceStatus;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tests when the policy starts and stops its route. */
class AsteriskReachablePolicyTest {

  private static final String ROUTE = "generic-commands";

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final AtomicBoolean connected = new AtomicBoolean();
  private final AtomicInteger checks = new AtomicInteger();
  private final AsteriskReachablePolicy policy =
      new AsteriskReachablePolicy(
          () -> {
            checks.incrementAndGet();
            return connected.get();
          });

  @BeforeEach
  void start() throws Exception {
    addRoute();
    context.start();
  }

  @AfterEach
  void stop() {
    context.stop();
  }

  private void addRoute() throws Exception {
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:x").routeId(ROUTE).autoStartup(false).routePolicy(policy).to("mock:x");
          }
        });
  }

  @Test
  void runsWhileWebsocketIsOpen() {
    awaitChecks();
    assertThat(status()).isEqualTo(ServiceStatus.Stopped);
    connected.set(true);
    await(ServiceStatus.Started);
    connected.set(false);
    await(ServiceStatus.Stopped);
    connected.set(true);
    await(ServiceStatus.Started);
  }

  @Test
  void stopsTemporarilyWhenAsteriskIsUnreachable() {
    connected.set(true);
    await(ServiceStatus.Started);
    policy.markUnreachable();
    await(ServiceStatus.Stopped);
    await(ServiceStatus.Started);
  }

  @Test
  void manuallyStoppedRouteStaysStoppedUntilStarted() throws Exception {
    connected.set(true);
    await(ServiceStatus.Started);
    context.getRouteController().stopRoute(ROUTE);
    awaitChecks();
    connected.set(false);
    awaitChecks();
    connected.set(true);
    awaitChecks();
    assertThat(status()).isEqualTo(ServiceStatus.Stopped);

    context.getRouteController().startRoute(ROUTE);
    connected.set(false);
    await(ServiceStatus.Stopped);
    connected.set(true);
    await(ServiceStatus.Started);
  }

  @Test
  void replacedRouteStartsAutomatically() throws Exception {
    connected.set(true);
    await(ServiceStatus.Started);
    context.getRouteController().stopRoute(ROUTE);
    context.removeRoute(ROUTE);
    addRoute();
    await(ServiceStatus.Started);
  }

  private ServiceStatus status() {
    return context.getRouteController().getRouteStatus(ROUTE);
  }

  private void await(ServiceStatus status) {
    Awaitility.await("the route is " + status).until(this::status, status::equals);
  }

  /** Waits until the policy has checked the websocket three times. */
  private void awaitChecks() {
    int before = checks.get();
    Awaitility.await("the policy checks the websocket").until(() -> checks.get() > before + 2);
  }
}
