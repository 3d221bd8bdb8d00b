// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.Relay;
import io.retel.ariproxy.fixtures.store.PostgresServer;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** {@link JdbcStore} with a PostgreSQL server. */
class PostgresqlStoreIT extends StoreServerContract {

  private static PostgresServer server;

  @BeforeAll
  static void launch() {
    server = PostgresServer.launch();
  }

  @AfterAll
  static void close() {
    if (server != null) {
      server.close();
    }
  }

  @Override
  PostgresServer server() {
    return server;
  }

  @Override
  Map<Setting<?>, String> settings() {
    return Map.of(
        Setting.CALLCONTEXT_STORE,
        "jdbc",
        JdbcStoreProvider.URL,
        server.url(),
        JdbcStoreProvider.USERNAME,
        PostgresServer.USERNAME,
        JdbcStoreProvider.PASSWORD,
        PostgresServer.PASSWORD);
  }

  @Override
  String password() {
    return PostgresServer.PASSWORD;
  }

  @Override
  void changePassword(String required) {
    server.changePassword(required);
  }

  @Override
  Map<Setting<?>, String> withPassword(String password) {
    return Map.of(JdbcStoreProvider.PASSWORD, password);
  }

  @Override
  Map<Setting<?>, String> withAddress(String address) {
    return withUrl("jdbc:postgresql://" + address + "/postgres");
  }

  private static Map<Setting<?>, String> withUrl(String url) {
    return Map.of(
        JdbcStoreProvider.URL, url, JdbcStoreProvider.USERNAME, "", JdbcStoreProvider.PASSWORD, "");
  }

  @Override
  String threadPrefix() {
    return "PostgreSQL-JDBC";
  }

  @Test
  void readsLargeValues() throws Exception {
    assertReadsLargeValues(i -> true);
  }

  @Test
  void valueBeyondLimitEndsReadWithReason() throws Exception {
    int size = (int) PagedRead.MAX_PAGE_BYTES + 1;
    write(new Change("CHANNEL:1", "x".repeat(size)));
    try (CallContextStore store = store()) {
      assertThatThrownBy(() -> readAll(store))
          .hasMessageStartingWith("a reply of PostgreSQL exceeds ");
    }
  }

  /** The driver's threads belong to the class, not to a connection. */
  @Override
  @Test
  void closeStopsDriverThreads() throws Exception {
    try (CallContextStore store = store()) {
      store.write(List.of(new Change("CHANNEL:1", "a")));
      assertThat(server.connections("ari-proxy")).isPositive();
    }
    await().until(() -> server.connections("ari-proxy") == 0);
  }

