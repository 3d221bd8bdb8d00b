// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import io.lettuce.core.RedisClient;
import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.ChildProcess;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.kafka.FreePort;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.store.CassandraServer;
import io.retel.ariproxy.fixtures.store.PostgresServer;
import io.retel.ariproxy.fixtures.store.RedisServer;
import io.retel.ariproxy.fixtures.store.StoreServer;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URLEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.CommonClientConfigs;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.AnnotationBasedArgumentsProvider;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsSource;
import org.junit.jupiter.params.support.ParameterDeclarations;

/** Tests the contract that all stores fulfill, on real servers. */
class CallContextStoreIT {

  private static final Duration IDLE_TIMEOUT = Duration.ofHours(3);
  private static final Duration TIMEOUT = Duration.ofSeconds(2);

  /** Tolerance for slow machines; shorter than the drivers' own timeouts of at least 10 s. */
  private static final Duration SLOW_MACHINE_ALLOWANCE = Duration.ofSeconds(5);

  private static final String APP = "an-app";
  private static final String WRONG_PASSWORD = "wr0ng-passw0rd";

  @TempDir private static Path files;

  private static final Map<Kind, Backend> BACKENDS = new EnumMap<>(Kind.class);

  /** The persistent stores. */
  private enum Kind {
    KAFKA,
    SQLITE,
    POSTGRESQL,
    REDIS,
    CASSANDRA
  }

  /**
   * Runs a test on these stores, by default on all. Cassandra starts slowly and is included only in
   * the full run.
   */
  @ArgumentsSource(BackendsProvider.class)
  @Retention(RetentionPolicy.RUNTIME)
  private @interface OnBackends {
    Kind[] value() default {Kind.KAFKA, Kind.SQLITE, Kind.POSTGRESQL, Kind.REDIS, Kind.CASSANDRA};
  }

  private static final class BackendsProvider extends AnnotationBasedArgumentsProvider<OnBackends> {
    @Override
    protected Stream<? extends Arguments> provideArguments(
        ParameterDeclarations parameters, ExtensionContext context, OnBackends annotation) {
      return Stream.of(annotation.value())
          .filter(kind -> kind != Kind.CASSANDRA || FullRun.ENABLED)
          .map(Arguments::of);
    }
  }

  /** A random namespace, invisible to other proxies on the same server. */
  private final String namespace = "asterisk-" + UUID.randomUUID();

  // ---- entries

  @ParameterizedTest
  @OnBackends
  void writtenChangesSurviveReopening(Kind kind) throws Exception {
    write(kind, new Change("CHANNEL:1.0", "a"), new Change("BRIDGE:1.0", "b"));
    assertThat(read(kind))
        .containsOnly(Map.entry("CHANNEL:1.0", "a"), Map.entry("BRIDGE:1.0", "b"));
  }

  @ParameterizedTest
  @OnBackends
  void emptyStoreReadsNothing(Kind kind) throws Exception {
    assertThat(read(kind)).isEmpty();
  }

  @ParameterizedTest
  @OnBackends
  void lastWriteWins(Kind kind) throws Exception {
    try (CallContextStore store = store(kind)) {
      store.write(List.of(new Change("CHANNEL:1", "first"), new Change("CHANNEL:2", "other")));
      store.write(List.of(new Change("CHANNEL:1", "second")));
      store.write(List.of(new Change("CHANNEL:1", "third")));
    }
    assertThat(read(kind))
        .containsOnly(Map.entry("CHANNEL:1", "third"), Map.entry("CHANNEL:2", "other"));
  }

  @ParameterizedTest
  @OnBackends
  void nullDeletesAndKeyIsReusable(Kind kind) throws Exception {
    write(kind, new Change("CHANNEL:1", "a"), new Change("CHANNEL:2", "b"));
    write(kind, new Change("CHANNEL:1", null), new Change("CHANNEL:3", null));
    assertThat(read(kind)).containsOnly(Map.entry("CHANNEL:2", "b"));
    write(kind, new Change("CHANNEL:1", "again"), new Change("CHANNEL:2", null));
    assertThat(read(kind)).containsOnly(Map.entry("CHANNEL:1", "again"));
    write(kind, new Change("CHANNEL:1", null));
    assertThat(read(kind)).isEmpty();
  }

