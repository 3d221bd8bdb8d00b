// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.time.Moment;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import org.apache.camel.Service;
import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.camel.support.GZIPHelper;
import org.apache.camel.support.service.ServiceSupport;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SchemePortResolver;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.classic.RequestFailedException;
import org.apache.hc.client5.http.impl.io.DefaultHttpClientConnectionOperator;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.io.HttpClientConnectionOperator;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.client5.http.ssl.TlsSocketStrategy;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.HttpStatus;
import org.apache.hc.core5.http.ProtocolException;
import org.apache.hc.core5.http.URIScheme;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.impl.io.DefaultHttpResponseParserFactory;
import org.apache.hc.core5.http.io.HttpMessageParser;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.http.io.support.ClassicRequestBuilder;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP client for ARI: one request on the wire per command.
 *
 * <p>Sets the password as a request header, not as an endpoint option, so it never appears in a
 * URI, route dump or JMX attribute. Connects to the server of the {@link AriLogin} only. Asterisk
 * closes a connection after 15 s idle (measured on 16.28 and 22.10.1). The pool evicts connections
 * earlier, since a request on a closed connection has an unknown outcome.
 *
 * <p>The pool is its own service: an endpoint that stops, such as in a reload, stops its configurer
 * if that is a service (camel-http 4.18.0).
 */
public final class AriHttpClient implements HttpClientConfigurer {

  private static final Logger LOG = LoggerFactory.getLogger(AriHttpClient.class);

  /** Connections for the proxy's own requests, so that they do not wait for commands that hang. */
  static final int OWN_CONNECTIONS = 10;

  /** Longest line of a response's head, of a chunk's head or of a trailer, in bytes. */
  private static final int MAX_LINE_BYTES = 8_192;

  private static final String SERIALIZED_OBJECT = "application/x-java-serialized-object";

  private static final int MAX_REJECTION_BYTES = 8_192;

  /** Asterisk sends about six. */
  private static final int MAX_HEADERS = 100;

  private static final Http1Config HTTP1 =
      Http1Config.custom().setMaxLineLength(MAX_LINE_BYTES).setMaxHeaderCount(MAX_HEADERS).build();

  /**
   * Bytes received for one request, with everything around the body; readers have lower limits for
   * bodies. The longest list of {@link AriClient}, and more than a record of Kafka can have.
   */
  private static final long MAX_RECEIVED_BYTES = 65L << 20;

  /** Ends a request without a timeout within a minute if the host of its server fails. */
  private static final SocketConfig KEEP_ALIVE =
      SocketConfig.custom()
          .setSoKeepAlive(true)
          .setTcpKeepIdle(30)
          .setTcpKeepInterval(10)
          .setTcpKeepCount(3)
          .build();

  private static final TimeValue MAX_IDLE_TIME = TimeValue.ofSeconds(10);

  private static final long MAINTENANCE_INTERVAL_MS = 1_000;

  /** Idle time after which a connection is validated before use; validation costs up to 1 ms. */
  private static final TimeValue VALIDATE_AFTER_INACTIVITY = TimeValue.ofMilliseconds(100);

  private static final Duration LOG_INTERVAL = Duration.ofMinutes(1);

  private final AriLogin login;
  private final PoolingHttpClientConnectionManager connections;
  private final Timeout connectTimeout;
  private final Timeout responseTimeout;
  private final RequestMetricsInterceptor requestMetrics;
  private final Counter refused;
  private final Set<BoundedSocket> sockets = ConcurrentHashMap.newKeySet();
  private final Pool pool;
  private @Nullable Moment refusalLogged;
  private @Nullable Moment unexpectedDataLogged;

