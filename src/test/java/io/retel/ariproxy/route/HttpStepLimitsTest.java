// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import io.retel.ariproxy.timer.SharedTimer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPOutputStream;
import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.camel.component.http.HttpComponent;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.apache.camel.impl.DefaultCamelContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** Responses of servers that HTTP steps of routes call. */
class HttpStepLimitsTest {

  private static final byte[] BLOCK = new byte[65_536];
  private static final long MAX_SENT = 200_000_000;

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final AtomicLong sent = new AtomicLong();
  private volatile boolean closed;
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.start();
    context.disableJMX();
    HttpStepLimits.install(context);
    context.start();
  }

  @AfterEach
  void stop() {
    context.stop();
    server.stop(0);
    threads.shutdownNow();
  }

  @Test
  void passesResponsesOfOneConnectionOfEachEndpoint() {
    Set<Integer> connections = ConcurrentHashMap.newKeySet();
    serve(
        exchange -> {
          connections.add(exchange.getRemoteAddress().getPort());
          respond(exchange, new byte[HttpStepLimits.MAX_BODY_BYTES]);
        });
    for (String options :
        new String[] {"", "", "&ignoreResponseBody=true", "&ignoreResponseBody=true"}) {
      byte[] body = request(options);
      if (options.isEmpty()) {
        assertThat(body).hasSize(HttpStepLimits.MAX_BODY_BYTES);
      }
    }
    assertThat(connections).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "&ignoreResponseBody=true"})
  void endlessBodyIsNotRead(String options) {
    serve(this::respondWithoutEnd);
    assertTooLarge(options);
    awaitClosedConnection();
  }

  @Test
  void endlessErrorIsNotRead() {
    serve(
        exchange -> {
          exchange.sendResponseHeaders(500, 0);
          writeWithoutEnd(exchange.getResponseBody());
        });
    assertTooLarge("");
    awaitClosedConnection();
  }

  @Test
  void endlessSerializedObjectIsNotRead() {
    serve(
        exchange -> {
          exchange.getResponseHeaders().add("Content-Type", "application/x-java-serialized-object");
          respondWithoutEnd(exchange);
        });
    assertTooLarge("");
    awaitClosedConnection();
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "x-gzip", "xgzip", "GZIP, xgzip", "gzip, gzip", "deflate", "br"})
  void compressedBodyIsNotDecompressed(String coding) throws IOException {
    byte[] compressed = compressed(1_000);
    Set<String> accepted = ConcurrentHashMap.newKeySet();
    serve(
        exchange -> {
          accepted.addAll(exchange.getRequestHeaders().get("Accept-Encoding"));
          exchange.getResponseHeaders().add("Content-Encoding", coding);
          respond(exchange, compressed);
        });
    assertThatThrownBy(() -> request(""))
        .rootCause()
        .hasMessage("the response has a Content-Encoding, which was not requested");
    assertThat(accepted).containsExactly("identity");
  }

  /** To close a response reads its rest, unless its connection is closed before. */
  @Test
  void compressedBodyIsNotReadToItsEnd() {
    serve(
        exchange -> {
          exchange.getResponseHeaders().add("Content-Encoding", "gzip");
          respondWithoutEnd(exchange);
        });
    assertThatThrownBy(() -> request(""))
        .rootCause()
        .hasMessage("the response has a Content-Encoding, which was not requested");
    awaitClosedConnection();
  }

  @ParameterizedTest
  @ValueSource(strings = {"utf-8", "none", "", "aws-chunked", "identity, identity", "uncompressed"})
  void codingThatIsNotCompressionIsIgnored(String coding) {
    serve(
        exchange -> {
          exchange.getResponseHeaders().add("Content-Encoding", coding);
          respond(exchange, new byte[3]);
        });
    assertThat(request("")).hasSize(3);
  }

  @Test
  void codingWithoutBodyIsIgnored() {
    serve(
        exchange -> {
          exchange.getResponseHeaders().add("Content-Encoding", "gzip");
          exchange.sendResponseHeaders(204, -1);
          exchange.close();
        });
    assertThat(request("")).isNullOrEmpty();
  }

  @Test
  void compressedErrorKeepsItsStatus() {
    serve(
        exchange -> {
          exchange.getResponseHeaders().add("Content-Encoding", "gzip");
          exchange.sendResponseHeaders(503, 0);
          writeWithoutEnd(exchange.getResponseBody());
        });
    assertThatThrownBy(() -> request(""))
        .cause()
        .isInstanceOf(HttpOperationFailedException.class)
        .hasMessageContaining("503");
    awaitClosedConnection();
  }

  /** HttpClient would keep them for good, of any number and size, and send all of them. */
  @Test
  void cookiesAreNotStored() {
    List<String> cookies = new CopyOnWriteArrayList<>();
    serve(
        exchange -> {
          cookies.addAll(exchange.getRequestHeaders().getOrDefault("Cookie", List.of()));
          exchange.getResponseHeaders().add("Set-Cookie", "a=b");
          respond(exchange, new byte[1]);
        });
    request("");
    request("");
    assertThat(cookies).isEmpty();
  }

  /** Their values can be secrets, of 8 KB each, up to 100 in a response. */
  @ParameterizedTest
  @ValueSource(strings = {"a=secret; domain=other.example", "a=secret; expires=never"})
  void unsuitableCookiesAreNotLogged(String cookie) {
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    Logger logger = (Logger) LoggerFactory.getLogger("org.apache.hc");
    lines.start();
    logger.addAppender(lines);
    try {
      serve(
          exchange -> {
            exchange.getResponseHeaders().add("Set-Cookie", cookie);
            respond(exchange, new byte[1]);
          });
      request("");
    } finally {
      logger.detachAppender(lines);
    }
    assertThat(lines.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .noneMatch(line -> line.contains("secret"));
  }

  @Test
  void drippingBodyHasDeadline() {
    limitTime();
    serve(
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          while (true) {
            exchange.getResponseBody().write(0);
            exchange.getResponseBody().flush();
            sleep();
          }
        });
    assertThatThrownBy(() -> request("")).rootCause().hasMessageContaining("not complete after");
  }

  @Test
  void silentServerHasDeadline() {
    limitTime();
    AtomicInteger requests = new AtomicInteger();
    serve(
        exchange -> {
          requests.incrementAndGet();
          while (true) {
            sleep();
          }
        });
    assertThatThrownBy(() -> request("")).rootCause().hasMessageContaining("not complete after");
    assertThat(requests).as("not repeated").hasValue(1);
  }

  @Test
  void serverCannotDelayRepetition() {
    AtomicInteger requests = new AtomicInteger();
    serve(
        exchange -> {
          requests.incrementAndGet();
          exchange.getResponseHeaders().add("Retry-After", "99999999");
          exchange.sendResponseHeaders(503, -1);
          exchange.close();
        });
    assertThatThrownBy(() -> request(""))
        .cause()
        .isInstanceOf(HttpOperationFailedException.class)
        .hasMessageContaining("503");
    assertThat(requests).hasValue(1);
  }

  @Test
  void endpointCanHaveItsOwnConfigurer() {
    context.getRegistry().bind("own", (HttpClientConfigurer) client -> {});
    serve(exchange -> respond(exchange, new byte[HttpStepLimits.MAX_BODY_BYTES + 1]));
    assertThat(request("&httpClientConfigurer=#own")).hasSize(HttpStepLimits.MAX_BODY_BYTES + 1);
  }

  private void limitTime() {
    context
        .getComponent("http", HttpComponent.class)
        .setHttpClientConfigurer(
            new HttpStepLimits(SharedTimer.of(context), Duration.ofMillis(300)));
  }

  private void assertTooLarge(String options) {
    assertThatThrownBy(() -> request(options))
        .rootCause()
        .hasMessage("the response has more than 1048576 bytes");
  }

  private void awaitClosedConnection() {
    Awaitility.await("the connection is closed").until(() -> closed);
    assertThat(sent.get()).isLessThan(MAX_SENT);
  }

  private static byte[] compressed(int length) throws IOException {
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
      for (int rest = length; rest > 0; rest -= BLOCK.length) {
        gzip.write(BLOCK, 0, Math.min(rest, BLOCK.length));
      }
    }
    return compressed.toByteArray();
  }

  private byte[] request(String options) {
    return context
        .createFluentProducerTemplate()
        .to(
            "http://127.0.0.1:"
                + server.getAddress().getPort()
                + "/?httpMethod=GET&httpClient.responseTimeout=60000"
                + options)
        .request(byte[].class);
  }

  private void serve(HttpHandler handler) {
    server.createContext("/", handler);
  }

  private static void respond(HttpExchange exchange, byte[] body) throws IOException {
    exchange.sendResponseHeaders(200, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private void respondWithoutEnd(HttpExchange exchange) throws IOException {
    exchange.sendResponseHeaders(200, 0);
    writeWithoutEnd(exchange.getResponseBody());
  }

  /** Writes until the client closes the connection. */
  private void writeWithoutEnd(OutputStream body) throws IOException {
    try {
      while (sent.addAndGet(BLOCK.length) < MAX_SENT) {
        body.write(BLOCK);
      }
    } finally {
      closed = true;
    }
  }

  private static void sleep() throws IOException {
    try {
      TimeUnit.MILLISECONDS.sleep(20);
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }
}
