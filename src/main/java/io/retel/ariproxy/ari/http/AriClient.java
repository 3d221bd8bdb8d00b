// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpStatus;
import org.apache.hc.core5.http.io.HttpClientResponseHandler;
import org.apache.hc.core5.http.io.entity.StringEntity;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * Client for the proxy's own requests, whose responses together are limited in size. Thread-safe.
 */
public final class AriClient implements AutoCloseable {

  /**
   * Limit of the bodies that are being read, of all requests together: a 128th of the heap, since
   * parsing multiplies them.
   */
  private static final long MAX_BODY_BYTES = Runtime.getRuntime().maxMemory() / 128;

  /** Limit of a list that is read as it arrives: some 60,000 channels. */
  public static final long MAX_LIST_BYTES = 64L << 20;

  private static final int BUFFER_BYTES = 8_192;

  private final CloseableHttpClient client;
  private final RequestConfig config;
  private final URI url;
  private final RequestLimit limit;

  /** Requests to cancel on close: the pool of connections is shared, and remains open. */
  private final Set<HttpUriRequestBase> requests = ConcurrentHashMap.newKeySet();

  private final AtomicLong bodyBytes = new AtomicLong();
  private volatile boolean closed;

  /** Reads the body of a response with status 200, as it arrives. */
  @FunctionalInterface
  public interface BodyReader {
    void read(InputStream body) throws IOException;
  }

  /** A response of Asterisk. */
  public record Response(int status, String body) {}

  /**
   * @param url ARI's base URL
   */
  public AriClient(AriHttpClient configurer, URI url) {
    this(configurer, url, new RequestLimit(Integer.MAX_VALUE));
  }

  /**
   * @param url ARI's base URL
   * @param limit of several clients
   */
  public AriClient(AriHttpClient configurer, URI url, RequestLimit limit) {
    this(configurer, url, limit, configurer.requestConfig());
  }

  private AriClient(AriHttpClient configurer, URI url, RequestLimit limit, RequestConfig config) {
    HttpClientBuilder builder = HttpClientBuilder.create();
    configurer.configureHttpClient(builder);
    this.client = builder.build();
    this.url = url;
    this.limit = limit;
    this.config = config;
  }

  /**
   * Returns a client that waits for each response until Asterisk closes the connection, or until it
   * is closed; for 10 minutes at most, since the name of Asterisk can have moved to another host.
   *
   * @param url ARI's base URL
   * @param limit of several clients
   */
  public static AriClient withLongTimeout(AriHttpClient configurer, URI url, RequestLimit limit) {
    return new AriClient(
        configurer,
        url,
        limit,
        RequestConfig.copy(configurer.requestConfig())
            .setResponseTimeout(Timeout.ofMinutes(10))
            .build());
  }

  /**
   * Sends a request and waits for the response.
   *
   * @param path relative to ARI's base URL, encoded, with its query
   * @param json the body, or null for none
   * @throws IOException also after {@link #close}
   */
  public Response send(String method, String path, @Nullable String json) throws IOException {
    return send(method, path, json, MAX_BODY_BYTES);
  }

  /**
   * Sends a request and waits for the response.
   *
   * @param path relative to ARI's base URL, encoded, with its query
   * @param json the body, or null for none
   * @param maxBytes limit of the response's body
   * @throws IOException also after {@link #close}
   */
  public Response send(String method, String path, @Nullable String json, long maxBytes)
      throws IOException {
    HttpUriRequestBase request = new HttpUriRequestBase(method, URI.create(url + path));
    if (json != null) {
      request.setEntity(new StringEntity(json, ContentType.APPLICATION_JSON));
    }
    return limit.request(() -> execute(request, response -> read(response, maxBytes)));
  }

  /**
   * Sends a GET and reads its body as it arrives, of which nothing is kept.
   *
   * @param path relative to ARI's base URL, encoded, with its query
   * @param maxBytes limit of the body
   * @return the status
   * @throws IOException also of the reader, and after {@link #close}
   */
  public int read(String path, long maxBytes, BodyReader reader) throws IOException {
    return limit.request(() -> readNow(path, maxBytes, reader));
  }

  /** Reads a list, while no other one is requested; as {@link #read} otherwise. */
  public int readList(String path, long maxBytes, BodyReader reader) throws IOException {
    return limit.list(() -> read(path, maxBytes, reader));
  }

  private int readNow(String path, long maxBytes, BodyReader reader) throws IOException {
    return execute(
        new HttpUriRequestBase("GET", URI.create(url + path)),
        response -> {
          HttpEntity entity = response.getEntity();
          if (entity != null) {
            // of a body that is closed before its end nothing more is read
            try (InputStream body =
                new LimitedInputStream(entity.getContent(), maxBytes, "the response")) {
              if (response.getCode() == HttpStatus.SC_OK) {
                reader.read(body);
              }
              // to use the connection again
              body.transferTo(OutputStream.nullOutputStream());
            } catch (TooLargeException e) {
              if (response.getCode() == HttpStatus.SC_OK) {
                throw e;
              }
              // the status is enough
            }
          }
          return response.getCode();
        });
  }

  private <T> T execute(HttpUriRequestBase request, HttpClientResponseHandler<T> handler)
      throws IOException {
    request.setConfig(config);
    requests.add(request);
    try {
      if (closed) {
        request.cancel();
      }
      return client.execute(request, handler);
    } finally {
      requests.remove(request);
    }
  }

  /** Returns whether nothing reached Asterisk. */
  public static boolean isConnectFailure(Exception failure) {
    return ConnectFailures.includes(failure);
  }

  private Response read(ClassicHttpResponse response, long maxBytes) throws IOException {
    HttpEntity entity = response.getEntity();
    if (entity == null) {
      return new Response(response.getCode(), "");
    }
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    try (InputStream content =
        new LimitedInputStream(entity.getContent(), maxBytes, "the response")) {
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int count = content.read(buffer); count >= 0; count = content.read(buffer)) {
        body.write(buffer, 0, count);
        if (bodyBytes.addAndGet(count) > MAX_BODY_BYTES) {
          throw new IOException("responses have more than " + MAX_BODY_BYTES + " bytes");
        }
      }
      return new Response(response.getCode(), body.toString(StandardCharsets.UTF_8));
    } catch (TooLargeException e) {
      if (response.getCode() == HttpStatus.SC_OK) {
        throw e;
      }
      // the status is enough, such as of a 404
      return new Response(response.getCode(), "");
    } finally {
      bodyBytes.addAndGet(-body.size());
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