  @Test
  void textOutsideEncodingOfDatabaseDoesNotBlockOthers() throws Exception {
    server.execute("CREATE DATABASE latin1 ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    Map<Setting<?>, String> latin1 =
        Map.of(JdbcStoreProvider.URL, server.url().replace("/postgres", "/latin1"));
    assertWritesAllBut(new Change("CHANNEL:1", "\u6f22"), store(latin1, DefaultTimeout.DURATION));
  }

  @Test
  void readsOnceLoginIsCorrected() throws Exception {
    server.execute("CREATE ROLE rotated LOGIN SUPERUSER PASSWORD 'old'");
    try (CallContextStore store =
        store(
            Map.of(JdbcStoreProvider.USERNAME, "rotated", JdbcStoreProvider.PASSWORD, "new"),
            TIMEOUT)) {
      assertThatThrownBy(() -> readAll(store)).hasMessageContaining("authentication failed");
      server.execute("ALTER ROLE rotated PASSWORD 'new'");
      eventually(() -> readAll(store));
    }
  }

  @Test
  void credentialsInUrlAreUsed() throws Exception {
    String login = "?user=" + PostgresServer.USERNAME + "&password=";
    String password = URLEncoder.encode(PostgresServer.PASSWORD, UTF_8);
    try (CallContextStore store = store(withUrl(server.url() + login + password), TIMEOUT)) {
      eventually(() -> assertThat(readAll(store)).isEmpty());
    }
    try (CallContextStore store = store(withUrl(server.url() + login + WRONG_PASSWORD), TIMEOUT)) {
      assertThatThrownBy(() -> readAll(store))
          .hasStackTraceContaining("authentication failed")
          .message()
          .doesNotContain(WRONG_PASSWORD);
    }
  }

  @Test
  void connectionThatVanishesInTransactionDoesNotBlockLaterWrites() throws Exception {
    Change change = new Change("CHANNEL:1", "a");
    write(change);
    try (Relay relay = Relay.start(port());
        CallContextStore unreachable = storeBehindRelay()) {
      eventually(() -> readAll(unreachable));
      // the server's answer to the statement
      relay.silenceBefore("INSERT 0 1");
      assertThatThrownBy(() -> unreachable.write(List.of(change)));

      // the server still considers the client connected, with the row locked
      eventually(() -> write(change));
    }
  }

  @Test
  void connectionThatVanishesWithinBatchDoesNotBlockLaterWrites() throws Exception {
    List<Change> batch =
        IntStream.range(0, 200)
            .mapToObj(i -> new Change("CHANNEL:" + i, i + "x".repeat(2_000)))
            .toList();
    write(batch.toArray(Change[]::new));
    try (Relay relay = Relay.start(port());
        CallContextStore store = storeBehindRelay()) {
      eventually(() -> readAll(store));
      relay.silenceBefore("199xxx");
      assertThatThrownBy(() -> store.write(batch));

      // the server executed the first statements, and still waits for the others
      relay.resume();
      eventually(() -> store.write(batch));
    }
  }

  @Test
  void failedWritesLeaveNoSessionsThatWaitForLock() throws Exception {
    Change change = new Change("CHANNEL:1", "a");
    write(change);
    await().until(() -> server.connections("ari-proxy") == 0);
    try (Connection other =
            DriverManager.getConnection(
                server.url(), PostgresServer.USERNAME, PostgresServer.PASSWORD);
        Statement statement = other.createStatement();
        CallContextStore store = store(TIMEOUT)) {
      other.setAutoCommit(false);
      statement.execute("UPDATE ari_proxy_call_contexts SET value = 'b'");
      for (int i = 0; i < 3; i++) {
        assertThatThrownBy(() -> store.write(List.of(change)));
      }
      assertThat(server.connections("ari-proxy")).isLessThanOrEqualTo(1);
    }
  }

  /** The only way to notice, between the statements of a batch, that a machine has vanished. */
  @Test
  void serverSendsKeepaliveWithinTimeout() throws Exception {
    try (CallContextStore store = store(TIMEOUT)) {
      eventually(() -> store.write(List.of(new Change("CHANNEL:1", "a"))));
      eventually(
          () ->
              assertThat(keepaliveTimers())
                  .isNotEmpty()
                  .allSatisfy(
                      seconds -> assertThat(seconds).isLessThanOrEqualTo(TIMEOUT.toSeconds())));
    }
  }

  /** Returns the seconds until the next keepalive of each connection of the server. */
  private static List<Long> keepaliveTimers() throws IOException {
    // local address, remote address, state (01: established), queues, timer (02: keepalive)
    Pattern connection =
        Pattern.compile(" \\w+:%04X \\w+:\\w+ 01 \\w+:\\w+ 02:(\\w+) ".formatted(port()));
    return Files.readAllLines(Path.of("/proc/net/tcp")).stream()
        .map(connection::matcher)
        .filter(Matcher::find)
        .map(matcher -> Long.parseLong(matcher.group(1), 16) / 100)
        .toList();
  }

  private CallContextStore storeBehindRelay() {
    return store(
        Map.of(JdbcStoreProvider.URL, server.url().replace("127.0.0.1", Relay.ADDRESS)), TIMEOUT);
  }

  private static int port() {
    return URI.create(server.url().substring("jdbc:".length())).getPort();
  }

  @Test
  void userNeedsNoCreatePrivilege() throws Exception {
    write(new Change("CHANNEL:1", "a"));
    server.execute("CREATE ROLE modest LOGIN PASSWORD 'modest'");
    server.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ari_proxy_call_contexts TO modest");
    try (CallContextStore store =
        store(
            Map.of(JdbcStoreProvider.USERNAME, "modest", JdbcStoreProvider.PASSWORD, "modest"),
            DefaultTimeout.DURATION)) {
      assertThat(readAll(store)).containsOnly(Map.entry("CHANNEL:1", "a"));
      store.write(List.of(new Change("CHANNEL:1", null)));
      assertThat(readAll(store)).isEmpty();
    }
  }
}
