// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.ari.http.AriHttpClient;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.metrics.Meters;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** After any connection failure, a command has sent at most one request and gets one RESPONSE. */
class ConnectionFailureTest {

  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final AtomicInteger pings = new AtomicInteger();
  private volatile String rawResponse = "";
  private volatile boolean closesAfterResponse = true;
  private volatile boolean answersPings = true;
  private volatile String pingResponse = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
  @AutoClose private ServerSocket server;
  @AutoClose private RoutesUnderTest routes;

  @BeforeEach
  void start() throws Exception {
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread thread = new Thread(this::accept, "broken server");
    thread.setDaemon(true);
    thread.start();
    routes = RoutesUnderTest.startWithAsterisk(server.getLocalPort());
  }

  @AfterEach
  void stop() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "PUT", "DELETE", "POST"})
  void closedConnectionYields504(String method) throws Exception {
    Response response = responseTo(method);
    response.assertStatus(504);
    assertThat(response.outcome()).isEqualTo("unknown");
    assertThat(requests).hasSize(1);
  }

  @Test
  void truncatedResponseYields504() throws Exception {
    rawResponse =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"id\"";
    Response response = responseTo("POST");
    response.assertStatus(504);
    assertThat(response.message()).doesNotContain("org.apache");
    assertThat(requests).hasSize(1);
  }

  @Test
  void nonHttpResponseYields504() throws Exception {
    rawResponse = "220 smtp.example ESMTP\r\n\r\n";
    responseTo("POST").assertStatus(504);
    assertThat(requests).hasSize(1);
  }

  @Test
  void responseTimeoutYields504() throws Exception {
    routes.close();
    routes =
        RoutesUnderTest.startWithAsterisk(
            server.getLocalPort(), Map.of(Setting.ARI_RESPONSE_TIMEOUT, "500ms"));
    closesAfterResponse = false;
    responseTo("POST").assertStatus(504);
    assertThat(requests).hasSize(1);
  }

  @Test
  void refusedConnectionYields503() throws Exception {
    routes.close();
    int closedPort;
    try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      closedPort = closed.getLocalPort();
    }
    routes = RoutesUnderTest.startWithAsterisk(closedPort);
    Response response = responseTo("POST");
    response.assertStatus(503);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(response.record().text()).doesNotContain("password");
  }

  /** As Asterisk does at its sessionlimit. */
  @ParameterizedTest
  @ValueSource(strings = {"GET", "POST"})
  void connectionClosedBeforeRequestYields503(String method) throws Exception {
    answersPings = false;

    Response response = responseTo(method);

    response.assertStatus(503);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(response.message()).contains("sessionlimit");
    assertThat(requests).isEmpty();
  }

  @Test
  void silenceOnNewConnectionYields503() throws Exception {
    routes.close();
    routes =
        RoutesUnderTest.startWithAsterisk(
            server.getLocalPort(),
            Map.of(Setting.ARI_CONNECT_TIMEOUT, "300ms", Setting.COMMANDS_MAX_RETRIES, "1"));
    answersPings = false;
    closesAfterResponse = false;

    Response response = responseTo("POST");

    response.assertStatus(503);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(sockets).as("one retry").hasSize(2);
    assertThat(requests).isEmpty();
  }

  @Test
  void closedClientIsNotRefusedByAsterisk() throws Exception {
    answersPings = false;
    closesAfterResponse = false;
    AriHttpClient configurer =
        routes.context().getRegistry().lookupByNameAndType("ariHttpClient", AriHttpClient.class);
    try (AriClient client =
        new AriClient(
            configurer, URI.create("http://localhost:" + server.getLocalPort() + "/ari"))) {
      CompletableFuture<Throwable> failure =
          Async.supply(() -> catchThrowable(() -> client.send("GET", "/channels", null)));
      await().until(() -> pings.get() == 1);

      client.close();

      assertThat(failure.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS))
          .isInstanceOf(IOException.class);
      assertThat(routes.counterValue(Meters.CONNECTIONS_REFUSED)).isZero();
    }
  }

  @Test
  void nonHttpServerYields503() throws Exception {
    routes.close();
    routes =
        RoutesUnderTest.startWithAsterisk(
            server.getLocalPort(),
            Map.of(Setting.ARI_CONNECT_TIMEOUT, "300ms", Setting.COMMANDS_MAX_RETRIES, "0"));
    pingResponse = "220 smtp.example ESMTP\r\n\r\n";
    responseTo("POST").assertStatus(503);
  }

  /** Such as a reverse proxy without persistent connections: its next connection gets no ping. */
  @Test
  void connectsAgainIfConnectionDoesNotPersist() throws Exception {
    pingResponse = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    rawResponse = "HTTP/1.1 204 No Content\r\n\r\n";

    responseTo("POST").assertStatus(204);

    assertThat(requests).containsExactly("without ping");
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        sockets.add(socket);
        BufferedReader in =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
        if (readRequest(in).equals("GET /ari/asterisk/ping HTTP/1.1")) {
          pings.incrementAndGet();
          if (!answersPings) {
            closeUnlessSilent(socket);
            continue;
          }
          socket.getOutputStream().write(bytes(pingResponse));
          if (pingResponse.contains("Connection: close")) {
            socket.close();
            continue;
          }
          requests.add(readRequest(in));
        } else {
          requests.add("without ping");
        }
        socket.getOutputStream().write(bytes(rawResponse));
        closeUnlessSilent(socket);
      }
    } catch (IOException e) {
      // the server socket closes at the end of the test
    }
  }

  private void closeUnlessSilent(Socket socket) throws IOException {
    if (closesAfterResponse) {
      socket.close();
    }
  }

  private static String readRequest(BufferedReader in) throws IOException {
    String line = in.readLine();
    while (line != null && !in.readLine().isEmpty()) {
      // skip the headers
    }
    return String.valueOf(line);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private Response responseTo(String method) {
    routes.sendCommand(
        "{'callContext':'call','ariCommand':{'method':'" + method + "','url':'/x'}}");
    routes.awaitResponse();
    return routes.response();
  }
}
