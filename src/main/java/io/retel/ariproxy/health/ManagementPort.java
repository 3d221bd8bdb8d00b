// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.RuntimeCamelException;
import org.apache.camel.Service;
import org.apache.camel.component.platform.http.main.ManagementHttpServer;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheck.State;
import org.apache.camel.health.HealthCheckHelper;
import org.apache.camel.main.MainConfigurationProperties;
import org.apache.camel.support.LifecycleStrategySupport;

/**
 * Camel's management port, with additional paths that deployments of the older ari-proxy probe.
 * These respond with {@code {"ok": true, "errors": []}}, and with status 503 when not ok.
 */
public final class ManagementPort {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Vert.x logs a blocked thread; requests have limits of their own. */
  private static final Duration BLOCKED_CHECK_INTERVAL = Duration.ofMinutes(1);

  /** Checks of the proxy itself; all others are of its dependencies. */
  private static final Set<String> PROXY_CHECKS =
      Set.of("context", "threads", "websocket-buffer", "commands");

  private static final String INDEX =
      """
      ari-proxy

      /observe/health          all checks, each with its reason when DOWN
      /observe/health/live     the process works
      /observe/health/ready    Asterisk, Kafka and the call-context store are available
      /observe/metrics         metrics for Prometheus
      /health                  {"ok", "errors"} of all checks
      /health/smoke            {"ok", "errors"} of the process
      /health/backing-services {"ok", "errors"} of Asterisk, Kafka and the call-context store
      """;

  private ManagementPort() {}

  /** Returns whether the management port is enabled. */
  public static boolean isEnabled(Settings settings) {
    return settings.get(Setting.MANAGEMENT_PORT) > 0;
  }

  /**
   * Lets camel-main open the port. Options such as {@code camel.management.*} in the settings file
   * still apply.
   *
   * @throws PortInUseException if the port cannot be opened; Camel would continue without it
   */
  public static void configure(MainConfigurationProperties main, Settings settings)
      throws PortInUseException {
    main.health().setExposureLevel("full");
    // a route stopped by an operator is not a fault; dependencies have their own checks
    main.health().setRoutesEnabled(false);
    main.health().setConsumersEnabled(false);
    if (isEnabled(settings)) {
      String host = settings.get(Setting.MANAGEMENT_HOST);
      int port = settings.get(Setting.MANAGEMENT_PORT);
      requireFreePort(host, port);
      main.httpManagementServer()
          .withEnabled(true)
          .withHost(host)
          .withPort(port)
          .withHealthCheckEnabled(true)
          .withMetricsEnabled(true);
      main.metrics().setEnabled(true);
    }
  }

  private static void requireFreePort(String host, int port) throws PortInUseException {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(host, port));
    } catch (IOException e) {
      throw new PortInUseException(
          "management.port "
              + port
              + " on "
              + host
              + " cannot be opened: "
              + e.getMessage()
              + "; set MANAGEMENT_PORT to another port, or to 0 to disable it");
    }
  }

  /** The port cannot be opened; the message contains the remedy. */
  public static final class PortInUseException extends Exception {

    private static final long serialVersionUID = 1L;

    PortInUseException(String message) {
      super(message, null, false, false);
    }
  }

  /** Returns options of Vert.x for a few requests a second; its workers are those of routes. */
  private static VertxOptions fewThreads() {
    return new VertxOptions()
        .setEventLoopPoolSize(1)
        .setInternalBlockingPoolSize(1)
        .setBlockedThreadCheckInterval(BLOCKED_CHECK_INTERVAL.toMillis())
        .setBlockedThreadCheckIntervalUnit(TimeUnit.MILLISECONDS);
  }

  /** Replaces the server of Camel's management, if enabled, and adds the paths that Camel lacks. */
  public static void install(CamelContext context, Settings settings, MeterRegistry meters) {
    RefusedRequests refused = new RefusedRequests(meters);
    context.getRegistry().bind("vertxOptions", fewThreads());
    context.addLifecycleStrategy(
        new LifecycleStrategySupport() {
          @Override
          public void onServiceAdd(CamelContext camelContext, Service service, Route route) {
            if (service instanceof ManagementHttpServer management) {
              try {
                camelContext.addService(
                    new ManagementServer(management, settings, refused, ManagementPort::addPaths));
              } catch (Exception e) {
                throw RuntimeCamelException.wrapRuntimeException(e);
              }
            }
          }
        });
  }

  private static void addPaths(CamelContext context, Router router) {
    router.route(HttpMethod.GET, "/").handler(ManagementPort::index);
    add(router, "/health", () -> HealthCheckHelper.invoke(context, "full"));
    add(router, "/health/smoke", () -> HealthCheckHelper.invokeLiveness(context, "full"));
    add(
        router,
        "/health/backing-services",
        () ->
            HealthCheckHelper.invoke(context, "full").stream()
                .filter(result -> !PROXY_CHECKS.contains(result.getCheck().getId()))
                .toList());
  }

  /** Invokes health checks, on each request. */
  @FunctionalInterface
  private interface CheckInvocation {
    Collection<HealthCheck.Result> invoke();
  }

  private static void add(Router router, String path, CheckInvocation checks) {
    router
        .route(HttpMethod.GET, path)
        .blockingHandler(routing -> respond(routing, checks.invoke()));
  }

  private static void respond(RoutingContext routing, Collection<HealthCheck.Result> results) {
    List<String> errors =
        results.stream()
            .filter(result -> result.getState() != State.UP)
            .map(
                result ->
                    result.getCheck().getId() + ": " + result.getMessage().orElse("no reason"))
            .toList();
    ObjectNode report = JSON.createObjectNode().put("ok", errors.isEmpty());
    report.set("errors", JSON.valueToTree(errors));
    routing
        .response()
        .setStatusCode(errors.isEmpty() ? 200 : 503)
        .putHeader("Content-Type", "application/json")
        .end(report.toString());
  }

  private static void index(RoutingContext routing) {
    routing.response().putHeader("Content-Type", "text/plain; charset=utf-8").end(INDEX);
  }
}
