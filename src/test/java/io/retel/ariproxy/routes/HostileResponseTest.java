// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.ari.http.AriHttpClient;
import io.retel.ariproxy.ari.http.AriLogin;
import io.retel.ariproxy.ari.http.TlsNotEstablishedException;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.RawHttpServer;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A peer that sends forever, slowly or fast, is cut off: in time, and after a bounded number of
 * bytes. Its responses would end by themselves after 20 s or 256 MB.
 */
class HostileResponseTest {

  private static final int DRIPS = 200;
  private static final int DRIP_DELAY_MS = 100;
  private static final long FLOOD_BYTES = 256L << 20;

  /** A limit of the proxy, and what the buffers of the sockets take. */
  private static final long SMALL = 16L << 20;

  private static final long LARGE = 100L << 20;
  private static final String TIMEOUT = "700ms";

  /** More than the idle time after which a connection is validated. */
  private static final int IDLE_MS = 200;

  private static final int MORE_THAN_CONNECTIONS = 12;

  private static final String MALFORMED = "error at offset ";
  private static final String OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

  private RawHttpServer server;
  private RoutesUnderTest routes;
  private AriHttpClient httpClient;

  @AfterEach
  void stop() throws Exception {
    server.close();
    if (routes != null) {
      routes.close();
    }
    if (httpClient != null) {
      httpClient.pool().stop();
    }
  }