  @ParameterizedTest
  @OnBackends
  void namespacesAndAppsAreIsolated(Kind kind) throws Exception {
    Backend backend = backend(kind);
    List<List<String>> proxies =
        List.of(List.of(namespace, APP), List.of(namespace, "b"), List.of(namespace + "2", APP));
    for (List<String> proxy : proxies) {
      try (CallContextStore store =
          backend.store(proxy.get(0), proxy.get(1), DefaultTimeout.DURATION)) {
        store.write(List.of(new Change("CHANNEL:1", proxy.toString())));
      }
    }
    for (List<String> proxy : proxies) {
      try (CallContextStore store =
          backend.store(proxy.get(0), proxy.get(1), DefaultTimeout.DURATION)) {
        assertThat(readAll(store)).containsOnly(Map.entry("CHANNEL:1", proxy.toString()));
      }
    }
  }

  @ParameterizedTest
  @OnBackends({Kind.SQLITE, Kind.POSTGRESQL, Kind.REDIS, Kind.CASSANDRA})
  void ambiguousNamesAreIsolated(Kind kind) throws Exception {
    Backend backend = backend(kind);
    try (CallContextStore one = backend.store(namespace + ":a", "b", DefaultTimeout.DURATION);
        CallContextStore other = backend.store(namespace, "a:b", DefaultTimeout.DURATION)) {
      one.write(List.of(new Change("CHANNEL:1", "a")));
      assertThat(readAll(other)).isEmpty();
      assertThat(readAll(one)).containsOnly(Map.entry("CHANNEL:1", "a"));
    }
  }

  @ParameterizedTest
  @OnBackends
  void readsTenThousandEntries(Kind kind) throws Exception {
    Map<String, String> many = new HashMap<>();
    IntStream.range(0, 10_000)
        .forEach(i -> many.put("CHANNEL:1532965104." + i, "context-" + UUID.randomUUID()));
    List<Change> changes = new ArrayList<>();
    many.forEach((key, value) -> changes.add(new Change(key, value)));
    try (CallContextStore store = store(kind)) {
      store.write(changes.subList(0, 5_000));
      store.write(changes.subList(5_000, 10_000));
      store.write(List.of());
    }
    assertThat(read(kind)).isEqualTo(many);
    write(kind, many.keySet().stream().map(key -> new Change(key, null)).toArray(Change[]::new));
    assertThat(read(kind)).isEmpty();
  }

  @ParameterizedTest
  @OnBackends
  void storesArbitraryTextUnchanged(Kind kind) throws Exception {
    Map<String, String> texts = new HashMap<>();
    for (String text :
        List.of(
            "é 漢字 \uD83D\uDCDE",
            "'; DROP TABLE x; --",
            "\"quoted\" `and` ${not} {{replaced}} % ? :x $1",
            "\\ \\0 \\\\0 \\# \\=",
            "3:key",
            "tab\tline\r\nend",
            " ",
            "nul \0 within",
            "\0",
            randomText(10_000))) {
      texts.put("CHANNEL:" + text, "value " + text);
      texts.put(text, text);
    }
    texts.put("CHANNEL:empty", "");
    write(
        kind,
        texts.entrySet().stream()
            .map(entry -> new Change(entry.getKey(), entry.getValue()))
            .toArray(Change[]::new));
    assertThat(read(kind)).isEqualTo(texts);
    write(kind, texts.keySet().stream().map(key -> new Change(key, null)).toArray(Change[]::new));
    assertThat(read(kind)).isEmpty();
  }

  // ---- unavailable servers

  @ParameterizedTest
  @OnBackends({Kind.KAFKA, Kind.POSTGRESQL, Kind.REDIS})
  void failsWithinTimeoutAndRecoversAfterServerRestart(Kind kind) throws Exception {
    assertFailsWithinTimeoutAndRecovers(backend(kind));
  }

