package io.retel.ariproxy.command;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ErrorMessages;
import io.retel.ariproxy.config.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.client5.http.ssl.TlsSocketStrategy;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/**
 * The HTTP client for ARI: one request on the wire per command, with the password in a header of
 * its own.
 *
 * <p>The password is set here and not as an option of the route's endpoint, so that no URI, route
 * dump or JMX attribute has it. Asterisk closes a connection that was idle for 15 s (measured on
 * 16.28 and 22.10.1): ours go earlier, since a request on a closed one would have an unknown
 * outcome.
 */
public final class AriHttpClient implements HttpClientConfigurer {

  private static final TimeValue MAX_IDLE_TIME = TimeValue.ofSeconds(10);

  /**
   * From then on a connection is checked before it is used; the check takes up to a millisecond.
   */
  private static final TimeValue VALIDATE_AFTER_INACTIVITY = TimeValue.ofMilliseconds(100);

  private final String authorization;
  private final TlsSocketStrategy tls;
  private final int maxConnections;
  private final Timeout connectTimeout;
  private final Timeout responseTimeout;
  private final RequestMetricsInterceptor requestMetrics;

  /**
   * @param tls whose certificates are trusted, should ARI's url begin with https; that they name
   *     the host is checked, too
   * @param connections how many requests may be under way at once
   * @param connectTimeoutMs how long a connect may take, and the wait for a free connection
   * @param responseTimeoutMs how long Asterisk may take to answer
   * @param root the path of ari.url
   * @param meters measure all requests
   */
  public AriHttpClient(
      String username,
      Secret password,
      SSLContext tls,
      int maxConnections,
      long connectTimeoutMs,
      long responseTimeoutMs,
      String basePath,
      MeterRegistry meters) {
    byte[] credentials = (username + ":" + password.reveal()).getBytes(StandardCharsets.UTF_8);
    this.authorization = "Basic " + Base64.getEncoder().encodeToString(credentials);
    this.tls = convertTlsFailures(new DefaultClientTlsStrategy(tls));
    this.maxConnections = maxConnections;
    this.connectTimeout = Timeout.ofMilliseconds(connectTimeoutMs);
    this.responseTimeout = Timeout.ofMilliseconds(responseTimeoutMs);
    this.requestMetrics = new RequestMetricsInterceptor(basePath, meters);
  }

  @Override
  public void configureHttpClient(HttpClientBuilder client) {
    client
        .setConnectionManager(
            PoolingHttpClientConnectionManagerBuilder.create()
                .setTlsSocketStrategy(tls)
                .setDefaultTlsConfig(TlsConfig.custom().setHandshakeTimeout(connectTimeout).build())
                .setMaxConnTotal(maxConnections)
                .setMaxConnPerRoute(maxConnections)
                .setDefaultConnectionConfig(
                    ConnectionConfig.custom()
                        .setConnectTimeout(connectTimeout)
                        .setSocketTimeout(responseTimeout)
                        .setValidateAfterInactivity(VALIDATE_AFTER_INACTIVITY)
                        .build())
                .build())
        .setConnectionManagerShared(false)
        .evictExpiredConnections()
        .evictIdleConnections(MAX_IDLE_TIME)
        .setDefaultRequestConfig(
            RequestConfig.custom()
                .setConnectionRequestTimeout(connectTimeout)
                .setResponseTimeout(responseTimeout)
                .build())
        .addExecInterceptorFirst("request-metrics", requestMetrics)
        // a POST that was answered 503, or a GET, PUT or DELETE whose connection was cut, would go
        // out twice
        .disableAutomaticRetries()
        .disableRedirectHandling()
        .disableCookieManagement()
        .disableContentCompression()
        .disableAuthCaching()
        .addRequestInterceptorLast(
            (request, entity, context) ->
                request.setHeader(HttpHeaders.AUTHORIZATION, authorization));
  }

  /**
   * Whatever fails before TLS is there, such as a connection that is cut or times out, fails as a
   * handshake: the request has not been sent.
   */
  private static TlsSocketStrategy convertTlsFailures(TlsSocketStrategy tls) {
    return (socket, target, port, attachment, context) -> {
      try {
        return tls.upgrade(socket, target, port, attachment, context);
      } catch (SSLHandshakeException | SSLPeerUnverifiedException e) {
        throw e;
      } catch (IOException e) {
        SSLHandshakeException handshakeFailure =
            new SSLHandshakeException(ErrorMessages.singleLine(e));
        handshakeFailure.initCause(e);
        throw handshakeFailure;
      }
    };
  }
}
