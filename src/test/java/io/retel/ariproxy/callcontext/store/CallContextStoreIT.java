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
import io.retel.ariproxy.RootCause;
import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.ChildProcess;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.Patience;
import io.retel.ariproxy.fixtures.kafka.FreePort;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.store.CassandraServer;
import io.retel.ariproxy.fixtures.store.PostgresServer;
import io.retel.ariproxy.fixtures.store.RedisServer;
import io.retel.ariproxy.fixtures.store.StoreServer;
import io.retel.ariproxy.settings.Secret;
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

/** What every store promises, on the real servers. */
class CallContextStoreIT {

  private static final Duration IDLE = Duration.ofHours(3);
  private static final Duration TIMEOUT = Duration.ofSeconds(2);

  /** What a slow machine may add to a timeout; less than the drivers' own, 10 s and more, would. */
  private static final Duration SLOWNESS = Duration.ofSeconds(5);

  private static final String APP = "an-app";
  private static final String WRONG = "wr0ng-passw0rd";

  @TempDir private static Path files;

  private static final Map<Kind, Backend> RUNNING = new EnumMap<>(Kind.class);

  /** All that outlive a process. */
  private enum Kind {
    KAFKA,
    SQLITE,
    POSTGRESQL,
    REDIS,
    CASSANDRA
  }

  /**
   * Runs a test on these stores, by default on all; on Cassandra, which starts slowly, in the full
   * run.
   */
  @ArgumentsSource(Stores.class)
  @Retention(RetentionPolicy.RUNTIME)
  private @interface OnEach {
    Kind[] value() default {Kind.KAFKA, Kind.SQLITE, Kind.POSTGRESQL, Kind.REDIS, Kind.CASSANDRA};
  }

  private static final class Stores extends AnnotationBasedArgumentsProvider<OnEach> {
    @Override
    protected Stream<? extends Arguments> provideArguments(
        ParameterDeclarations parameters, ExtensionContext context, OnEach on) {
      return Stream.of(on.value())
          .filter(kind -> kind != Kind.CASSANDRA || FullRun.IS_ON)
          .map(Arguments::of);
    }
  }

  /** A proxy's own text: who shares a server with it must not see it. */
  private final String asterisk = "asterisk-" + UUID.randomUUID();

  // ---- what is kept

  @ParameterizedTest
  @OnEach
  void whatIsWrittenIsReadByTheNextProxy(Kind kind) throws Exception {
    write(kind, new Change("CHANNEL:1.0", "a"), new Change("BRIDGE:1.0", "b"));
    assertThat(read(kind))
        .containsOnly(Map.entry("CHANNEL:1.0", "a"), Map.entry("BRIDGE:1.0", "b"));
  }

  @ParameterizedTest
  @OnEach
  void nothingIsReadWhereNothingWasWritten(Kind kind) throws Exception {
    assertThat(read(kind)).isEmpty();
  }

  @ParameterizedTest
  @OnEach
  void theLaterTextWins(Kind kind) throws Exception {
    try (CallContextStore store = store(kind)) {
      store.write(List.of(new Change("CHANNEL:1", "first"), new Change("CHANNEL:2", "other")));
      store.write(List.of(new Change("CHANNEL:1", "second")));
      store.write(List.of(new Change("CHANNEL:1", "third")));
    }
    assertThat(read(kind))
        .containsOnly(Map.entry("CHANNEL:1", "third"), Map.entry("CHANNEL:2", "other"));
  }

  @ParameterizedTest
  @OnEach
  void nullForgetsAndWhatWasForgottenCanBeKeptAgain(Kind kind) throws Exception {
    write(kind, new Change("CHANNEL:1", "a"), new Change("CHANNEL:2", "b"));
    write(kind, new Change("CHANNEL:1", null), new Change("CHANNEL:3", null));
    assertThat(read(kind)).containsOnly(Map.entry("CHANNEL:2", "b"));
    write(kind, new Change("CHANNEL:1", "again"), new Change("CHANNEL:2", null));
    assertThat(read(kind)).containsOnly(Map.entry("CHANNEL:1", "again"));
    write(kind, new Change("CHANNEL:1", null));
    assertThat(read(kind)).isEmpty();
  }

