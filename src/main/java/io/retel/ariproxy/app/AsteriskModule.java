// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.ari.http.AriHttpClient;
import io.retel.ariproxy.ari.http.AriLogin;
import io.retel.ariproxy.ari.http.RequestLimit;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.component.ahcws.AhcWsComponent;
import io.retel.ariproxy.component.ahcws.AhcWsConsumer;
import io.retel.ariproxy.component.ahcws.WebSocketStatus;
import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.error.TlsErrors;
import io.retel.ariproxy.health.HealthChecks;
import io.retel.ariproxy.jmx.ManagedWebsocket;
import io.retel.ariproxy.logging.ExchangeExceptionHandler;
import io.retel.ariproxy.tls.CertificateSettings;
import io.retel.ariproxy.tls.SslContexts;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.apache.camel.CamelContext;
import org.apache.camel.Service;
import org.apache.camel.support.jsse.SSLContextParameters;

/** Asterisk: the HTTP client and the websocket. Does not connect yet. */
final class AsteriskModule {

  private static final String OPERATOR_RECONNECT_REASON = "reconnect requested by an operator";

  private final Settings settings;
  private final AriHttpClient httpClient;
  private final StasisApplications applications;
  private final AhcWsComponent ws;
  private final AhcWsComponent wss;

  AsteriskModule(
      CamelContext context,
      Settings settings,
      MeterRegistry meters,
      Gauges gauges,
      StasisApplications applications) {
    this.applications = applications;
    this.settings = settings;
    Supplier<SSLContext> tls = new SslContexts(trustedCertificates(settings));
    AriLogin login =
        new AriLogin(
            settings.get(Setting.ARI_URL),
            settings.get(Setting.ARI_USERNAME),
            settings.get(Setting.ARI_PASSWORD));
    this.httpClient =
        new AriHttpClient(
            login,
            tls,
            settings.get(Setting.COMMANDS_MAX_CONCURRENCY),
            settings.get(Setting.ARI_CONNECT_TIMEOUT).toMillis(),
            settings.get(Setting.ARI_RESPONSE_TIMEOUT).toMillis(),
            settings.ariPath(),
            meters);
    context.getRegistry().bind("ariHttpClient", httpClient);
    this.ws = websocket(context, "ahc-ws", login, tls, applications);
    this.wss = websocket(context, "ahc-wss", login, tls, applications);
    ws.setOtherScheme(wss);
    wss.setOtherScheme(ws);
    gauges.bindWebsocket(this::websocketStatuses, () -> ws.lostMessages() + wss.lostMessages());
  }

  /** Returns the connections of requests. */
  Service connections() {
    return httpClient.pool();
  }

  /** Sets what receives each event as it arrives, before the routes do. */
  void setEventListener(Consumer<String> listener) {
    Stream.of(ws, wss).forEach(component -> component.setOnText(listener));
  }

  /**
   * Reopens the websocket if an earlier request of the proxy can have displaced it; in the event
   * listener only.
   */
  boolean reopenIfDisplaced() {
    return ws.reopenIfDisplaced() || wss.reopenIfDisplaced();
  }

  /** Returns whether events can arrive. */
  boolean isConnected() {
    return ws.isConnected() || wss.isConnected();
  }

  /** Returns whether the routes have received all events between two moments. */
  boolean hasReceivedAll(long sinceNanos, long untilNanos) {
    return ws.hasReceivedAll(sinceNanos, untilNanos) || wss.hasReceivedAll(sinceNanos, untilNanos);
  }

  /** Returns the name of a websocket's thread that has ended, if any. */
  Optional<String> endedThread() {
    return ws.endedThread().or(wss::endedThread);
  }

  /** Returns a new client for the proxy's own requests. */
  AriClient newClient() {
    return new AriClient(httpClient, settings.get(Setting.ARI_URL));
  }

  /** Returns a new client for the proxy's own requests, within a limit. */
  AriClient newClient(RequestLimit limit) {
    return new AriClient(httpClient, settings.get(Setting.ARI_URL), limit);
  }

  /** Returns a new client for requests on which Asterisk can hang, within a limit. */
  AriClient newClientWithoutResponseTimeout(RequestLimit limit) {
    return AriClient.withLongTimeout(httpClient, settings.get(Setting.ARI_URL), limit);
  }

  /** Sends the route {@code events} a connection event, in order with the messages. */
  void fireConnectionEvent(String event) {
    Stream.of(ws, wss).forEach(component -> component.fireConnectionEvent(event));
  }

  ManagedWebsocket managedBean() {
    return new ManagedWebsocket(
        this::websocketStatuses,
        () -> reconnect(OPERATOR_RECONNECT_REASON),
        applications::own,
        applications::lost,
        this::reclaim);
  }

  private boolean reclaim(String application) {
    boolean wasLost = applications.reclaim(application);
    if (wasLost) {
      reconnect("application " + application + " reclaimed by an operator");
    }
    return wasLost;
  }

  private void reconnect(String reason) {
    Stream.of(ws, wss).forEach(component -> component.reconnect(reason));
  }

  void addHealthChecks(HealthChecks checks) {
    checks
        .add("websocket-buffer", this::bufferProblem)
        .addNotice("applications", this::lostApplications)
        .addWebsocketGauges(this::isConnected);
  }

  /**
   * Returns the status of the websocket; while a reload changes its address, of both websockets.
   */
  private List<WebSocketStatus> websocketStatuses() {
    return Stream.of(ws, wss).flatMap(component -> component.status().stream()).toList();
  }

  private Optional<String> lostApplications() {
    return Optional.of(String.join(",", applications.lost()))
        .filter(lost -> !lost.isEmpty())
        .map(lost -> "Another client of Asterisk has taken over the Stasis application " + lost);
  }

  private Optional<String> bufferProblem() {
    return websocketStatuses().stream()
        .filter(WebSocketStatus::isBufferFull)
        .findFirst()
        .map(
            status ->
                "Websocket reads are paused: "
                    + status.bufferedMessages()
                    + " events wait for Kafka in "
                    + status.bufferedBytes()
                    + " bytes (ari.buffer-size); Asterisk drops the connection if this continues");
  }

  private static AhcWsComponent websocket(
      CamelContext context,
      String scheme,
      AriLogin login,
      Supplier<SSLContext> tls,
      StasisApplications applications) {
    AhcWsComponent component = context.getComponent(scheme, AhcWsComponent.class);
    component.setAuthorization(login::authorization);
    component.setSslContextParameters(sslContextParameters(tls));
    component.setRequestUri(applications::withoutLost);
    component.setTlsErrorDescriber(cause -> TlsErrors.describe(cause, Setting.ARI_CA_FILE.key()));
    component.setExceptionHandler(new ExchangeExceptionHandler(context, AhcWsConsumer.class));
    return component;
  }

  private static SSLContextParameters sslContextParameters(Supplier<SSLContext> tls) {
    return new SSLContextParameters() {
      @Override
      public SSLContext createSSLContext(CamelContext context) {
        return tls.get();
      }
    };
  }

  /**
   * The certificates to trust for ARI, as the file contains them now; none for the JVM's.
   *
   * @throws InvalidSettingException if the file is unusable, or ARI's URL is not https
   */
  static Supplier<List<X509Certificate>> trustedCertificates(Settings settings) {
    if (settings.isSet(Setting.ARI_CA_FILE)
        && !settings.get(Setting.ARI_URL).getScheme().equals("https")) {
      throw new InvalidSettingException(Setting.ARI_CA_FILE, "requires an https ari.url");
    }
    return CertificateSettings.trusted(settings, Setting.ARI_CA_FILE);
  }
}