  /**
   * @param login of ARI, the only server that the client connects to
   * @param tls trusted certificates of new connections if ARI's url is https; the host name is
   *     verified as well
   * @param maxCommands maximum number of concurrent requests of commands; the proxy's own ones add
   *     {@value #OWN_CONNECTIONS} connections
   * @param connectTimeoutMs timeout for connecting, for the TLS handshake, for the ping on a new
   *     connection, and for waiting for a free connection, each in total
   * @param responseTimeoutMs timeout for a request and its complete response
   * @param basePath the path of ari.url
   * @param meters registry for the request metrics
   */
  public AriHttpClient(
      AriLogin login,
      Supplier<SSLContext> tls,
      int maxCommands,
      long connectTimeoutMs,
      long responseTimeoutMs,
      String basePath,
      MeterRegistry meters) {
    this.login = login;
    this.connectTimeout = Timeout.ofMilliseconds(connectTimeoutMs);
    this.responseTimeout = Timeout.ofMilliseconds(responseTimeoutMs);
    this.requestMetrics = new RequestMetricsInterceptor(basePath, meters);
    this.refused = Meters.CONNECTIONS_REFUSED.counter(meters);
    this.connections =
        new ConnectionManagerBuilder(basePath)
            .setConnectionFactory(
                ManagedHttpClientConnectionFactory.builder()
                    .http1Config(HTTP1)
                    .responseParserFactory(config -> responseParser())
                    .build())
            .setDnsResolver(new OneFamilyDnsResolver())
            .setTlsSocketStrategy(convertTlsFailures(tls))
            .setDefaultTlsConfig(TlsConfig.custom().setHandshakeTimeout(connectTimeout).build())
            .setMaxConnTotal(maxCommands + OWN_CONNECTIONS)
            .setMaxConnPerRoute(maxCommands + OWN_CONNECTIONS)
            .setDefaultSocketConfig(KEEP_ALIVE)
            .setDefaultConnectionConfig(
                ConnectionConfig.custom()
                    .setConnectTimeout(connectTimeout)
                    .setSocketTimeout(responseTimeout)
                    .setValidateAfterInactivity(VALIDATE_AFTER_INACTIVITY)
                    .build())
            .build();
    this.pool = new Pool();
  }

  /** HttpClient's own skips malformed status lines. */
  private static HttpMessageParser<ClassicHttpResponse> responseParser() {
    HttpMessageParser<ClassicHttpResponse> parser =
        new DefaultHttpResponseParserFactory(HTTP1).create();
    return (buffer, in) -> {
      try {
        return parser.parse(buffer, in);
      } catch (IllegalArgumentException e) {
        // such as 000
        throw new ProtocolException("invalid status: " + e.getMessage());
      }
    };
  }

  /** Returns the service that evicts idle connections, and closes all of them when it stops. */
  public Service pool() {
    return pool;
  }

  @Override
  public void configureHttpClient(HttpClientBuilder client) {
    client
        // one pool for all endpoints, so that its size is the number of connections
        .setConnectionManager(connections)
        .setConnectionManagerShared(true)
        .setDefaultRequestConfig(requestConfig())
        .setRequestExecutor(new UnexpectedDataCheck())
        .addResponseInterceptorFirst(AriHttpClient::removeLengthOfChunkedBody)
        .addExecInterceptorFirst("unexpected-data", this::sendOnNewConnection)
        .addExecInterceptorFirst("no-connection", AriHttpClient::failIfNoConnection)
        .addExecInterceptorFirst("abort-unread-response", new AbortUnreadResponse())
        .addExecInterceptorFirst("request-metrics", requestMetrics)
        .addExecInterceptorFirst("rejected-login", AriHttpClient::failIfLoginRejected)
        .addExecInterceptorFirst("serialized-objects", AriHttpClient::asBytes)
        .addExecInterceptorFirst("gzip", AriHttpClient::uncompressed)
        // a retry would send a request twice: a POST after a 503, or a GET, PUT or DELETE after a
        // lost connection
        .disableAutomaticRetries()
        .disableRedirectHandling()
        .disableCookieManagement()
        .disableContentCompression()
        .disableAuthCaching()
        .addExecInterceptorLast("login", this::addLogin);
  }

  /** Returns the timeouts of requests. */
  RequestConfig requestConfig() {
    return RequestConfig.custom()
        .setConnectionRequestTimeout(connectTimeout)
        .setResponseTimeout(responseTimeout)
        .build();
  }

