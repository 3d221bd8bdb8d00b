// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.RawHttpServer;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.metrics.Meters;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Large responses share a limit of the heap: one is read at a time here. */
class LargeResponseTest {

  private static final String LIST = "[" + "1,".repeat(99_999) + "1]";
  private static final int FIRST_PART = 100_000;

  private final CountDownLatch rest = new CountDownLatch(1);
  private RawHttpServer server;
  private RoutesUnderTest routes;

  @BeforeEach
  void startServer() {
    server = RawHttpServer.start(this::respond);
  }

  @AfterEach
  void stop() throws Exception {
    rest.countDown();
    server.close();
    routes.close();
  }

  @Test
  void waitsForOthersWhileSmallOnesGoOn() throws Exception {
    startRoutes("60s", "64KB");
    send("one");
    send("other");
    send("chunked");
    send("small");
    awaitResponses(1);
    routes.response().assertStatus(200);
    assertThat(routes.response().key()).isEqualTo("small");

    rest.countDown();

    awaitResponses(4);
    assertThat(routes.responses())
        .allSatisfy(response -> response.assertStatus(200))
        .filteredOn(response -> !response.key().equals("small"))
        .allSatisfy(response -> assertThat(response.body()).hasSize(100_000));
  }

  @Test
  void yields413IfOthersTakeTheHeapForTooLong() throws Exception {
    startRoutes("2s", "64KB");
    send("one");
    send("other");

    awaitResponses(1);

    Response response = routes.responses().get(0).assertStatus(413);
    assertThat(response.outcome()).isEqualTo("answered");
    assertThat(response.message())
        .startsWith("Asterisk responded 200 with a body that was not read in time")
        .contains("ari.response-buffer-size");
  }

  @Test
  void acquiresDeclaredLengthOnly() throws Exception {
    // one of 200 KB takes 733 KB, one of unknown length 3 MB
    startRoutes("60s", "1MB");
    send("one");
    await().until(() -> server.requests().size() == 1);
    send("medium");

    awaitResponses(1);

    routes.response().assertStatus(200);
    assertThat(routes.response().key()).isEqualTo("medium");
  }

  /** Such as by a load balancer; the declared length is that of the compressed body. */
  @Test
  void readsCompressedBodyCompletely() throws Exception {
    startRoutes("60s", "4MB");
    send("compressed");

    awaitResponses(1);

    Response response = routes.responses().get(0).assertStatus(200);
    assertThat(response.body()).hasSize(100_000);
  }

  @Test
  void readsManyOneAfterTheOther() throws Exception {
    startRoutes("60s", "64KB");
    rest.countDown();
    for (int i = 0; i < 30; i++) {
      send("one" + i);
    }

    awaitResponses(30);

    assertThat(routes.responses())
        .allSatisfy(response -> response.assertStatus(200))
        .allSatisfy(response -> assertThat(response.body()).hasSize(100_000));
    // connections are used again
    assertThat(server.connections()).isLessThanOrEqualTo(14);
    await().until(() -> routes.gaugeValue(Meters.RESPONSE_BUFFER_BYTES) == 0);
  }

  private void startRoutes(String timeout, String bufferSize) throws Exception {
    routes =
        RoutesUnderTest.startWithAsterisk(
            server.port(),
            Map.of(
                Setting.ARI_MAX_RESPONSE_BODY,
                "512KB",
                Setting.ARI_RESPONSE_BUFFER_SIZE,
                bufferSize,
                Setting.ARI_RESPONSE_TIMEOUT,
                timeout,
                Setting.COMMANDS_MAX_CONCURRENCY,
                "12"));
  }

  private void send(String name) {
    routes.sendCommand(
        "{'callContext':'%s','ariCommand':{'method':'POST','url':'/%s'}}".formatted(name, name));
  }

  private void awaitResponses(int count) {
    await().until(() -> routes.responses().size() >= count);
  }

  private void respond(String request, OutputStream out) throws IOException, InterruptedException {
    String ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    if (request.contains("/small")) {
      out.write(RawHttpServer.bytes(ok + "Content-Length: 2\r\n\r\n[]"));
      return;
    }
    if (request.contains("/medium")) {
      String medium = LIST.substring(0, 20_001) + "]";
      out.write(RawHttpServer.bytes(ok + "Content-Length: 20002\r\n\r\n" + medium));
      return;
    }
    if (request.contains("/compressed")) {
      byte[] compressed = compress(LIST);
      out.write(
          RawHttpServer.bytes(
              ok + "Content-Encoding: gzip\r\nContent-Length: " + compressed.length + "\r\n\r\n"));
      out.write(compressed);
      return;
    }
    boolean isChunked = request.contains("chunked");
    String head =
        isChunked
            ? "Transfer-Encoding: chunked\r\n\r\n" + Integer.toHexString(LIST.length()) + "\r\n"
            : "Content-Length: " + LIST.length() + "\r\n\r\n";
    out.write(RawHttpServer.bytes(ok + head + LIST.substring(0, FIRST_PART)));
    rest.await();
    out.write(RawHttpServer.bytes(LIST.substring(FIRST_PART)));
    if (isChunked) {
      out.write(RawHttpServer.bytes("\r\n0\r\n\r\n"));
    }
  }

  private static byte[] compress(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(RawHttpServer.bytes(text));
    }
    return bytes.toByteArray();
  }
}
