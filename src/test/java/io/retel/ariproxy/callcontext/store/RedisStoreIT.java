// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.lettuce.core.RedisClient;
import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.store.RedisServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RedisStoreIT extends StoreServerContract {

  private static RedisServer server;

  @BeforeAll
  static void launch() {
    server = RedisServer.launch();
  }

  @AfterAll
  static void close() {
    if (server != null) {
      server.close();
    }
  }

  @Override
  RedisServer server() {
    return server;
  }

  @Override
  Map<Setting<?>, String> settings() {
    return Map.of(
        Setting.CALLCONTEXT_STORE,
        "redis",
        RedisStoreProvider.URI,
        server.uri(RedisServer.PASSWORD));
  }

  @Override
  String password() {
    return RedisServer.PASSWORD;
  }

  @Override
  void changePassword(String required) {
    server.changePassword(required);
  }

  @Override
  Map<Setting<?>, String> withPassword(String password) {
    return withUri(server.uri(password));
  }

  @Override
  Map<Setting<?>, String> withAddress(String address) {
    return withUri("redis://" + address);
  }

  private static Map<Setting<?>, String> withUri(String uri) {
    return Map.of(RedisStoreProvider.URI, uri);
  }

  @Override
  String threadPrefix() {
    return "lettuce";
  }

  /** Disconnects it. A write logs only while it loads classes, at most once in a JVM. */
  @Override
  void makeDriverLog() {
    server.changePassword(password());
  }

  @Test
  void writesAfterEndOfDriverThread() throws Exception {
    assertWritesAfterEndOfDriverThread();
  }

  @Test
  void closesAfterEndOfDriverThread() throws Exception {
    assertClosesAfterEndOfDriverThread();
  }

  @Test
  void entriesExpireAfterTwoIdleTimeouts() throws Exception {
    write(new Change("CHANNEL:1", "a"));
    try (RedisClient client = RedisClient.create(server.uri(RedisServer.PASSWORD))) {
      assertThat(client.connect().sync().ttl("ari-proxy:call-contexts:" + namespace + ":" + APP))
          .isBetween(2 * IDLE_TIMEOUT.toSeconds() - 60, 2 * IDLE_TIMEOUT.toSeconds());
    }
  }

  @Test
  void readsLargeValues() throws Exception {
    assertReadsLargeValues(i -> true);
  }

  @Test
  void endlessReplyEndsWithReason() throws Exception {
    try (FakeServer fake = new FakeServer();
        CallContextStore store = store(withUri("redis://127.0.0.1:" + fake.port()), TIMEOUT)) {
      fake.respondWith("$1000000000\r\n" + "x".repeat(1 << 20), 1_000);
      assertThat(catchThrowable(() -> readAll(store)))
          .hasMessageStartingWith("a reply of Redis exceeds ")
          .hasMessageContaining("set a larger -Xmx");
      assertThat(fake.sentBytes()).isLessThan(4 * Runtime.getRuntime().maxMemory() / 16);
    }
  }

  /** The driver would allocate what the first bytes of a reply announce, and end the process. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        ">2147483647\r\n",
        "*2147483647\r\n",
        "~999999999\r\n",
        "%1000000000\r\n",
        "$2147483647\r\n+"
      })
  void announcedSizeIsLimited(String reply) throws Exception {
    try (FakeServer fake = new FakeServer();
        CallContextStore store = store(withUri("redis://127.0.0.1:" + fake.port()), TIMEOUT)) {
      fake.respondWith(reply);
      assertThat(catchThrowable(() -> readAll(store)))
          .hasMessageStartingWith("a reply of Redis exceeds ");
    }
  }

  @Test
  void quotedPasswordIsMasked() throws Exception {
    // error for an unknown command, from Redis before version 6 or a proxy in front of it
    try (FakeServer fake = new FakeServer();
        CallContextStore store =
            store(withUri("redis://:s3cret@127.0.0.1:" + fake.port()), TIMEOUT)) {
      fake.respondWith(
          "-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`,"
              + " `s3cret`,\r\n");
      // Lettuce sometimes reports a response that comes at once as an error of its handshake
      Throwable failure =
          Awaitility.await("the error of the server")
              .until(
                  () -> catchThrowable(() -> readAll(store)),
                  thrown -> String.valueOf(thrown.getMessage()).contains("unknown command"));
      assertThat(failure).hasMessageContaining("`***`");
      StringWriter output = new StringWriter();
      failure.printStackTrace(new PrintWriter(output));
      assertThat(output.toString()).doesNotContain("s3cret");
    }
  }

  @Test
  void redissSendsNothingUnencrypted() throws Exception {
    try (FakeServer fake = new FakeServer();
        CallContextStore store =
            store(withUri("rediss://:s3cret@127.0.0.1:" + fake.port()), TIMEOUT)) {
      fake.respondWith("+OK\r\n");
      assertThat(catchThrowable(() -> readAll(store))).hasMessage("the server does not speak TLS");
      byte handshake = 0x16;
      assertThat(fake.received()).startsWith(handshake);
      assertThat(new String(fake.received(), ISO_8859_1)).doesNotContain("s3cret");
    }
  }

  /** Accepts any number of connections and sends the same response to each request. */
  private static final class FakeServer implements AutoCloseable {

    private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();
    private final AtomicLong sentBytes = new AtomicLong();

    FakeServer() throws IOException {}

    int port() {
      return socket.getLocalPort();
    }

    byte[] received() {
      return received.toByteArray();
    }

    long sentBytes() {
      return sentBytes.get();
    }

    void respondWith(String response) {
      respondWith(response, 1);
    }

    void respondWith(String part, int times) {
      Thread thread = new Thread(() -> serve(part.getBytes(UTF_8), times));
      thread.setDaemon(true);
      thread.start();
    }

    private void serve(byte[] part, int times) {
      byte[] request = new byte[8_192];
      while (!socket.isClosed()) {
        try (Socket client = socket.accept()) {
          int length = client.getInputStream().read(request);
          while (length > 0) {
            received.write(request, 0, length);
            for (int i = 0; i < times; i++) {
              client.getOutputStream().write(part);
              sentBytes.addAndGet(part.length);
            }
            length = client.getInputStream().read(request);
          }
        } catch (IOException e) {
          // client or test has closed the socket
        }
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