  static Stream<Arguments> drips() {
    return Stream.of(
        Arguments.of("status line", "", "H"),
        Arguments.of("header line", OK + "X: ", "x"),
        Arguments.of("header lines", OK, "X: x\r\n"),
        Arguments.of("body", OK + "Content-Length: 1000\r\n\r\n", "1"),
        Arguments.of("chunks", OK + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n1\r\n"),
        Arguments.of("body until close", OK + "\r\n", "1"),
        Arguments.of("100 Continue", "", "HTTP/1.1 100 Continue\r\n\r\n"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("drips")
  void drippingResponseYields504(String name, String start, String drip) throws Exception {
    startRoutes(Map.of(Setting.ARI_RESPONSE_TIMEOUT, TIMEOUT), out -> drip(out, start, drip));

    Response response = responseTo("POST");

    response.assertStatus(504);
    assertThat(response.outcome()).isEqualTo("unknown");
    assertThat(server.requests()).hasSize(1);
    assertThat(server.endedResponses()).isZero();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("drips")
  void drippingPingYields503(String name, String start, String drip) throws Exception {
    startRoutes(
        Map.of(Setting.ARI_CONNECT_TIMEOUT, TIMEOUT, Setting.COMMANDS_MAX_RETRIES, "0"),
        out -> drip(out, start, drip));
    server.answerNoPings();

    Response response = responseTo("POST");

    response.assertStatus(503);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(server.requests()).containsOnly("GET /ari/asterisk/ping HTTP/1.1");
    assertThat(server.endedResponses()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"HELLO\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 ok 200\r\n\r\n", "x"})
  void malformedStatusLineIsReportedAsSuch(String text) throws Exception {
    startRoutes(Map.of(), out -> writeAndClose(out, text));
    assertThat(responseTo("POST").toString()).contains(MALFORMED);
  }

  @ParameterizedTest
  @ValueSource(strings = {"000", "-1"})
  void statusThatHttpDoesNotHaveIsMalformed(String status) throws Exception {
    startRoutes(
        Map.of(Setting.COMMANDS_MAX_RETRIES, "0"),
        out -> writeAndClose(out, "HTTP/1.1 " + status + " x\r\n\r\n"));
    Response response = responseTo("POST");
    response.assertStatus(504);
    assertThat(response.toString()).contains("invalid status");
  }

  /** Java takes stack for each of them. */
  @Test
  void compressedBodyOfEmptyPartsIsMalformed() throws Exception {
    byte[] empty = gzip("");
    startRoutes(
        Map.of(),
        out -> {
          out.write(
              RawHttpServer.bytes(
                  OK
                      + "Content-Encoding: gzip\r\nContent-Length: "
                      + 10_000 * empty.length
                      + "\r\n\r\n"));
          for (int i = 0; i < 10_000; i++) {
            out.write(empty);
          }
        });

    Response response = responseTo("POST");

    response.assertStatus(504);
    assertThat(response.toString()).contains("compressed response has more than 100 empty parts");
  }

  @Test
  void compressedBodyCanHaveSeveralParts() throws Exception {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (String part : new String[] {"[1", "", "", ",2]"}) {
      body.write(gzip(part));
    }
    startRoutes(
        Map.of(),
        out -> {
          out.write(
              RawHttpServer.bytes(
                  OK + "Content-Encoding: gzip\r\nContent-Length: " + body.size() + "\r\n\r\n"));
          out.write(body.toByteArray());
        });
    assertThat(responseTo("GET").toString()).contains("[1,2]");
  }

  /** More of them than the pool has connections for commands and the proxy itself. */
  @ParameterizedTest
  @ValueSource(ints = {0, 0x1f8b0000, 0x1f8b0800})
  void malformedCompressedBodiesTakeNoConnections(int head) throws Exception {
    AtomicInteger responses = new AtomicInteger();
    startRoutes(
        Map.of(Setting.COMMANDS_MAX_CONCURRENCY, "1", Setting.ARI_CONNECT_TIMEOUT, TIMEOUT),
        out -> {
          if (responses.getAndIncrement() < MORE_THAN_CONNECTIONS) {
            out.write(
                RawHttpServer.bytes(OK + "Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\n"));
            out.write(ByteBuffer.allocate(8).putInt(head).array());
          } else {
            out.write(RawHttpServer.bytes(OK + "Content-Length: 2\r\n\r\n{}"));
          }
        });
    for (int i = 0; i < MORE_THAN_CONNECTIONS; i++) {
      responseTo("GET").assertStatus(504);
      routes.reset();
    }
    responseTo("GET").assertStatus(200);
  }

  private static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(RawHttpServer.bytes(text));
    }
    return bytes.toByteArray();
  }

  /** HttpClient would start TLS; its failure would count as a request that was not sent. */
  @ParameterizedTest
  @ValueSource(strings = {"TLS/1.2", "websocket"})
  void commandIsSentOnceIfAsteriskSwitchesProtocols(String protocol) throws Exception {
    startRoutes(
        Map.of(),
        out ->
            writeAndClose(
                out,
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "
                    + protocol
                    + "\r\n\r\nnot TLS"));

    Response response = responseTo("POST");

    response.assertStatus(504);
    assertThat(response.outcome()).isEqualTo("unknown");
    assertThat(server.requests()).filteredOn(request -> request.startsWith("POST")).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-2000000000", "99999999999999999999999", "x", "20000", "999999999"})
  void lengthOfChunkedBodyIsIgnored(String length) throws Exception {
    String chunk = "7530\r\n" + "1".repeat(30_000) + "\r\n";
    startRoutes(
        Map.of(Setting.ARI_MAX_RESPONSE_BODY, "64KB"),
        out ->
            writeAndClose(
                out,
                OK
                    + "Content-Length: "
                    + length
                    + "\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + chunk
                    + "0\r\n\r\n"));
    responseTo("POST").assertStatus(200);
  }

  /** Not as a refusal at Asterisk's sessionlimit. */
  @ParameterizedTest
  @CsvSource({"HELLO, " + MALFORMED, "HTTP/1.1 000 x, invalid status"})
  void malformedStatusLineOfPingIsReportedAsSuch(String line, String problem) throws Exception {
    startRoutes(
        Map.of(Setting.COMMANDS_MAX_RETRIES, "0"), out -> writeAndClose(out, line + "\r\n\r\n"));
    server.answerNoPings();
    Response response = responseTo("POST");
    response.assertStatus(503);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(response.toString()).contains("ping").contains(problem);
  }

  static Stream<Arguments> floods() {
    String line = "x".repeat(8_000);
    return Stream.of(
        Arguments.of("status line", "HTTP/1.1 200 ", line, SMALL),
        Arguments.of("header line", OK + "X: ", line, SMALL),
        Arguments.of("header lines", OK, "X: x\r\n".repeat(1_000), SMALL),
        Arguments.of("empty lines", "", "\r\n".repeat(4_000), SMALL),
        Arguments.of("100 Continue", "", "HTTP/1.1 100 Continue\r\n\r\n".repeat(300), LARGE),
        Arguments.of(
            "chunk extension", OK + "Transfer-Encoding: chunked\r\n\r\n1;" + line, line, SMALL),
        Arguments.of(
            "chunk extensions",
            OK + "Transfer-Encoding: chunked\r\n\r\n",
            "1;" + "x".repeat(7_000) + "\r\n1\r\n",
            SMALL),
        Arguments.of(
            "trailers",
            OK + "Transfer-Encoding: chunked\r\n\r\n0\r\n",
            "X: x\r\n".repeat(1_000),
            SMALL));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("floods")
  void endlessFramingEndsWithoutAnswer(String name, String start, String part, long limit)
      throws Exception {
    startRoutes(Map.of(), out -> flood(out, start, part));

    Response response = responseTo("POST");

    assertThat(response.status()).isIn(413, 504);
    assertThat(server.requests()).hasSize(1);
    assertThat(server.sentBytes()).isLessThan(limit);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 10000000000\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n",
        "\r\n",
        "Transfer-Encoding: chunked\r\n\r\n2540be400\r\n"
      })
  void endlessBodyYields413AndIsNotRead(String headers) throws Exception {
    String part = "1".repeat(0x1000);
    startRoutes(
        Map.of(),
        out ->
            flood(
                out,
                OK + headers,
                headers.endsWith("chunked\r\n\r\n") ? "1000\r\n" + part + "\r\n" : part));

    Response response = responseTo("POST");

    response.assertStatus(413);
    assertThat(response.outcome()).isEqualTo("answered");
    assertThat(server.sentBytes()).isLessThan(SMALL);
  }

  @Test
  void requestThatIsNotReadIsAborted() throws Exception {
    AtomicBoolean closed = new AtomicBoolean();
    server =
        RawHttpServer.start(
            (request, out) -> {
              drip(out, "", "");
              closed.set(true);
            });
    try (AriClient client = client("http")) {
      assertThatThrownBy(() -> client.send("POST", "/x", "1".repeat(32 << 20)))
          .isInstanceOf(IOException.class);
      assertThat(closed).isFalse();
    }
  }

  @Test
  void drippingTlsHandshakeIsNotSent() throws Exception {
    server = RawHttpServer.startWithoutHttp(out -> drip(out, "\26\3\3\77\0\2", "1"));
    try (AriClient client = client("https")) {
      assertThatThrownBy(() -> client.send("POST", "/x", null))
          .isInstanceOf(TlsNotEstablishedException.class);
      assertThat(server.endedResponses()).isZero();
    }
  }

  @Test
  void drippingResponsesDoNotStopOthers() throws Exception {
    server =
        RawHttpServer.start(
            (request, out) -> {
              if (request.contains("/slow")) {
                drip(out, OK + "Content-Length: 1000\r\n\r\n", "1");
              } else {
                out.write(RawHttpServer.bytes("HTTP/1.1 204 No Content\r\n\r\n"));
              }
            });
    start(Map.of(Setting.ARI_RESPONSE_TIMEOUT, TIMEOUT, Setting.COMMANDS_MAX_CONCURRENCY, "1"));
    routes.sendCommand("{'callContext':'slow','ariCommand':{'method':'POST','url':'/slow'}}");
    routes.awaitResponse();
    routes.response().assertStatus(504);
    routes.reset();

    responseTo("POST").assertStatus(204);
  }

  /** The requests of a resync, concurrently. */
  @Test
  void endlessBodyOfOwnRequestIsCutOff() throws Exception {
    server = RawHttpServer.start((request, out) -> flood(out, OK + "\r\n", "[".repeat(8_000)));
    try (AriClient client = client("http")) {
      assertThatThrownBy(() -> client.send("GET", "/channels", null))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("bytes");
      assertThat(server.sentBytes()).isLessThan(SMALL);
    }
  }

  @Test
  void listThatReaderRejectsIsCutOff() throws Exception {
    String chunk = "1f40\r\n" + "[".repeat(8_000) + "\r\n";
    server =
        RawHttpServer.start(
            (request, out) -> flood(out, OK + "Transfer-Encoding: chunked\r\n\r\n", chunk));
    try (AriClient client = client("http")) {
      assertThatThrownBy(
              () ->
                  client.readList(
                      "/channels",
                      Long.MAX_VALUE,
                      body -> {
                        throw new IOException("no list");
                      }))
          .hasMessage("no list");
      assertThat(server.sentBytes()).isLessThan(SMALL);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("drips")
  void drippingResponseToOwnRequestTimesOut(String name, String start, String drip)
      throws Exception {
    server = RawHttpServer.start((request, out) -> drip(out, start, drip));
    try (AriClient client = client("http")) {
      assertThatThrownBy(() -> client.send("GET", "/channels", null))
          .isInstanceOf(IOException.class);
      assertThat(server.endedResponses()).isZero();
    }
  }

  static Stream<Arguments> surplus() {
    String timeout = "HTTP/1.0 408 Request Timeout\r\nConnection: close\r\n\r\n";
    return Stream.of(
        Arguments.of("response", response("/surplus"), false, 0),
        Arguments.of("response before validation", response("/surplus"), false, IDLE_MS),
        Arguments.of("408 and end", timeout, true, 0),
        Arguments.of("408 and end before validation", timeout, true, IDLE_MS),
        Arguments.of("one byte", "x", false, 0));
  }

  /** The response to one call's command would reach the next call. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("surplus")
  void connectionWithSurplusBytesIsNotUsedAgain(
      String name, String surplus, boolean closes, int idleMs) throws Exception {
    server =
        RawHttpServer.start(
            (request, out) -> {
              String path = request.split(" ")[1];
              boolean first = path.endsWith("/first");
              out.write(RawHttpServer.bytes(response(path) + (first ? surplus : "")));
              if (first && closes) {
                throw new IOException("closed");
              }
            });
    try (AriClient client = client("http")) {
      assertThat(client.send("POST", "/first", null).body()).isEqualTo("/ari/first");
      Thread.sleep(idleMs);

      assertThat(client.send("POST", "/second", "{}").body()).isEqualTo("/ari/second");
      assertThat(client.send("POST", "/third", null).body()).isEqualTo("/ari/third");

      assertThat(server.requests()).hasSize(3);
      assertThat(server.connections()).isEqualTo(2);
    }
  }

  @Test
  void connectionWithBytesBeforeFirstRequestIsNotUsed() throws Exception {
    server =
        RawHttpServer.startWithoutHttp(
            out -> {
              out.write(RawHttpServer.bytes(response("/1") + response("/2")));
              Thread.sleep(DRIPS * DRIP_DELAY_MS);
            });
    try (AriClient client = client("http")) {
      assertThatThrownBy(() -> client.send("POST", "/x", null))
          .isInstanceOf(ConnectException.class)
          .hasMessageContaining("before a request");
    }
  }

  private static String response(String body) {
    return OK + "Content-Length: " + body.length() + "\r\n\r\n" + body;
  }

  private AriClient client(String scheme) throws Exception {
    URI url = URI.create(scheme + "://localhost:" + server.port() + "/ari");
    SSLContext tls = SSLContext.getDefault();
    httpClient =
        new AriHttpClient(
            new AriLogin(url, "user", new Secret("password")),
            () -> tls,
            1,
            700,
            700,
            "/ari",
            new SimpleMeterRegistry());
    httpClient.pool().start();
    return new AriClient(httpClient, url);
  }

  private interface Script {
    void write(OutputStream out) throws IOException, InterruptedException;
  }

  private void startRoutes(Map<Setting<?>, String> settings, Script script) throws Exception {
    server = RawHttpServer.start((request, out) -> script.write(out));
    start(settings);
  }

  private void start(Map<Setting<?>, String> settings) throws Exception {
    routes = RoutesUnderTest.startWithAsterisk(server.port(), new HashMap<>(settings));
  }

  private Response responseTo(String method) {
    routes.sendCommand(
        "{'callContext':'call','ariCommand':{'method':'" + method + "','url':'/x'}}");
    routes.awaitResponse();
    return routes.response();
  }

  private static void writeAndClose(OutputStream out, String text) throws IOException {
    out.write(RawHttpServer.bytes(text));
    throw new IOException("closes the connection");
  }

  private static void drip(OutputStream out, String start, String drip)
      throws IOException, InterruptedException {
    out.write(RawHttpServer.bytes(start));
    for (int i = 0; i < DRIPS; i++) {
      out.write(RawHttpServer.bytes(drip));
      Thread.sleep(DRIP_DELAY_MS);
    }
  }

  private static void flood(OutputStream out, String start, String part) throws IOException {
    out.write(RawHttpServer.bytes(start));
    byte[] bytes = RawHttpServer.bytes(part);
    for (long sent = 0; sent < FLOOD_BYTES; sent += bytes.length) {
      out.write(bytes);
    }
  }
}
