// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.StringEntity;
import org.apache.hc.core5.io.CloseMode;
import org.jspecify.annotations.Nullable;

/**
 * Client for the proxy's own requests: each ends within a timeout, even if Asterisk responds byte
 * by byte, and a response is limited in size. Thread-safe.
 */
public final class AriClient implements AutoCloseable {

  /** The largest response: a sixteenth of the heap. */
  private static final int MAX_RESPONSE_BYTES =
      (int) Math.min(Integer.MAX_VALUE - 1, Runtime.getRuntime().maxMemory() / 16);

  private final CloseableHttpClient client;
  private final URI url;
  private final Duration timeout;
  private final ScheduledExecutorService timer;

  /** Requests to cancel on close: the pool of connections is shared, and remains open. */
  private final Set<HttpUriRequestBase> requests = ConcurrentHashMap.newKeySet();

  private volatile boolean closed;

  /** A response of Asterisk. */
  public record Response(int status, String body) {}

  /**
   * @param url ARI's base URL
   * @param timeout for a complete response
   * @param timer cancels requests at the timeout
   */
  public AriClient(
      AriHttpClient configurer, URI url, Duration timeout, ScheduledExecutorService timer) {
    HttpClientBuilder builder = HttpClientBuilder.create();
    configurer.configureHttpClient(builder);
    this.client = builder.build();
    this.url = url;
    this.timeout = timeout;
    this.timer = timer;
  }

  /**
   * Sends a request and waits for the response.
   *
   * @param path relative to ARI's base URL, encoded, with its query
   * @param json the body, or null for none
   * @throws IOException also after {@link #close}
   */
  public Response send(String method, String path, @Nullable String json) throws IOException {
    HttpUriRequestBase request = new HttpUriRequestBase(method, URI.create(url + path));
    if (json != null) {
      request.setEntity(new StringEntity(json, ContentType.APPLICATION_JSON));
    }
    ScheduledFuture<?> cancellation =
        timer.schedule(request::cancel, timeout.toMillis(), TimeUnit.MILLISECONDS);
    requests.add(request);
    try {
      if (closed) {
        request.cancel();
      }
      return client.execute(request, AriClient::read);
    } catch (IOException e) {
      if (cancellation.isDone()) {
        SocketTimeoutException timedOut =
            new SocketTimeoutException("no complete response within " + timeout.toMillis() + " ms");
        timedOut.initCause(e);
        throw timedOut;
      }
      throw e;
    } finally {
      requests.remove(request);
      cancellation.cancel(false);
    }
  }

  /** Returns whether nothing reached Asterisk. */
  public static boolean isConnectFailure(Exception failure) {
    return ConnectFailures.includes(failure);
  }

  private static Response read(ClassicHttpResponse response) throws IOException {
    HttpEntity entity = response.getEntity();
    if (entity == null) {
      return new Response(response.getCode(), "");
    }
    try (InputStream content = entity.getContent()) {
      byte[] body = content.readNBytes(MAX_RESPONSE_BYTES);
      if (body.length == MAX_RESPONSE_BYTES) {
        throw new IOException("response has " + MAX_RESPONSE_BYTES + " bytes or more");
      }
      return new Response(response.getCode(), new String(body, StandardCharsets.UTF_8));
    }
  }

  /** Aborts all requests. */
  @Override
  public void close() {
    closed = true;
    requests.forEach(HttpUriRequestBase::cancel);
    client.close(CloseMode.IMMEDIATE);
  }
}