  @Test
  @FullRun("Cassandra starts slowly")
  void cassandraFailsWithinTimeoutAndRecoversAfterRestart() throws Exception {
    assertFailsWithinTimeoutAndRecovers(backend(Kind.CASSANDRA));
  }

  private void assertFailsWithinTimeoutAndRecovers(Backend backend) throws Exception {
    try (CallContextStore running = backend.store(namespace, APP, TIMEOUT)) {
      eventually(() -> running.write(List.of(new Change("CHANNEL:1", "before"))));
      CallContextStore startedDuringOutage;
      backend.stop();
      try {
        assertFailsWithinTimeout(() -> running.write(List.of(new Change("CHANNEL:1", "never"))));
        startedDuringOutage = backend.store(namespace, APP, TIMEOUT);
        assertFailsWithinTimeout(() -> readAll(startedDuringOutage));
        assertFailsWithinTimeout(() -> running.write(List.of(new Change("CHANNEL:1", "never"))));
      } finally {
        backend.start();
      }
      try (startedDuringOutage) {
        eventually(() -> assertThat(readAll(startedDuringOutage)).containsKey("CHANNEL:1"));
        eventually(
            () ->
                running.write(
                    List.of(new Change("CHANNEL:1", "after"), new Change("CHANNEL:2", "new"))));
        assertThat(readAll(startedDuringOutage))
            .containsOnly(Map.entry("CHANNEL:1", "after"), Map.entry("CHANNEL:2", "new"));
      }
    }
  }

  @ParameterizedTest
  @OnBackends({Kind.POSTGRESQL, Kind.REDIS, Kind.CASSANDRA})
  void failsWithinTimeoutAndRecoversAfterServerHang(Kind kind) throws Exception {
    Backend backend = backend(kind);
    try (CallContextStore running = backend.store(namespace, APP, TIMEOUT)) {
      eventually(() -> running.write(List.of(new Change("CHANNEL:1", "before"))));
      CallContextStore startedDuringOutage;
      backend.server().hang();
      try {
        assertFailsWithinTimeout(
            () -> running.write(List.of(new Change("CHANNEL:1", "lost or not"))));
        startedDuringOutage = backend.store(namespace, APP, TIMEOUT);
        assertFailsWithinTimeout(() -> readAll(startedDuringOutage));
      } finally {
        backend.server().resume();
      }
      try (startedDuringOutage) {
        eventually(() -> running.write(List.of(new Change("CHANNEL:1", "after"))));
        eventually(
            () -> assertThat(readAll(startedDuringOutage)).containsEntry("CHANNEL:1", "after"));
      }
    }
  }

  @ParameterizedTest
  @OnBackends({Kind.POSTGRESQL, Kind.REDIS})
  void stoppedServerDelaysNeitherConstructorNorClose(Kind kind) throws Exception {
    Backend backend = backend(kind);
    backend.stop();
    try {
      Duration longTimeout = DefaultTimeout.DURATION.multipliedBy(10);
      long startNanos = System.nanoTime();
      backend.store(namespace, APP, longTimeout).close();
      assertThat(Duration.ofNanos(System.nanoTime() - startNanos))
          .isLessThan(DefaultTimeout.DURATION);
    } finally {
      backend.start();
    }
  }

  /** Errors are logged when they change; a varying message would be logged on each attempt. */
  @ParameterizedTest
  @OnBackends({Kind.POSTGRESQL, Kind.REDIS, Kind.CASSANDRA})
  void unreachableServerErrorIsStable(Kind kind) throws Exception {
    String unusedAddress = "127.0.0.1:" + FreePort.find();
    try (CallContextStore store =
        switch (kind) {
          case POSTGRESQL -> postgresql("jdbc:postgresql://" + unusedAddress + "/postgres");
          case REDIS -> redis("redis://" + unusedAddress);
          default -> cassandra(unusedAddress, KEYSPACE, "none", namespace, APP, TIMEOUT);
        }) {
      String first = ErrorMessages.singleLine(catchThrowable(() -> readAll(store)));
      assertThat(ErrorMessages.singleLine(catchThrowable(() -> readAll(store)))).isEqualTo(first);
    }
  }