  @ParameterizedTest
  @OnEach
  void proxiesOfAnotherAsteriskOrAppSeeNothingOfEachOther(Kind kind) throws Exception {
    Backend backend = backend(kind);
    List<List<String>> proxies =
        List.of(List.of(asterisk, APP), List.of(asterisk, "b"), List.of(asterisk + "2", APP));
    for (List<String> proxy : proxies) {
      try (CallContextStore store = backend.store(proxy.get(0), proxy.get(1), Patience.LIMIT)) {
        store.write(List.of(new Change("CHANNEL:1", proxy.toString())));
      }
    }
    for (List<String> proxy : proxies) {
      try (CallContextStore store = backend.store(proxy.get(0), proxy.get(1), Patience.LIMIT)) {
        assertThat(all(store)).containsOnly(Map.entry("CHANNEL:1", proxy.toString()));
      }
    }
  }

  @ParameterizedTest
  @OnEach({Kind.SQLITE, Kind.POSTGRESQL, Kind.REDIS, Kind.CASSANDRA})
  void namesThatReadTheSameInARowAreOfDifferentProxies(Kind kind) throws Exception {
    Backend backend = backend(kind);
    try (CallContextStore one = backend.store(asterisk + ":a", "b", Patience.LIMIT);
        CallContextStore other = backend.store(asterisk, "a:b", Patience.LIMIT)) {
      one.write(List.of(new Change("CHANNEL:1", "a")));
      assertThat(all(other)).isEmpty();
      assertThat(all(one)).containsOnly(Map.entry("CHANNEL:1", "a"));
    }
  }

