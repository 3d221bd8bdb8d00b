// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.error.ErrorMessages;
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
 * The HTTP client for ARI: one request on the wire per command.
 *
 * <p>Sets the password as a request header, not as an endpoint option, so it never appears in a
 * URI, route dump or JMX attribute. Asterisk closes a connection after 15 s idle (measured on 16.28
 * and 22.10.1). The pool evicts connections earlier, since a request on a closed connection has an
 * unknown outcome.
 */
public final class AriHttpClient implements HttpClientConfigurer {

  private static final TimeValue MAX_IDLE_TIME = TimeValue.ofSeconds(10);

  /** Idle time after which a connection is validated before use; validation costs up to 1 ms. */
  private static final TimeValue VALIDATE_AFTER_INACTIVITY = TimeValue.ofMilliseconds(100);

  private final String authorization;
  private final TlsSocketStrategy tls;
  private final int maxConnections;
  private final Timeout connectTimeout;
  private final Timeout responseTimeout;
  private final RequestMetricsInterceptor requestMetrics;

  /**
   * @param tls trusted certificates if ARI's url is https; the host name is verified as well
   * @param maxConnections maximum number of concurrent requests
   * @param connectTimeoutMs timeout for connecting, and for waiting for a free connection
   * @param responseTimeoutMs timeout for a response
   * @param basePath the path of ari.url
   * @param meters registry for the request metrics
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
        // a retry would send a request twice: a POST after a 503, or a GET, PUT or DELETE after a
        // lost connection
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
   * Reports every failure before TLS is established (lost connection, timeout) as a handshake
   * failure: the request has not been sent.
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