  /** Removes a length that HttpClient ignores (RFC 9112, 6.3), so that nobody relies on it. */
  private static void removeLengthOfChunkedBody(
      HttpResponse response, @Nullable EntityDetails body, HttpContext context) {
    if (response.containsHeader(HttpHeaders.TRANSFER_ENCODING)) {
      response.removeHeaders(HttpHeaders.CONTENT_LENGTH);
    }
  }

  private ClassicHttpResponse addLogin(
      ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
      throws IOException, HttpException {
    request.setHeader(HttpHeaders.AUTHORIZATION, authorization(login, scope.route.getTargetHost()));
    return chain.proceed(request, scope);
  }

  /**
   * Returns the value of the header {@code Authorization}.
   *
   * @throws ConnectException if the server is not ARI: nothing is sent to it
   */
  static String authorization(AriLogin login, HttpHost server) throws ConnectException {
    return login
        .authorization(server.getSchemeName(), server.getHostName(), server.getPort())
        .orElseThrow(
            () ->
                new ConnectException(
                    "#ariHttpClient connects to ari.url only, not to "
                        + server.toURI()
                        + ": remove httpClientConfigurer from routes to other servers"));
  }

  /**
   * Sends a request again that was not sent because of unexpected data on its connection; others
   * can have some as well, such as the 408 of a load balancer that closes all.
   */
  private ClassicHttpResponse sendOnNewConnection(
      ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
      throws IOException, HttpException {
    try {
      return chain.proceed(request, scope);
    } catch (UnexpectedDataException e) {
      logUnexpectedData();
      connections.closeIdle(TimeValue.ZERO_MILLISECONDS);
      return chain.proceed(ClassicRequestBuilder.copy(scope.originalRequest).build(), scope);
    }
  }

  /**
   * Reports every failure to get a connection as such. If one becomes free just as the timeout
   * ends, HttpClient reports an execution that failed (5.5.1).
   */
  private static ClassicHttpResponse failIfNoConnection(
      ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
      throws IOException, HttpException {
    try {
      return chain.proceed(request, scope);
    } catch (RequestFailedException e) {
      if (e.getCause() instanceof TimeoutException timeout) {
        throw new ConnectionRequestTimeoutException(String.valueOf(timeout.getMessage()));
      }
      throw e;
    }
  }

  /**
   * Lets Camel treat serialized objects as bytes: it would drop them, or with an option deserialize
   * them. The added semicolon does not change the type.
   */
  private static ClassicHttpResponse asBytes(
      ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
      throws IOException, HttpException {
    ClassicHttpResponse response = chain.proceed(request, scope);
    Header type = response.getFirstHeader(HttpHeaders.CONTENT_TYPE);
    if (type != null && SERIALIZED_OBJECT.equals(type.getValue())) {
      response.setHeader(HttpHeaders.CONTENT_TYPE, SERIALIZED_OBJECT + ";");
    }
    return response;
  }

  /** Uncompresses a body in place of Camel, whose stream overflows the stack. */
  private static ClassicHttpResponse uncompressed(
      ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
      throws IOException, HttpException {
    ClassicHttpResponse response = chain.proceed(request, scope);
    Header coding = response.getFirstHeader(HttpHeaders.CONTENT_ENCODING);
    HttpEntity entity = response.getEntity();
    if (entity != null && coding != null && GZIPHelper.isGzip(coding.getValue())) {
      response.setEntity(new GzipBody(entity));
      response.removeHeaders(HttpHeaders.CONTENT_ENCODING);
      response.removeHeaders(HttpHeaders.CONTENT_LENGTH);
    }
    return response;
  }

  /** Asterisk checks the login first, so a request with a rejected one can be sent again. */
  private static ClassicHttpResponse failIfLoginRejected(
      ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
      throws IOException, HttpException {
    ClassicHttpResponse response = chain.proceed(request, scope);
    if (response.getCode() == HttpStatus.SC_UNAUTHORIZED) {
      try (response) {
        HttpEntity entity = response.getEntity();
        if (entity != null) {
          try (InputStream content = entity.getContent()) {
            // a connection whose response is read to its end is used again
            content.readNBytes(MAX_REJECTION_BYTES + 1);
          }
        }
      } catch (IOException e) {
        // the status is enough
        scope.execRuntime.discardEndpoint();
      }
      throw new ConnectException(
          "it rejects the login with 401; check ari.username, ari.password and the user in"
              + " ari.conf");
    }
    return response;
  }

  private synchronized void recordRefusal(int served) {
    refused.increment();
    Moment now = Moment.now();
    if (refusalLogged == null || now.since(refusalLogged).compareTo(LOG_INTERVAL) >= 0) {
      refusalLogged = now;
      LOG.warn(
          "Asterisk refused a connection: {} in use for requests; raise sessionlimit in http.conf,"
              + " or lower commands.max-concurrency",
          served);
    }
  }

  private synchronized void logUnexpectedData() {
    Moment now = Moment.now();
    if (unexpectedDataLogged == null
        || now.since(unexpectedDataLogged).compareTo(LOG_INTERVAL) >= 0) {
      unexpectedDataLogged = now;
      LOG.warn(
          "Data received on a connection to Asterisk before a request; closed it and all idle"
              + " ones, retrying on a new one; check what answers at ari.url");
    }
  }

  private BoundedSocket openSocket() {
    BoundedSocket socket = new BoundedSocket(MAX_RECEIVED_BYTES);
    sockets.add(socket);
    return socket;
  }

  private void evictIdle() {
    connections.closeExpired();
    connections.closeIdle(MAX_IDLE_TIME);
  }

  private void closeOverdueWrites() {
    sockets.removeIf(Socket::isClosed);
    sockets.forEach(BoundedSocket::closeIfWriteIsOverdue);
  }

  private final class Pool extends ServiceSupport {

    private @Nullable ScheduledExecutorService eviction;
    private @Nullable ScheduledExecutorService writeDeadlines;

    @Override
    protected void doStart() {
      eviction = schedule("ari-connections", AriHttpClient.this::evictIdle);
      writeDeadlines = schedule("ari-write-deadlines", AriHttpClient.this::closeOverdueWrites);
    }

    /** The end of a TLS connection is a write as well, so its deadline has another thread. */
    @Override
    protected void doStop() {
      if (eviction != null) {
        eviction.shutdownNow();
      }
      connections.close();
      if (writeDeadlines != null) {
        writeDeadlines.shutdownNow();
      }
    }

    private static ScheduledExecutorService schedule(String name, Runnable task) {
      ScheduledExecutorService executor =
          Executors.newSingleThreadScheduledExecutor(
              work -> {
                Thread thread = new Thread(work, name);
                thread.setDaemon(true);
                return thread;
              });
      executor.scheduleWithFixedDelay(
          FatalErrors.continuing(task),
          MAINTENANCE_INTERVAL_MS,
          MAINTENANCE_INTERVAL_MS,
          TimeUnit.MILLISECONDS);
      return executor;
    }
  }

  /** Builds a pool whose connections are known to be served. */
  private final class ConnectionManagerBuilder extends PoolingHttpClientConnectionManagerBuilder {

    private final String basePath;

    ConnectionManagerBuilder(String basePath) {
      this.basePath = basePath;
    }

    @Override
    protected HttpClientConnectionOperator createConnectionOperator(
        SchemePortResolver schemePortResolver,
        DnsResolver dnsResolver,
        TlsSocketStrategy tlsSocketStrategy) {
      return new SessionOpener(
          new DefaultHttpClientConnectionOperator(
              proxy -> openSocket(),
              schemePortResolver,
              dnsResolver,
              scheme -> scheme.equals(URIScheme.HTTPS.id) ? tlsSocketStrategy : null),
          basePath,
          login,
          AriHttpClient.this::recordRefusal);
    }
  }

  /**
   * Reports every failure before TLS is established, also a lost connection or a timeout, as such.
   */
  private static TlsSocketStrategy convertTlsFailures(Supplier<SSLContext> tls) {
    return (socket, target, port, attachment, context) -> {
      try {
        return new DefaultClientTlsStrategy(tls.get())
            .upgrade(socket, target, port, attachment, context);
      } catch (IOException e) {
        throw new TlsNotEstablishedException(e);
      }
    };
  }
}