  @ParameterizedTest
  @OnBackends({Kind.POSTGRESQL, Kind.REDIS, Kind.CASSANDRA})
  void interruptIsThrownWhileServerIsUnresponsive(Kind kind) throws Exception {
    try (ServerSocket unresponsive = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      String address = "127.0.0.1:" + unresponsive.getLocalPort();
      CallContextStore store =
          switch (kind) {
            case POSTGRESQL -> postgresql("jdbc:postgresql://" + address + "/postgres");
            case REDIS -> redis("redis://" + address);
            default -> cassandra(address, KEYSPACE, "none", namespace, APP, TIMEOUT);
          };
      try (store) {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> readAll(store)).isInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isFalse();
      }
    }
  }

  @Test
  void sqliteFileIsCreatedOnceFolderExists() throws Exception {
    Path folder = files.resolve("later");
    try (CallContextStore store = sqlite(folder.resolve("x.db"), namespace, APP)) {
      assertFailsWithinTimeout(() -> readAll(store));
      // the log line must name the folder
      assertThatThrownBy(() -> readAll(store))
          .extracting(ErrorMessages::singleLine)
          .asString()
          .contains(folder.toString());
      Files.createDirectory(folder);
      eventually(() -> store.write(List.of(new Change("CHANNEL:1", "a"))));
      assertThat(readAll(store)).containsOnly(Map.entry("CHANNEL:1", "a"));
    }
  }

  @Test
  void acknowledgedSqliteWritesSurviveKill() throws Exception {
    Path file = files.resolve("killed.db");
    Process writer =
        ChildProcess.builder(
                ChildProcess.javaCommand(
                    "-cp",
                    System.getProperty("java.class.path"),
                    EndlessWriter.class.getName(),
                    file.toString()))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    List<String> acknowledged = new ArrayList<>();
    try (BufferedReader output = writer.inputReader()) {
      String line = output.readLine();
      while (line != null) {
        acknowledged.add(line);
        if (acknowledged.size() == 200) {
          // Process.destroyForcibly() would also close the output, with unread lines in it
          writer.toHandle().destroyForcibly();
        }
        line = output.readLine();
      }
    }
    assertThat(acknowledged).hasSizeGreaterThanOrEqualTo(200);
    try (CallContextStore store = sqlite(file, "killed", APP)) {
      assertThat(readAll(store).keySet()).containsAll(acknowledged);
    }
  }

  /** Process that prints each acknowledged key. */
  static final class EndlessWriter {

    private EndlessWriter() {}

    public static void main(String[] args) throws Exception {
      try (CallContextStore store =
          sqlite(Path.of(args[0]), "killed", APP, DefaultTimeout.DURATION)) {
        for (int i = 0; true; i++) {
          store.write(List.of(new Change("CHANNEL:" + i, "x")));
          System.out.println("CHANNEL:" + i);
        }
      }
    }
  }

  @Test
  void twoProxiesShareSqliteFile() throws Exception {
    Path file = files.resolve("shared.db");
    List<Thread> writers = new ArrayList<>();
    Map<String, Throwable> failures = new ConcurrentHashMap<>();
    for (String app : List.of("a", "b")) {
      writers.add(
          new Thread(
              () -> {
                // on a slow machine, the other writer can hold the file lock for a long time
                try (CallContextStore store =
                    sqlite(file, namespace, app, DefaultTimeout.DURATION)) {
                  for (int i = 0; i < 100; i++) {
                    store.write(List.of(new Change("CHANNEL:" + i, app)));
                  }
                } catch (Exception e) {
                  failures.put(app, e);
                }
              }));
    }
    writers.forEach(Thread::start);
    for (Thread writer : writers) {
      writer.join();
    }
    assertThat(failures).isEmpty();
    try (CallContextStore store = sqlite(file, namespace, "a")) {
      assertThat(readAll(store)).hasSize(100).containsValue("a").doesNotContainValue("b");
    }
  }

  @ParameterizedTest
  @OnBackends({Kind.POSTGRESQL, Kind.REDIS, Kind.CASSANDRA})
  void closeStopsDriverThreads(Kind kind) throws Exception {
    backend(kind);
    await().until(() -> driverThreads().isEmpty());
    CallContextStore store = store(kind);
    store.write(List.of(new Change("CHANNEL:1", "a")));
    assertThat(driverThreads()).isNotEmpty();
    store.close();
    await().untilAsserted(() -> assertThat(driverThreads()).isEmpty());
  }

  private static List<String> driverThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("lettuce") || name.startsWith("call-contexts"))
        .toList();
  }

  // ---- expiry

  @ParameterizedTest
  @OnBackends({Kind.REDIS, Kind.CASSANDRA})
  void entriesExpireAfterTwoIdleTimeouts(Kind kind) throws Exception {
    write(kind, new Change("CHANNEL:1", "a"));
    assertThat(backend(kind).secondsToLive(namespace, APP, "CHANNEL:1"))
        .isBetween(2 * IDLE_TIMEOUT.toSeconds() - 60, 2 * IDLE_TIMEOUT.toSeconds());
  }

  // ---- secrets

  @ParameterizedTest
  @OnBackends({Kind.POSTGRESQL, Kind.REDIS, Kind.CASSANDRA})
  void wrongPasswordIsRejectedAndNotLogged(Kind kind) throws Exception {
    Backend backend = backend(kind);
    try (CapturedLog log = CapturedLog.atDebug();
        CallContextStore store = backend.store(namespace, APP, TIMEOUT, WRONG_PASSWORD)) {
      Throwable failure = catchThrowable(() -> readAll(store));
      assertThat(failure).isInstanceOf(Exception.class);
      StringWriter output = new StringWriter();
      failure.printStackTrace(new PrintWriter(output));
      log.events().forEach(event -> output.append(event.getFormattedMessage()).append('\n'));
      assertThat(output + store.toString()).doesNotContain(WRONG_PASSWORD);
    }
  }

  @ParameterizedTest
  @OnBackends({Kind.POSTGRESQL, Kind.REDIS})
  void passwordIsNotLoggedDuringOutage(Kind kind) throws Exception {
    Backend backend = backend(kind);
    String password = kind == Kind.REDIS ? RedisServer.PASSWORD : PostgresServer.PASSWORD;
    try (CapturedLog log = CapturedLog.atDebug();
        CallContextStore store = backend.store(namespace, APP, TIMEOUT)) {
      eventually(() -> readAll(store));
      backend.stop();
      Throwable failure;
      try {
        failure = catchThrowable(() -> readAll(store));
      } finally {
        backend.start();
      }
      eventually(() -> readAll(store));
      StringWriter output = new StringWriter();
      failure.printStackTrace(new PrintWriter(output));
      log.events().forEach(event -> output.append(event.getFormattedMessage()).append('\n'));
      assertThat(output + store.toString()).doesNotContain(password);
    }
  }

  @Test
  void quotedPasswordIsMasked() throws Exception {
    // error for an unknown command, from Redis before version 6 or a proxy in front of it
    try (FakeServer server = new FakeServer();
        CallContextStore store = redis("redis://:s3cret@127.0.0.1:" + server.port())) {
      server.respondWith(
          "-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`,"
              + " `s3cret`,\r\n");
      Throwable failure = catchThrowable(() -> readAll(store));
      assertThat(failure).hasMessageContaining("unknown command").hasMessageContaining("`***`");
      StringWriter output = new StringWriter();
      failure.printStackTrace(new PrintWriter(output));
      assertThat(output.toString()).doesNotContain("s3cret");
    }
  }

  @Test
  void redissSendsNothingUnencrypted() throws Exception {
    try (FakeServer server = new FakeServer();
        CallContextStore store = redis("rediss://:s3cret@127.0.0.1:" + server.port())) {
      server.respondWith("+OK\r\n");
      assertThat(catchThrowable(() -> readAll(store))).isInstanceOf(Exception.class);
      byte handshake = 0x16;
      assertThat(server.received()).startsWith(handshake);
      assertThat(new String(server.received(), ISO_8859_1)).doesNotContain("s3cret");
    }
  }

  private CallContextStore redis(String uri) {
    return new RedisStore(new Secret(uri), namespace, APP, IDLE_TIMEOUT, TIMEOUT);
  }

  /** Accepts any number of connections and sends the same response to each request. */
  private static final class FakeServer implements AutoCloseable {

    private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();

    FakeServer() throws IOException {}

    int port() {
      return socket.getLocalPort();
    }

    byte[] received() {
      return received.toByteArray();
    }

    void respondWith(String response) {
      Thread thread = new Thread(() -> serve(response.getBytes(UTF_8)));
      thread.setDaemon(true);
      thread.start();
    }

    private void serve(byte[] response) {
      byte[] request = new byte[8_192];
      while (!socket.isClosed()) {
        try (Socket client = socket.accept()) {
          int length = client.getInputStream().read(request);
          while (length > 0) {
            received.write(request, 0, length);
            client.getOutputStream().write(response);
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

  @Test
  void jdbcUrlCredentialsAreUsed() throws Exception {
    PostgresServer server = (PostgresServer) backend(Kind.POSTGRESQL).server();
    String login = "?user=" + PostgresServer.USERNAME + "&password=";
    String password = URLEncoder.encode(PostgresServer.PASSWORD, UTF_8);
    try (CallContextStore store = postgresql(server.url() + login + password)) {
      eventually(() -> assertThat(readAll(store)).isEmpty());
    }
    try (CallContextStore store = postgresql(server.url() + login + WRONG_PASSWORD)) {
      assertThatThrownBy(() -> readAll(store))
          .hasStackTraceContaining("authentication failed")
          .message()
          .doesNotContain(WRONG_PASSWORD);
    }
  }

  private CallContextStore postgresql(String url) {
    return new JdbcStore(new Secret(url), "", new Secret(""), namespace, APP, TIMEOUT);
  }

  @Test
  void postgresqlUserNeedsNoCreatePrivilege() throws Exception {
    write(Kind.POSTGRESQL, new Change("CHANNEL:1", "a"));
    PostgresServer server = (PostgresServer) backend(Kind.POSTGRESQL).server();
    server.execute("CREATE ROLE modest LOGIN PASSWORD 'modest'");
    server.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ari_proxy_call_contexts TO modest");
    try (CallContextStore store =
        new JdbcStore(
            new Secret(server.url()),
            "modest",
            new Secret("modest"),
            namespace,
            APP,
            DefaultTimeout.DURATION)) {
      assertThat(readAll(store)).containsOnly(Map.entry("CHANNEL:1", "a"));
      store.write(List.of(new Change("CHANNEL:1", null)));
      assertThat(readAll(store)).isEmpty();
    }
  }

  @Test
  @FullRun("Cassandra starts slowly")
  void missingKeyspaceIsNamed() throws Exception {
    CassandraServer server = (CassandraServer) backend(Kind.CASSANDRA).server();
    try (CallContextStore store = cassandra(server, "no_such_one", CassandraServer.PASSWORD)) {
      assertThatThrownBy(() -> readAll(store)).hasMessageContaining("no keyspace no_such_one");
      server.execute(keyspace("no_such_one"));
      assertThatCode(() -> readAll(store)).doesNotThrowAnyException();
    }
  }

  @Test
  @FullRun("Cassandra starts slowly")
  void unknownDatacenterIsNamedWithExistingOnes() throws Exception {
    CassandraServer server = (CassandraServer) backend(Kind.CASSANDRA).server();
    try (CallContextStore store =
        new CassandraStore(
            server.hosts(),
            "elsewhere",
            KEYSPACE,
            CassandraServer.USERNAME,
            new Secret(CassandraServer.PASSWORD),
            namespace,
            APP,
            IDLE_TIMEOUT,
            DefaultTimeout.DURATION)) {
      assertThatThrownBy(() -> readAll(store))
          .hasMessageContaining("no datacenter elsewhere")
          .hasMessageContaining(CassandraServer.DATACENTER);
    }
  }

  /**
   * Cassandra fails reads that scan 100,000 tombstones; a busy proxy creates that many within
   * minutes.
   */
  @Test
  @FullRun("Cassandra starts slowly")
  void cassandraReadsPastHundredThousandDeletions() throws Exception {
    try (CallContextStore store = store(Kind.CASSANDRA)) {
      store.write(List.of(new Change("CHANNEL:lives", "a")));
      for (int from = 0; from < 100_000; from += 5_000) {
        store.write(
            IntStream.range(from, from + 5_000)
                .mapToObj(i -> new Change("CHANNEL:1532965104." + i, null))
                .toList());
      }
    }
    assertThat(read(Kind.CASSANDRA)).containsOnly(Map.entry("CHANNEL:lives", "a"));
  }

  private CallContextStore cassandra(CassandraServer server, String keyspace, String password) {
    return cassandra(server.hosts(), keyspace, password, namespace, APP, DefaultTimeout.DURATION);
  }

  // ---- helpers

  private static void assertFailsWithinTimeout(ThrowingRunnable action) {
    long startNanos = System.nanoTime();
    Throwable failure = catchThrowable(action::run);
    Duration elapsed = Duration.ofNanos(System.nanoTime() - startNanos);
    assertThat(failure).isInstanceOf(Exception.class);
    assertThat(elapsed).isLessThan(TIMEOUT.multipliedBy(2).plus(SLOW_MACHINE_ALLOWANCE));
  }

  private static void eventually(ThrowingRunnable action) {
    await().ignoreExceptions().untilAsserted(action);
  }

  private CallContextStore store(Kind kind) {
    return backend(kind).store(namespace, APP, DefaultTimeout.DURATION);
  }

  private void write(Kind kind, Change... changes) throws Exception {
    try (CallContextStore store = store(kind)) {
      store.write(List.of(changes));
    }
  }

  private Map<String, String> read(Kind kind) throws Exception {
    try (CallContextStore store = store(kind)) {
      return readAll(store);
    }
  }

  private static Map<String, String> readAll(CallContextStore store) throws Exception {
    Map<String, String> all = new HashMap<>();
    store.readAll(all::put);
    return all;
  }

  /** Returns incompressible text. */
  private static String randomText(int length) {
    return new Random(1)
        .ints(length, 'A', 'z' + 1)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  // ---- servers, started on first use

  private static Backend backend(Kind kind) {
    return BACKENDS.computeIfAbsent(
        kind,
        unknown ->
            switch (unknown) {
              case KAFKA -> new Kafka(KafkaBroker.launch(), new HashSet<>());
              case SQLITE -> new Sqlite(files.resolve("call-contexts.db"));
              case POSTGRESQL -> new Postgresql(PostgresServer.launch());
              case REDIS -> new Redis(RedisServer.launch());
              case CASSANDRA -> Cassandra.launch();
            });
  }

  @AfterAll
  static void stopServers() throws Exception {
    for (Backend backend : BACKENDS.values()) {
      backend.close();
    }
    BACKENDS.clear();
  }

  private interface Backend extends AutoCloseable {

    StoreServer server();

    CallContextStore store(String namespace, String app, Duration timeout, String password);

    String password();

    default CallContextStore store(String namespace, String app, Duration timeout) {
      return store(namespace, app, timeout, password());
    }

    default long secondsToLive(String namespace, String app, String key) {
      throw new UnsupportedOperationException();
    }

    default void stop() {
      server().stop();
    }

    default void start() {
      server().start();
    }

    @Override
    default void close() {
      server().close();
    }
  }

  private record Kafka(KafkaBroker broker, Set<String> topics) implements Backend {

    @Override
    public StoreServer server() {
      throw new UnsupportedOperationException();
    }

    @Override
    public String password() {
      return "";
    }

    /** Each proxy has its own topic. */
    @Override
    public CallContextStore store(String namespace, String app, Duration timeout, String password) {
      String topic = namespace + "." + app;
      if (topics.add(topic)) {
        broker.createTopic(topic, 2);
      }
      return new KafkaStore(
          () -> Map.of(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrapServers()),
          topic,
          timeout);
    }

    @Override
    public void stop() {
      broker.stop();
    }

    @Override
    public void start() {
      broker.start();
    }

    @Override
    public void close() {
      broker.close();
    }
  }

  private record Sqlite(Path file) implements Backend {

    @Override
    public StoreServer server() {
      throw new UnsupportedOperationException();
    }

    @Override
    public String password() {
      return "";
    }

    @Override
    public CallContextStore store(String namespace, String app, Duration timeout, String password) {
      return sqlite(file, namespace, app);
    }

    @Override
    public void close() {
      // the temporary folder is deleted
    }
  }

  private static CallContextStore sqlite(Path file, String namespace, String app) {
    return sqlite(file, namespace, app, TIMEOUT);
  }

  private static CallContextStore sqlite(
      Path file, String namespace, String app, Duration timeout) {
    return new JdbcStore(
        new Secret("jdbc:sqlite:" + file), "", new Secret(""), namespace, app, timeout);
  }

  private record Postgresql(PostgresServer server) implements Backend {

    @Override
    public String password() {
      return PostgresServer.PASSWORD;
    }

    @Override
    public CallContextStore store(String namespace, String app, Duration timeout, String password) {
      return new JdbcStore(
          new Secret(server.url()),
          PostgresServer.USERNAME,
          new Secret(password),
          namespace,
          app,
          timeout);
    }
  }

  private record Redis(RedisServer server) implements Backend {

    @Override
    public String password() {
      return RedisServer.PASSWORD;
    }

    @Override
    public CallContextStore store(String namespace, String app, Duration timeout, String password) {
      return new RedisStore(
          new Secret(server.uri(password)), namespace, app, IDLE_TIMEOUT, timeout);
    }

    @Override
    public long secondsToLive(String namespace, String app, String key) {
      try (RedisClient client = RedisClient.create(server.uri(RedisServer.PASSWORD))) {
        return client.connect().sync().ttl("ari-proxy:call-contexts:" + namespace + ":" + app);
      }
    }
  }

  private static final String KEYSPACE = "ari_proxy_test";

  private record Cassandra(CassandraServer server) implements Backend {

    static Cassandra launch() {
      CassandraServer server = CassandraServer.launch();
      server.execute(keyspace(KEYSPACE));
      return new Cassandra(server);
    }

    @Override
    public String password() {
      return CassandraServer.PASSWORD;
    }

    @Override
    public CallContextStore store(String namespace, String app, Duration timeout, String password) {
      return cassandra(server.hosts(), KEYSPACE, password, namespace, app, timeout);
    }

    @Override
    public long secondsToLive(String namespace, String app, String key) {
      try (CqlSession session = server.session()) {
        return session
            .execute(
                SimpleStatement.newInstance(
                    "SELECT TTL(value) FROM "
                        + KEYSPACE
                        + ".call_contexts WHERE asterisk = ? AND app = ? AND resource = ? ALLOW FILTERING",
                    namespace,
                    app,
                    key))
            .one()
            .getInt(0);
      }
    }
  }

  private static CallContextStore cassandra(
      String hosts,
      String keyspace,
      String password,
      String namespace,
      String app,
      Duration timeout) {
    return new CassandraStore(
        hosts,
        CassandraServer.DATACENTER,
        keyspace,
        CassandraServer.USERNAME,
        new Secret(password),
        namespace,
        app,
        IDLE_TIMEOUT,
        timeout);
  }

  private static String keyspace(String name) {
    return "CREATE KEYSPACE IF NOT EXISTS "
        + name
        + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";
  }
}
