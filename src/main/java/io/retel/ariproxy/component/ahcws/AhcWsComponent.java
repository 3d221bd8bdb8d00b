// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.health.HealthCheckRegistry;
import org.apache.camel.spi.ExceptionHandler;
import org.apache.camel.spi.LifecycleStrategy;
import org.apache.camel.spi.Metadata;
import org.apache.camel.spi.annotations.Component;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.LifecycleStrategySupport;
import org.apache.camel.support.jsse.SSLContextParameters;
import org.apache.camel.util.URISupport;
import org.jspecify.annotations.Nullable;

/**
 * Owner of the websocket connections: one, or two while a route requests another address.
 *
 * <p>A connection opens when the first route consumes it. It closes when the context stops or a
 * route requests another address or other options. A replacement route finds it open.
 */
@Component("ahc-ws,ahc-wss")
public class AhcWsComponent extends DefaultComponent {

  private @Nullable ExceptionHandler exceptionHandler;
  private Function<Throwable, Optional<String>> tlsErrorDescriber = cause -> Optional.empty();
  private UnaryOperator<URI> requestUri = UnaryOperator.identity();
  private Consumer<String> onText = text -> {};

  private Function<URI, Optional<String>> authorization = uri -> Optional.empty();

  @Metadata(
      label = "security",
      description = "TLS settings for ahc-wss, unless the endpoint has its own.")
  private @Nullable SSLContextParameters sslContextParameters;

  private final LongAdder lostMessages = new LongAdder();
  private final Map<URI, WebSocketConnection> connections = new ConcurrentHashMap<>();
  private final LifecycleStrategy closeBeforeRoutesStop =
      new LifecycleStrategySupport() {
        @Override
        public void onContextStopping(CamelContext context) {
          // no new messages while routes drain the buffer
          closeConnections();
        }
      };
  private ScheduledExecutorService scheduler;
  private @Nullable AhcWsHealthCheck healthCheck;
  private @Nullable AhcWsComponent otherScheme;

