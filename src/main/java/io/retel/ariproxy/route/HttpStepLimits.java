// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.timer.SharedTimer;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.Component;
import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.camel.component.http.HttpComponent;
import org.apache.camel.support.LifecycleStrategySupport;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpStatus;
import org.jspecify.annotations.Nullable;

/**
 * Limits the responses of HTTP steps in time and bytes, since Camel reads them into the heap. For
 * each endpoint of {@code http} and {@code https} that has no {@code httpClientConfigurer}.
 * Thread-safe.
 *
 * <p>The client reads a response completely ({@link CompleteBody}) before Camel gets it: Camel
 * replaces the message before it reads the body, so that a failure would lose the message.
 *
 * <p>The client keeps no cookies: HttpClient would keep them of all responses, without a limit, and
 * log each that it rejects. It does not decompress: HttpClient would do so as often as the server
 * lists a coding, during which neither bytes nor time are limited.
 *
 * <p>The client sends a request once; Camel's error handlers can repeat the step. HttpClient itself
 * would repeat any request after a 503, at the time that the server chooses.
 */
public final class HttpStepLimits implements HttpClientConfigurer {

  /** Of a body, in bytes. */
  static final int MAX_BODY_BYTES = 1 << 20;

  /** Of a request with its complete response, from the wait for a connection on. */
  private static final Duration MAX_TIME = Duration.ofSeconds(60);

  /** No coding of a body. */
  private static final String IDENTITY = "identity";

  private static final Pattern COMPRESSION =
      Pattern.compile("gzip|deflate|zstd|\\b(compress|br)\\b", Pattern.CASE_INSENSITIVE);

  private final ScheduledExecutorService timer;
  private final Duration maxTime;

  HttpStepLimits(ScheduledExecutorService timer, Duration maxTime) {
    this.timer = timer;
    this.maxTime = maxTime;
  }

  /** Sets the limits of all routes; call it before HTTP components exist. */
  public static void install(CamelContext context) {
    HttpStepLimits limits = new HttpStepLimits(SharedTimer.of(context), MAX_TIME);
    context.addLifecycleStrategy(
        new LifecycleStrategySupport() {
          @Override
          public void onComponentAdd(String name, Component component) {
            // as it is added: to create one takes tenths of a second
            if (component instanceof HttpComponent http && http.getHttpClientConfigurer() == null) {
              http.setHttpClientConfigurer(limits);
            }
          }
        });
  }

  @Override
  public void configureHttpClient(HttpClientBuilder client) {
    client
        .disableAutomaticRetries()
        .disableCookieManagement()
        .disableContentCompression()
        .addExecInterceptorFirst("limits", this::execute);
  }

  private ClassicHttpResponse execute(
      ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
      throws IOException, HttpException {
    // not to send it would permit any coding (RFC 9110, 12.5.3)
    request.setHeader(HttpHeaders.ACCEPT_ENCODING, IDENTITY);
    Deadline deadline = new Deadline((CancellableDependency) scope.originalRequest);
    deadline.start();
    try {
      ClassicHttpResponse response = chain.proceed(request, scope);
      readBody(response, deadline);
      return response;
    } catch (IOException e) {
      throw deadline.explain(e);
    } finally {
      deadline.end();
    }
  }

  private static void readBody(ClassicHttpResponse response, Deadline deadline) throws IOException {
    try {
      refuseCompressedBody(response, deadline);
      CompleteBody.read(response, MAX_BODY_BYTES);
    } catch (IOException | RuntimeException e) {
      close(response, deadline, e);
      throw e;
    }
  }

  /**
   * Camel decompresses what contains gzip, without a limit. An error retains its status.
   *
   * @throws IOException unless it is an error
   */
  private static void refuseCompressedBody(ClassicHttpResponse response, Deadline deadline)
      throws IOException {
    if (response.getEntity() == null || !isCompressed(response)) {
      return;
    }
    IOException refusal =
        new IOException("the response has a Content-Encoding, which was not requested");
    if (response.getCode() < HttpStatus.SC_MULTIPLE_CHOICES) {
      throw refusal;
    }
    close(response, deadline, refusal);
    response.removeHeaders(HttpHeaders.CONTENT_ENCODING);
    response.setEntity(null);
  }

  private static boolean isCompressed(ClassicHttpResponse response) {
    return Arrays.stream(response.getHeaders(HttpHeaders.CONTENT_ENCODING))
        .anyMatch(coding -> COMPRESSION.matcher(String.valueOf(coding.getValue())).find());
  }

  /** Closes the connection first: otherwise to close the response reads the rest of it. */
  private static void close(ClassicHttpResponse response, Deadline deadline, Exception failure) {
    deadline.abort();
    try {
      response.close();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  /** The end of an exchange. Its cancellation is final, and does not wait for the server. */
  private final class Deadline {

    private final CancellableDependency request;
    private @Nullable Future<?> expiry;
    private volatile boolean expired;

    Deadline(CancellableDependency request) {
      this.request = request;
    }

    void start() {
      expiry = timer.schedule(this::expire, maxTime.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void expire() {
      expired = true;
      request.cancel();
    }

    /** Closes the connection: to use it again, the client would read the rest of the response. */
    void abort() {
      request.cancel();
    }

    void end() {
      if (expiry != null) {
        expiry.cancel(false);
      }
    }

    /** Returns the reason of a failure: the client only reports that the socket is closed. */
    IOException explain(IOException failure) {
      return expired
          ? new SocketTimeoutException(
              "the response is not complete after " + maxTime.toMillis() + " ms")
          : failure;
    }
  }
}