  @ParameterizedTest
  @OnEach
  void tenThousandAreReadAgain(Kind kind) throws Exception {
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
  @OnEach
  void anyTextIsKeptAsItIs(Kind kind) throws Exception {
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

  // ---- servers that are away

  @ParameterizedTest
  @OnEach({Kind.KAFKA, Kind.POSTGRESQL, Kind.REDIS})
  void aServerThatGoesAwayFailsWithinTheTimeoutAndIsUsedAgainWhenItIsBack(Kind kind)
      throws Exception {
    assertFailsWithinTheTimeoutWhileAway(backend(kind));
  }

  @Test
  @FullRun("Cassandra takes long to start")
  void aCassandraThatGoesAwayFailsWithinTheTimeoutAndIsUsedAgainWhenItIsBack() throws Exception {
    assertFailsWithinTheTimeoutWhileAway(backend(Kind.CASSANDRA));
  }

  private void assertFailsWithinTheTimeoutWhileAway(Backend backend) throws Exception {
    try (CallContextStore running = backend.store(asterisk, APP, TIMEOUT)) {
      eventually(() -> running.write(List.of(new Change("CHANNEL:1", "before"))));
      CallContextStore startedMeanwhile;
      backend.stop();
      try {
        failsInTime(() -> running.write(List.of(new Change("CHANNEL:1", "never"))));
        startedMeanwhile = backend.store(asterisk, APP, TIMEOUT);
        failsInTime(() -> all(startedMeanwhile));
        failsInTime(() -> running.write(List.of(new Change("CHANNEL:1", "never"))));
      } finally {
        backend.start();
      }
      try (startedMeanwhile) {
        eventually(() -> assertThat(all(startedMeanwhile)).containsKey("CHANNEL:1"));
        eventually(
            () ->
                running.write(
                    List.of(new Change("CHANNEL:1", "after"), new Change("CHANNEL:2", "new"))));
        assertThat(all(startedMeanwhile))
            .containsOnly(Map.entry("CHANNEL:1", "after"), Map.entry("CHANNEL:2", "new"));
      }
    }
  }

  @ParameterizedTest
  @OnEach({Kind.POSTGRESQL, Kind.REDIS, Kind.CASSANDRA})
  void aServerThatHangsFailsWithinTheTimeoutAndIsUsedAgainWhenItGoesOn(Kind kind) throws Exception {
    Backend backend = backend(kind);
    try (CallContextStore running = backend.store(asterisk, APP, TIMEOUT)) {
      eventually(() -> running.write(List.of(new Change("CHANNEL:1", "before"))));
      CallContextStore startedMeanwhile;
      backend.server().hang();
      try {
        failsInTime(() -> running.write(List.of(new Change("CHANNEL:1", "lost or not"))));
        startedMeanwhile = backend.store(asterisk, APP, TIMEOUT);
        failsInTime(() -> all(startedMeanwhile));
      } finally {
        backend.server().goOn();
      }
      try (startedMeanwhile) {
        eventually(() -> running.write(List.of(new Change("CHANNEL:1", "after"))));
        eventually(() -> assertThat(all(startedMeanwhile)).containsEntry("CHANNEL:1", "after"));
      }
    }
  }

  @ParameterizedTest
  @OnEach({Kind.POSTGRESQL, Kind.REDIS})
  void anAbsentServerHoldsUpNeitherTheConstructorNorTheEnd(Kind kind) throws Exception {
    Backend backend = backend(kind);
    backend.stop();
    try {
      Duration patient = Patience.LIMIT.multipliedBy(10);
      long begin = System.nanoTime();
      backend.store(asterisk, APP, patient).close();
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Patience.LIMIT);
    } finally {
      backend.start();
    }
  }

  /** Who logs a failure only when it is another than before would otherwise log each attempt. */
  @ParameterizedTest
  @OnEach({Kind.POSTGRESQL, Kind.REDIS, Kind.CASSANDRA})
  void anAbsentServerIsToldInTheSameWordsEachTime(Kind kind) throws Exception {
    String nobody = "127.0.0.1:" + FreePort.find();
    try (CallContextStore store =
        switch (kind) {
          case POSTGRESQL -> postgresql("jdbc:postgresql://" + nobody + "/postgres");
          case REDIS -> redis("redis://" + nobody);
          default -> cassandra(nobody, KEYSPACE, "none", asterisk, APP, TIMEOUT);
        }) {
      String first = RootCause.inOneLine(catchThrowable(() -> all(store)));
      assertThat(RootCause.inOneLine(catchThrowable(() -> all(store)))).isEqualTo(first);
    }
  }

  @ParameterizedTest
  @OnEach({Kind.POSTGRESQL, Kind.REDIS, Kind.CASSANDRA})
  void whoIsInterruptedWhileAServerIsAwaySeesThat(Kind kind) throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      String address = "127.0.0.1:" + silent.getLocalPort();
      CallContextStore store =
          switch (kind) {
            case POSTGRESQL -> postgresql("jdbc:postgresql://" + address + "/postgres");
            case REDIS -> redis("redis://" + address);
            default -> cassandra(address, KEYSPACE, "none", asterisk, APP, TIMEOUT);
          };
      try (store) {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> all(store)).isInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isFalse();
      }
    }
  }

  @Test
  void anSqliteFileWhoseFolderIsAbsentIsMadeWhenTheFolderIsThere() throws Exception {
    Path folder = files.resolve("later");
    try (CallContextStore store = sqlite(folder.resolve("x.db"), asterisk, APP)) {
      failsInTime(() -> all(store));
      // the line that tells of it has to say where it looks
      assertThatThrownBy(() -> all(store))
          .extracting(RootCause::inOneLine)
          .asString()
          .contains(folder.toString());
      Files.createDirectory(folder);
      eventually(() -> store.write(List.of(new Change("CHANNEL:1", "a"))));
      assertThat(all(store)).containsOnly(Map.entry("CHANNEL:1", "a"));
    }
  }

  @Test
  void whatSqliteHasAcknowledgedSurvivesTheProxysKill() throws Exception {
    Path file = files.resolve("killed.db");
    Process writer =
        ChildProcess.of(
                ChildProcess.java(
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
          // Process's own would also close the output, with what is left in it
          writer.toHandle().destroyForcibly();
        }
        line = output.readLine();
      }
    }
    assertThat(acknowledged).hasSizeGreaterThanOrEqualTo(200);
    try (CallContextStore store = sqlite(file, "killed", APP)) {
      assertThat(all(store).keySet()).containsAll(acknowledged);
    }
  }

  /** Says which keys are acknowledged. */
  static final class EndlessWriter {

    private EndlessWriter() {}

    public static void main(String[] args) throws Exception {
      try (CallContextStore store = sqlite(Path.of(args[0]), "killed", APP)) {
        for (int i = 0; true; i++) {
          store.write(List.of(new Change("CHANNEL:" + i, "x")));
          System.out.println("CHANNEL:" + i);
        }
      }
    }
  }

  @Test
  void twoProxiesMayShareAnSqliteFile() throws Exception {
    Path file = files.resolve("shared.db");
    List<Thread> writers = new ArrayList<>();
    Map<String, Throwable> failures = new ConcurrentHashMap<>();
    for (String app : List.of("a", "b")) {
      writers.add(
          new Thread(
              () -> {
                try (CallContextStore store = sqlite(file, asterisk, app)) {
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
    try (CallContextStore store = sqlite(file, asterisk, "a")) {
      assertThat(all(store)).hasSize(100).containsValue("a").doesNotContainValue("b");
    }
  }

  @ParameterizedTest
  @OnEach({Kind.POSTGRESQL, Kind.REDIS, Kind.CASSANDRA})
  void aStoreThatIsClosedLeavesNoThreads(Kind kind) throws Exception {
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

  // ---- what a removed proxy leaves

  @ParameterizedTest
  @OnEach({Kind.REDIS, Kind.CASSANDRA})
  void whatARemovedProxyLeavesVanishesAfterTwoIdleTimes(Kind kind) throws Exception {
    write(kind, new Change("CHANNEL:1", "a"));
    assertThat(backend(kind).secondsToLive(asterisk, APP, "CHANNEL:1"))
        .isBetween(2 * IDLE.toSeconds() - 60, 2 * IDLE.toSeconds());
  }

  // ---- secrets

  @ParameterizedTest
  @OnEach({Kind.POSTGRESQL, Kind.REDIS, Kind.CASSANDRA})
  void aWrongPasswordIsRefusedAndNeitherToldNorLogged(Kind kind) throws Exception {
    Backend backend = backend(kind);
    try (CapturedLog log = CapturedLog.atDebug();
        CallContextStore store = backend.store(asterisk, APP, TIMEOUT, WRONG)) {
      Throwable failure = catchThrowable(() -> all(store));
      assertThat(failure).isInstanceOf(Exception.class);
      StringWriter told = new StringWriter();
      failure.printStackTrace(new PrintWriter(told));
      log.events().forEach(event -> told.append(event.getFormattedMessage()).append('\n'));
      assertThat(told + store.toString()).doesNotContain(WRONG);
    }
  }

  @ParameterizedTest
  @OnEach({Kind.POSTGRESQL, Kind.REDIS})
  void thePasswordIsNotLoggedWhileTheServerIsAwayAndComesBack(Kind kind) throws Exception {
    Backend backend = backend(kind);
    String password = kind == Kind.REDIS ? RedisServer.PASSWORD : PostgresServer.PASSWORD;
    try (CapturedLog log = CapturedLog.atDebug();
        CallContextStore store = backend.store(asterisk, APP, TIMEOUT)) {
      eventually(() -> all(store));
      backend.stop();
      Throwable failure;
      try {
        failure = catchThrowable(() -> all(store));
      } finally {
        backend.start();
      }
      eventually(() -> all(store));
      StringWriter told = new StringWriter();
      failure.printStackTrace(new PrintWriter(told));
      log.events().forEach(event -> told.append(event.getFormattedMessage()).append('\n'));
      assertThat(told + store.toString()).doesNotContain(password);
    }
  }

  @Test
  void aPasswordThatTheServerQuotesIsMasked() throws Exception {
    // what a Redis before version 6, or a proxy in front of one, says of a command that it has not
    try (FakeServer server = new FakeServer();
        CallContextStore store = redis("redis://:s3cret@127.0.0.1:" + server.port())) {
      server.answer(
          "-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`,"
              + " `s3cret`,\r\n");
      Throwable failure = catchThrowable(() -> all(store));
      assertThat(failure).hasMessageContaining("unknown command").hasMessageContaining("`***`");
      StringWriter told = new StringWriter();
      failure.printStackTrace(new PrintWriter(told));
      assertThat(told.toString()).doesNotContain("s3cret");
    }
  }

  @Test
  void redissSaysNothingInTheClear() throws Exception {
    try (FakeServer server = new FakeServer();
        CallContextStore store = redis("rediss://:s3cret@127.0.0.1:" + server.port())) {
      server.answer("+OK\r\n");
      assertThat(catchThrowable(() -> all(store))).isInstanceOf(Exception.class);
      byte handshake = 0x16;
      assertThat(server.received()).startsWith(handshake);
      assertThat(new String(server.received(), ISO_8859_1)).doesNotContain("s3cret");
    }
  }

  private CallContextStore redis(String uri) {
    return new RedisStore(new Secret(uri), asterisk, APP, IDLE, TIMEOUT);
  }

  /** Takes any number of connections and gives each request the same answer. */
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

    void answer(String answer) {
      Thread thread = new Thread(() -> serve(answer.getBytes(UTF_8)));
      thread.setDaemon(true);
      thread.start();
    }

    private void serve(byte[] answer) {
      byte[] request = new byte[8_192];
      while (!socket.isClosed()) {
        try (Socket client = socket.accept()) {
          int length = client.getInputStream().read(request);
          while (length > 0) {
            received.write(request, 0, length);
            client.getOutputStream().write(answer);
            length = client.getInputStream().read(request);
          }
        } catch (IOException e) {
          // the client or the test is done
        }
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  @Test
  void aUserAndPasswordInTheJdbcUrlAreTaken() throws Exception {
    PostgresServer server = (PostgresServer) backend(Kind.POSTGRESQL).server();
    String login = "?user=" + PostgresServer.USERNAME + "&password=";
    String password = URLEncoder.encode(PostgresServer.PASSWORD, UTF_8);
    try (CallContextStore store = postgresql(server.url() + login + password)) {
      eventually(() -> assertThat(all(store)).isEmpty());
    }
    try (CallContextStore store = postgresql(server.url() + login + WRONG)) {
      assertThatThrownBy(() -> all(store))
          .hasStackTraceContaining("authentication failed")
          .message()
          .doesNotContain(WRONG);
    }
  }

  private CallContextStore postgresql(String url) {
    return new JdbcStore(new Secret(url), "", new Secret(""), asterisk, APP, TIMEOUT);
  }

  @Test
  void whoMayUseThePostgresqlTableNeedNotBeAllowedToMakeOne() throws Exception {
    write(Kind.POSTGRESQL, new Change("CHANNEL:1", "a"));
    PostgresServer server = (PostgresServer) backend(Kind.POSTGRESQL).server();
    server.execute("CREATE ROLE modest LOGIN PASSWORD 'modest'");
    server.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ari_proxy_call_contexts TO modest");
    try (CallContextStore store =
        new JdbcStore(
            new Secret(server.url()),
            "modest",
            new Secret("modest"),
            asterisk,
            APP,
            Patience.LIMIT)) {
      assertThat(all(store)).containsOnly(Map.entry("CHANNEL:1", "a"));
      store.write(List.of(new Change("CHANNEL:1", null)));
      assertThat(all(store)).isEmpty();
    }
  }

  @Test
  @FullRun("Cassandra takes long to start")
  void aKeyspaceThatIsAbsentIsNamed() throws Exception {
    CassandraServer server = (CassandraServer) backend(Kind.CASSANDRA).server();
    try (CallContextStore store = cassandra(server, "no_such_one", CassandraServer.PASSWORD)) {
      assertThatThrownBy(() -> all(store)).hasMessageContaining("no keyspace no_such_one");
      server.execute(keyspace("no_such_one"));
      assertThatCode(() -> all(store)).doesNotThrowAnyException();
    }
  }

  @Test
  @FullRun("Cassandra takes long to start")
  void aDatacenterThatIsAbsentIsNamedBesideThoseThatAreThere() throws Exception {
    CassandraServer server = (CassandraServer) backend(Kind.CASSANDRA).server();
    try (CallContextStore store =
        new CassandraStore(
            server.hosts(),
            "elsewhere",
            KEYSPACE,
            CassandraServer.USERNAME,
            new Secret(CassandraServer.PASSWORD),
            asterisk,
            APP,
            IDLE,
            Patience.LIMIT)) {
      assertThatThrownBy(() -> all(store))
          .hasMessageContaining("no datacenter elsewhere")
          .hasMessageContaining(CassandraServer.DATACENTER);
    }
  }

  /**
   * Cassandra fails a read that meets 100,000 deletions; a busy proxy has as many within minutes.
   */
  @Test
  @FullRun("Cassandra takes long to start")
  void aHundredThousandEndedCallsDoNotKeepAProxyOnCassandraFromStarting() throws Exception {
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
    return cassandra(server.hosts(), keyspace, password, asterisk, APP, Patience.LIMIT);
  }

  // ---- helpers

  private static void failsInTime(ThrowingRunnable action) {
    long begin = System.nanoTime();
    Throwable failure = catchThrowable(action::run);
    Duration took = Duration.ofNanos(System.nanoTime() - begin);
    assertThat(failure).isInstanceOf(Exception.class);
    assertThat(took).isLessThan(TIMEOUT.multipliedBy(2).plus(SLOWNESS));
  }

  private static void eventually(ThrowingRunnable action) {
    await().ignoreExceptions().untilAsserted(action);
  }

  private CallContextStore store(Kind kind) {
    return backend(kind).store(asterisk, APP, Patience.LIMIT);
  }

  private void write(Kind kind, Change... changes) throws Exception {
    try (CallContextStore store = store(kind)) {
      store.write(List.of(changes));
    }
  }

  private Map<String, String> read(Kind kind) throws Exception {
    try (CallContextStore store = store(kind)) {
      return all(store);
    }
  }

  private static Map<String, String> all(CallContextStore store) throws Exception {
    Map<String, String> all = new HashMap<>();
    store.readAll(all::put);
    return all;
  }

  /** Nothing can compress it. */
  private static String randomText(int length) {
    return new Random(1)
        .ints(length, 'A', 'z' + 1)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  // ---- the servers, each started when it is first asked for

  private static Backend backend(Kind kind) {
    return RUNNING.computeIfAbsent(
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
    for (Backend backend : RUNNING.values()) {
      backend.close();
    }
    RUNNING.clear();
  }

  private interface Backend extends AutoCloseable {

    StoreServer server();

    CallContextStore store(String asterisk, String app, Duration timeout, String password);

    String password();

    default CallContextStore store(String asterisk, String app, Duration timeout) {
      return store(asterisk, app, timeout, password());
    }

    default long secondsToLive(String asterisk, String app, String key) {
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

    /** Each proxy has a topic of its own. */
    @Override
    public CallContextStore store(String asterisk, String app, Duration timeout, String password) {
      String topic = asterisk + "." + app;
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
    public CallContextStore store(String asterisk, String app, Duration timeout, String password) {
      return sqlite(file, asterisk, app);
    }

    @Override
    public void close() {
      // the folder is deleted
    }
  }

  private static CallContextStore sqlite(Path file, String asterisk, String app) {
    return new JdbcStore(
        new Secret("jdbc:sqlite:" + file), "", new Secret(""), asterisk, app, TIMEOUT);
  }

  private record Postgresql(PostgresServer server) implements Backend {

    @Override
    public String password() {
      return PostgresServer.PASSWORD;
    }

    @Override
    public CallContextStore store(String asterisk, String app, Duration timeout, String password) {
      return new JdbcStore(
          new Secret(server.url()),
          PostgresServer.USERNAME,
          new Secret(password),
          asterisk,
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
    public CallContextStore store(String asterisk, String app, Duration timeout, String password) {
      return new RedisStore(new Secret(server.uri(password)), asterisk, app, IDLE, timeout);
    }

    @Override
    public long secondsToLive(String asterisk, String app, String key) {
      try (RedisClient client = RedisClient.create(server.uri(RedisServer.PASSWORD))) {
        return client.connect().sync().ttl("ari-proxy:call-contexts:" + asterisk + ":" + app);
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
    public CallContextStore store(String asterisk, String app, Duration timeout, String password) {
      return cassandra(server.hosts(), KEYSPACE, password, asterisk, app, timeout);
    }

    @Override
    public long secondsToLive(String asterisk, String app, String key) {
      try (CqlSession session = server.session()) {
        return session
            .execute(
                SimpleStatement.newInstance(
                    "SELECT TTL(value) FROM "
                        + KEYSPACE
                        + ".call_contexts WHERE asterisk = ? AND app = ? AND resource = ? ALLOW FILTERING",
                    asterisk,
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
      String asterisk,
      String app,
      Duration timeout) {
    return new CassandraStore(
        hosts,
        CassandraServer.DATACENTER,
        keyspace,
        CassandraServer.USERNAME,
        new Secret(password),
        asterisk,
        app,
        IDLE,
        timeout);
  }

  private static String keyspace(String name) {
    return "CREATE KEYSPACE IF NOT EXISTS "
        + name
        + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";
  }
}
