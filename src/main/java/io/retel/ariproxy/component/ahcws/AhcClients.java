// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.asynchttpclient.Dsl.asyncHttpClient;
import static org.asynchttpclient.Dsl.config;

import io.netty.channel.Channel;
import io.netty.util.Timer;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.support.jsse.SSLContextParameters;
import org.asynchttpclient.AsyncHttpClient;
import org.asynchttpclient.BoundRequestBuilder;
import org.asynchttpclient.DefaultAsyncHttpClientConfig;
import org.asynchttpclient.SslEngineFactory;
import org.asynchttpclient.channel.NoopChannelPool;
import org.asynchttpclient.netty.ssl.JsseSslEngineFactory;

/**
 * Factory of a websocket's HTTP client: one thread, no retries, redirects, cookies or idle
 * connections.
 */
final class AhcClients {

  private static final String AUTHORIZATION = "Authorization";

  private static final Duration AFTER_CONNECT_TIMEOUT = Duration.ofMillis(200);

  private AhcClients() {}

  /**
   * @param threads creates the thread of the client
   * @param timer runs its timeouts
   * @param channelInitializer receives the channel of each new connection on Netty's thread, before
   *     anything is sent
   */
  static AsyncHttpClient create(
      URI uri,
      AhcWsConfiguration configuration,
      CamelContext camelContext,
      ThreadFactory threads,
      Timer timer,
      Consumer<Channel> channelInitializer)
      throws GeneralSecurityException, IOException {
    Duration connectTimeout = Duration.ofMillis(configuration.getConnectTimeout());
    DefaultAsyncHttpClientConfig.Builder builder =
        config()
            .setThreadFactory(threads)
            .setIoThreadsCount(1)
            .setNettyTimer(timer)
            // the default one looks for idle connections ten times a second
            .setChannelPool(NoopChannelPool.INSTANCE)
            .setConnectTimeout(connectTimeout)
            // Netty's timeout of the connect has a clearer reason
            .setRequestTimeout(connectTimeout.plus(AFTER_CONNECT_TIMEOUT))
            .setReadTimeout(connectTimeout.plus(AFTER_CONNECT_TIMEOUT))
            .setMaxRequestRetry(0)
            // 3.0.2 has a known weakness with authorization headers on redirects
            .setFollowRedirect(false)
            .setCookieStore(null)
            .setWebSocketMaxFrameSize(configuration.getMaxMessageSize())
            // aggregate as bytes, since a fragment may end in the middle of a character
            .setAggregateWebSocketFrameFragments(true)
            .setWebSocketMaxBufferSize(configuration.getMaxMessageSize())
            .setShutdownQuietPeriod(Duration.ZERO)
            .setShutdownTimeout(Duration.ofSeconds(2))
            .setWsAdditionalChannelInitializer(channelInitializer);
    if (configuration.getSslContextParameters() != null) {
      SSLContextParameters tls = configuration.getSslContextParameters();
      // fails now if it is unusable
      tls.createSSLContext(camelContext);
      builder.setSslEngineFactory(
          (client, host, port) ->
              engineFactory(tls, camelContext).newSslEngine(client, host, port));
    }
    return asyncHttpClient(builder);
  }

  /** Returns a factory for one attempt to connect, since certificates can have been replaced. */
  private static SslEngineFactory engineFactory(
      SSLContextParameters tls, CamelContext camelContext) {
    try {
      return new JsseSslEngineFactory(tls.createSSLContext(camelContext));
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Returns the upgrade request. Basic authentication is a plain header: a realm would send the
   * password repeatedly, and a URL could expose it.
   */
  static BoundRequestBuilder upgradeRequest(
      AsyncHttpClient client, URI uri, AhcWsConfiguration configuration) {
    BoundRequestBuilder request =
        client.prepareGet(uri.toString()).setNameResolver(OneFamilyNameResolver.INSTANCE);
    if (configuration.getUsername() == null) {
      configuration
          .getAuthorization()
          .apply(uri)
          .ifPresent(authorization -> request.setHeader(AUTHORIZATION, authorization));
    } else {
      String password = configuration.getPassword() == null ? "" : configuration.getPassword();
      byte[] credentials =
          (configuration.getUsername() + ":" + password).getBytes(StandardCharsets.UTF_8);
      request.setHeader(AUTHORIZATION, "Basic " + Base64.getEncoder().encodeToString(credentials));
    }
    return request;
  }
}