  @Override
  protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters)
      throws Exception {
    AhcWsConfiguration configuration = new AhcWsConfiguration();
    configuration.setAuthorization(authorization);
    configuration.setSslContextParameters(sslContextParameters);
    configuration.setTlsErrorDescriber(tlsErrorDescriber);
    AhcWsEndpoint endpoint = new AhcWsEndpoint(uri, this, configuration);
    endpoint.setExceptionHandler(exceptionHandler);
    setProperties(endpoint, parameters);
    // unknown options go to the server
    String scheme = uri.startsWith("ahc-wss") ? "wss" : "ws";
    String query = parameters.isEmpty() ? "" : "?" + URISupport.createQueryString(parameters);
    endpoint.setHttpUri(URI.create(scheme + "://" + remaining + query));
    parameters.clear();
    return endpoint;
  }

  /**
   * Returns the connection of that endpoint's address, opened if new.
   *
   * <p>It is reserved for the caller until {@link WebSocketConnection#release}. An unused
   * connection with another address or query is closed; its buffered messages and counters move to
   * this one.
   */
  WebSocketConnection connect(AhcWsEndpoint endpoint) {
    List<WebSocketConnection> orphaned = closeOrphaned(endpoint.getHttpUri());
    if (otherScheme != null) {
      orphaned.addAll(otherScheme.closeOrphaned(endpoint.getHttpUri()));
    }
    return connections.compute(
        endpoint.getHttpUri(),
        (uri, existing) -> {
          List<WebSocketConnection> previous = new ArrayList<>();
          if (existing != null) {
            existing.claim();
            if (existing.isUsableFor(endpoint.getConfiguration())) {
              orphaned.forEach(existing::absorb);
              return existing;
            }
            existing.close();
            previous.add(existing);
          }
          previous.addAll(orphaned);
          WebSocketConnection connection = replacementFor(previous, endpoint);
          connection.claim();
          connection.open();
          return connection;
        });
  }

  private WebSocketConnection replacementFor(
      List<WebSocketConnection> previous, AhcWsEndpoint endpoint) {
    MessageBuffer buffer = new MessageBuffer(endpoint.getConfiguration().getBufferSize());
    ConnectionState state = ConnectionState.initial();
    for (WebSocketConnection closed : previous) {
      closed.buffer().drainTo(buffer);
      state = state.mergedWith(closed.state());
    }
    return new WebSocketConnection(
        endpoint.getHttpUri(),
        requestUri,
        onText,
        endpoint.getConfiguration(),
        buffer,
        state,
        scheduler,
        getCamelContext(),
        lostMessages::add);
  }

  private List<WebSocketConnection> closeOrphaned(URI requested) {
    List<WebSocketConnection> orphaned = new ArrayList<>();
    connections.forEach(
        (uri, other) -> {
          if (!uri.equals(requested) && other.tryClaim()) {
            other.close();
            connections.remove(uri);
            orphaned.add(other);
          }
        });
    return orphaned;
  }

  /** Whether messages can arrive: connections exist, and all are open. */
  public boolean isConnected() {
    return !connections.isEmpty()
        && connections.values().stream().allMatch(connection -> connection.state().connected());
  }

  /**
   * Whether routes have received all messages that the servers sent between two moments of {@link
   * System#nanoTime}; false if a connection was not open all the time, or until its server has sent
   * data after the second moment.
   */
  public boolean hasReceivedAll(long sinceNanos, long untilNanos) {
    return !connections.isEmpty()
        && connections.values().stream()
            .allMatch(connection -> connection.hasReceivedAll(sinceNanos, untilNanos));
  }

  /** The current status of each connection. */
  public List<WebSocketStatus> status() {
    return connections.values().stream().map(WebSocketConnection::status).toList();
  }

  /** Number of messages that were read or sent to the proxy, but not passed to a route. */
  public long lostMessages() {
    return lostMessages.sum();
  }

  /** The name of a websocket's thread that has ended although its connection is not closed. */
  public Optional<String> endedThread() {
    return connections.values().stream()
        .flatMap(connection -> connection.endedThread().stream())
        .findFirst();
  }

  /**
   * Sends routes an event for each open connection, in order with the messages, if {@code
   * fireWebSocketConnectionEvents} is on.
   *
   * @param event CONNECTED or a value of the caller
   */
  public void fireConnectionEvent(String event) {
    connections.values().forEach(connection -> connection.fireConnectionEvent(event));
  }

  /**
   * Closes and reopens all connections; those that are not open are retried immediately. Returns
   * immediately.
   *
   * @param reason for the log
   */
  public void reconnect(String reason) {
    connections.values().forEach(connection -> connection.reconnect(reason));
  }

  /**
   * Reopens the connections that their server can have displaced with an earlier request of this
   * component, which it had not answered in time. For {@link #setOnText}, when a message shows that
   * a connection was displaced.
   *
   * @return whether a connection is reopened
   */
  public boolean reopenIfDisplaced() {
    return connections.values().stream()
        .map(WebSocketConnection::reopenIfDisplaced)
        .reduce(false, Boolean::logicalOr);
  }

  /** Registers the health check of an endpoint's websocket, before it is opened; the only one. */
  void addHealthCheck(AhcWsEndpoint endpoint) {
    URI uri = endpoint.getHttpUri();
    ConnectionState initial = ConnectionState.initial();
    AhcWsHealthCheck check =
        new AhcWsHealthCheck(
            WebSocketConnection.address(uri),
            () -> {
              WebSocketConnection connection = connections.get(uri);
              return connection == null ? initial : connection.state();
            });
    HealthCheckRegistry registry = HealthCheckRegistry.get(getCamelContext());
    if (registry != null) {
      removeHealthCheck(registry);
      if (otherScheme != null) {
        otherScheme.removeHealthCheck(registry);
      }
      registry.register(check);
      healthCheck = check;
    }
  }

  private void removeHealthCheck(HealthCheckRegistry registry) {
    if (healthCheck != null) {
      registry.unregister(healthCheck);
      healthCheck = null;
    }
  }

  @Override
  protected void doInit() throws Exception {
    super.doInit();
    getCamelContext().addLifecycleStrategy(closeBeforeRoutesStop);
    scheduler =
        getCamelContext()
            .getExecutorServiceManager()
            .newSingleThreadScheduledExecutor(this, "websocket-connections");
  }

  @Override
  protected void doShutdown() throws Exception {
    closeConnections();
    connections.values().forEach(WebSocketConnection::discardBuffered);
    getCamelContext().getLifecycleStrategies().remove(closeBeforeRoutesStop);
    if (scheduler != null) {
      getCamelContext().getExecutorServiceManager().shutdownNow(scheduler);
    }
    super.doShutdown();
  }

  private void closeConnections() {
    connections.values().forEach(WebSocketConnection::close);
  }

  /**
   * Returns the value of the header {@code Authorization} for an attempt to connect, unless the
   * endpoint has a user name. Requested before each attempt, so that it can change; must not block.
   */
  public Function<URI, Optional<String>> getAuthorization() {
    return authorization;
  }

  public void setAuthorization(Function<URI, Optional<String>> authorization) {
    this.authorization = authorization;
  }

  public @Nullable SSLContextParameters getSslContextParameters() {
    return sslContextParameters;
  }

  public void setSslContextParameters(@Nullable SSLContextParameters sslContextParameters) {
    this.sslContextParameters = sslContextParameters;
  }

  /** Handler for errors of exchanges; Camel's default if null. */
  public @Nullable ExceptionHandler getExceptionHandler() {
    return exceptionHandler;
  }

  public void setExceptionHandler(@Nullable ExceptionHandler exceptionHandler) {
    this.exceptionHandler = exceptionHandler;
  }

  /** Describes TLS errors of a failed connect; empty if the cause is not a TLS error. */
  public Function<Throwable, Optional<String>> getTlsErrorDescriber() {
    return tlsErrorDescriber;
  }

  public void setTlsErrorDescriber(Function<Throwable, Optional<String>> tlsErrorDescriber) {
    this.tlsErrorDescriber = tlsErrorDescriber;
  }

  /** The component for the other of ws and wss: a route can change from one to the other. */
  public @Nullable AhcWsComponent getOtherScheme() {
    return otherScheme;
  }

  public void setOtherScheme(@Nullable AhcWsComponent otherScheme) {
    this.otherScheme = otherScheme;
  }

  /** Changes the URI of the endpoint before each attempt to connect; must not block. */
  public UnaryOperator<URI> getRequestUri() {
    return requestUri;
  }

  public void setRequestUri(UnaryOperator<URI> requestUri) {
    this.requestUri = requestUri;
  }

  /**
   * Receives each text message as it arrives, before it is buffered for the route and before a
   * later attempt to connect; must not block or throw.
   */
  public Consumer<String> getOnText() {
    return onText;
  }

  public void setOnText(Consumer<String> onText) {
    this.onText = onText;
  }
}
