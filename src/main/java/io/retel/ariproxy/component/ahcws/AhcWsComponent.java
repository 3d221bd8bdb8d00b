package io.retel.ariproxy.component.ahcws;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.health.HealthCheckRegistry;
import org.apache.camel.spi.LifecycleStrategy;
import org.apache.camel.spi.Metadata;
import org.apache.camel.spi.annotations.Component;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.LifecycleStrategySupport;
import org.apache.camel.support.jsse.SSLContextParameters;
import org.apache.camel.util.URISupport;

/**
 * Owns the websocket connections, one per address. A connection opens when the first route consumes
 * it and closes when the context stops, or when a route asks for the same address with other
 * options: an exchanged route finds it open.
 */
@Component("ahc-ws,ahc-wss")
public class AhcWsComponent extends DefaultComponent {

  @Metadata(
      label = "security",
      description = "User name for basic authentication, unless the endpoint has its own.")
  private String username;

  @Metadata(
      label = "security",
      secret = true,
      description =
          "Password for basic authentication, unless the endpoint has its own. Set here it is in no endpoint's URI.")
  private String password;

  @Metadata(
      label = "security",
      description = "TLS settings for ahc-wss, unless the endpoint has its own.")
  private SSLContextParameters sslContextParameters;

  private final Map<URI, WebSocketConnection> connections = new ConcurrentHashMap<>();
  private final LifecycleStrategy closeBeforeRoutesStop =
      new LifecycleStrategySupport() {
        @Override
        public void onContextStopping(CamelContext context) {
          // no new messages while the routes work off what has been read
          closeConnections();
        }
      };
  private ScheduledExecutorService scheduler;

  @Override
  protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters)
      throws Exception {
    AhcWsConfiguration configuration = new AhcWsConfiguration();
    configuration.setUsername(username);
    configuration.setPassword(password);
    configuration.setSslContextParameters(sslContextParameters);
    AhcWsEndpoint endpoint = new AhcWsEndpoint(uri, this, configuration);
    setProperties(endpoint, parameters);
    // what is no option of ours goes to the server
    String scheme = uri.startsWith("ahc-wss") ? "wss" : "ws";
    String query = parameters.isEmpty() ? "" : "?" + URISupport.createQueryString(parameters);
    endpoint.setHttpUri(URI.create(scheme + "://" + remaining + query));
    parameters.clear();
    return endpoint;
  }

  /**
   * The connection of that endpoint's address: the one that is there, or a new one, opened. It is
   * the caller's until its {@link WebSocketConnection#release}. One to the same address with
   * another query, whose route is gone, gives way to it: what it has read and counted is handed on.
   */
  WebSocketConnection connect(AhcWsEndpoint endpoint) {
    List<WebSocketConnection> orphaned = closeOrphaned(endpoint.getHttpUri());
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
        endpoint.getConfiguration(),
        buffer,
        state,
        scheduler,
        getCamelContext());
  }

  private List<WebSocketConnection> closeOrphaned(URI requested) {
    String address = WebSocketConnection.address(requested);
    List<WebSocketConnection> orphaned = new ArrayList<>();
    connections.forEach(
        (uri, other) -> {
          if (!uri.equals(requested) && other.address().equals(address) && other.tryClaim()) {
            other.close();
            connections.remove(uri);
            orphaned.add(other);
          }
        });
    return orphaned;
  }

  /** Whether messages can arrive: there is a connection, and none is not open. */
  public boolean isConnected() {
    return !connections.isEmpty()
        && connections.values().stream().allMatch(connection -> connection.state().connected());
  }

  /** How the connections are now. */
  public List<WebSocketStatus> status() {
    return connections.values().stream().map(WebSocketConnection::status).toList();
  }

  /**
   * Tells the routes once more that their connections are open, in its place between the messages,
   * if {@code fireWebSocketConnectionEvents} is on.
   */
  public void fireConnectedEvent() {
    connections.values().forEach(WebSocketConnection::fireConnectedEvent);
  }

  /**
   * Closes the connections and opens them anew; those that are not open are tried at once. Returns
   * at once.
   *
   * @param why in a clause, for the log
   */
  public void reconnect(String reason) {
    connections.values().forEach(connection -> connection.reconnect(reason));
  }

  /** Adds the health check of an endpoint's websocket, before it is opened. */
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
      registry.getCheck(check.getId()).ifPresent(registry::unregister);
      registry.register(check);
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

  public String getUsername() {
    return username;
  }

  public void setUsername(String username) {
    this.username = username;
  }

  public String getPassword() {
    return password;
  }

  public void setPassword(String password) {
    this.password = password;
  }

  public SSLContextParameters getSslContextParameters() {
    return sslContextParameters;
  }

  public void setSslContextParameters(SSLContextParameters sslContextParameters) {
    this.sslContextParameters = sslContextParameters;
  }
}
