// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.logging.RateLimitFilter;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.apache.camel.CamelContext;
import org.apache.camel.component.platform.http.main.ManagementHttpServer;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServer;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServerConfiguration;
import org.apache.camel.component.vertx.common.VertxHelper;
import org.apache.camel.support.jsse.SSLContextParameters;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * HTTP server that Camel's management reuses, since it has the same port. Unlike Camel's own, it
 * bounds connections and refuses requests of web pages. Its paths are added before the port opens,
 * so that even the first requests do not get a 404.
 */
final class ManagementServer extends VertxPlatformHttpServer {

  private static final Logger LOG = LoggerFactory.getLogger(ManagementServer.class);

  private static final int MAX_LINE_BYTES = 4 << 10;
  private static final int MAX_HEADER_BYTES = 8 << 10;

  static final int MAX_WAITING_SCRAPES = 20;

  /** Otherwise the kernel buffers megabytes, until which a client that does not read is served. */
  private static final int SEND_BUFFER_BYTES = 64 << 10;

  private static final long STOP_TIMEOUT_SECONDS = 5;

  private final VertxPlatformHttpServerConfiguration configuration;
  private final Settings settings;
  private final RefusedRequests refused;
  private final BiConsumer<CamelContext, Router> paths;
  private @Nullable HttpServer server;
  private @Nullable JolokiaHandler jolokia;

  /**
   * @param paths adds paths to the router
   */
  ManagementServer(
      ManagementHttpServer management,
      Settings settings,
      RefusedRequests refused,
      BiConsumer<CamelContext, Router> paths) {
    super(management.getConfiguration());
    this.configuration = management.getConfiguration();
    this.settings = settings;
    this.refused = refused;
    this.paths = paths;
  }

  @Override
  protected void startServer() throws Exception {
    CamelContext context = getCamelContext();
    ManagementConnections connections = new ManagementConnections(refused);
    Router root = Router.router(getVertx());
    // also for requests that the router refuses itself
    root.route().handler(connections::begun).failureHandler(connections::begun);
    root.route().handler(this::refuseMalformedEscape).failureHandler(this::fail);
    root.route()
        .handler(
            new RequestOrigin(Set.copyOf(settings.get(Setting.MANAGEMENT_ALLOWED_HOSTS)), refused));
    if (settings.get(Setting.MANAGEMENT_JOLOKIA)) {
      jolokia =
          new JolokiaHandler(
              getVertx(), settings.get(Setting.MANAGEMENT_TOKEN), refused, connections::received);
      jolokia.addTo(root);
      logJmxExposure();
    }
    Router camelPaths =
        VertxPlatformHttpRouter.lookup(
            context, VertxPlatformHttpRouter.getRouterNameFromPort(getConfigurationPort()));
    paths.accept(context, camelPaths);
    root.route()
        .handler(
            routing -> {
              connections.received(routing);
              routing.next();
            });
    // one request of each connection waits at most, so that the queues of health refuse none
    RequestQueue liveness =
        new RequestQueue("liveness", ManagementConnections.MAX_CONNECTIONS, refused);
    RequestQueue metrics = new RequestQueue("metrics", MAX_WAITING_SCRAPES, refused);
    RequestQueue others =
        new RequestQueue("health", ManagementConnections.MAX_CONNECTIONS, refused);
    root.route()
        .handler(
            routing ->
                (switch (withoutFinalSlash(routing.normalizedPath())) {
                      case "/observe/health/live", "/health/smoke" -> liveness;
                      case "/observe/metrics" -> metrics;
                      default -> others;
                    })
                    .handle(routing));
    root.route(getPath().replaceFirst("/?\\*?$", "/*")).subRouter(camelPaths);
    getVertx().setPeriodic(1_000, timer -> connections.closeExpired());
    server =
        await(
            getVertx()
                .createHttpServer(options(context))
                .connectionHandler(connections::opened)
                .requestHandler(root)
                .listen(getConfigurationPort(), getHost()));
    LOG.info("Health and metrics available at http://{}:{}/", getHost(), getPort());
  }

  private HttpServerOptions options(CamelContext context) throws Exception {
    HttpServerOptions options =
        new HttpServerOptions()
            .setMaxInitialLineLength(MAX_LINE_BYTES)
            .setMaxHeaderSize(MAX_HEADER_BYTES)
            .setSendBufferSize(SEND_BUFFER_BYTES)
            .setHttp2ClearTextEnabled(false);
    SSLContextParameters tls = configuration.getSslContextParameters();
    if (tls == null && isUseGlobalSslContextParameters()) {
      tls = context.getSSLContextParameters();
    }
    if (tls != null) {
      VertxHelper.setupSSLOptions(context, tls, options);
    }
    return options;
  }

  private void refuseMalformedEscape(RoutingContext routing) {
    if (areEscapesValid(routing)) {
      routing.next();
    } else {
      refused.refuse(
          routing,
          400,
          RefusedRequests.Reason.MALFORMED,
          "the path or query has a malformed escape");
    }
  }

  /** Vert.x serves a path with a final slash as well. */
  private static String withoutFinalSlash(String path) {
    return path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
  }

  private static boolean areEscapesValid(RoutingContext routing) {
    try {
      return routing.normalizedPath() != null && routing.request().params() != null;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** Responds without a stack trace. */
  private void fail(RoutingContext routing) {
    int status = routing.statusCode() < 400 ? 500 : routing.statusCode();
    if (routing.response().ended() || routing.response().closed()) {
      return;
    }
    if (status == 413) {
      refused.refuse(
          routing, status, RefusedRequests.Reason.SIZE, "the body of the request is too large");
      return;
    }
    if (status < 500) {
      refused.refuse(
          routing,
          status,
          RefusedRequests.Reason.MALFORMED,
          "the request has no valid Host header, or its path does not begin with a slash");
      return;
    }
    LOG.error(
        RateLimitFilter.PER_MESSAGE,
        "Request to the management port failed: {}",
        String.valueOf(routing.failure()));
    routing.response().setStatusCode(status).end("The request failed\n");
  }

  private void logJmxExposure() {
    String url = "http://%s:%d%s".formatted(getHost(), getConfigurationPort(), JolokiaHandler.PATH);
    if (settings.isSet(Setting.MANAGEMENT_TOKEN)) {
      LOG.info("JMX available at {}, with the token of management.token", url);
    } else {
      LOG.info("JMX available at {}: every user of this host has operator rights", url);
    }
  }

  @Override
  public int getPort() {
    return server == null ? getConfigurationPort() : server.actualPort();
  }

  @Override
  public @Nullable HttpServer getServer() {
    return server;
  }

  @Override
  protected void stopServer() {
    if (server != null) {
      await(server.close());
      server = null;
    }
    if (jolokia != null) {
      jolokia.close();
      jolokia = null;
    }
  }

  @Override
  protected void stopVertx() {
    if (lookupVertx() == null) {
      await(getVertx().close());
    }
  }

  private static <T> T await(Future<T> future) {
    return future
        .toCompletionStage()
        .toCompletableFuture()
        .orTimeout(STOP_TIMEOUT_SECONDS, TimeUnit.SECONDS)
        .join();
  }
}
