// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.apache.camel.support.RouteWatcherReloadStrategy;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Beans that route files define: a client that must not be closed under a running route. */
class RouteFileBeansTest {

  private static final String BEANS =
      """
      - beans:
          - name: client
            type: io.retel.ariproxy.route.RouteFileBeansTest$Client
            initMethod: open
            destroyMethod: close
            properties:
              reply: first
      """;
  private static final String ROUTE =
      """
      - route:
          id: a
          from:
            uri: direct:a
            steps:
              - process:
                  id: use-client
                  ref: client
      """;
  private static final String OTHER =
      """
      - route:
          id: b
          from:
            uri: direct:b
            steps:
              - log: hello
      """;

  @TempDir private Path parent;
  @AutoClose private final CapturedLog log = new CapturedLog();
  @AutoClose private final DefaultCamelContext context = new DefaultCamelContext();

  private final RejectedRouteFiles rejectedFiles = new RejectedRouteFiles();
  private RouteReloader reloader;
  private Path folder;
  private Path file;
  private Path otherFile;

  @BeforeEach
  void start() throws Exception {
    Client.reset();
    folder = Files.createDirectory(parent.toRealPath().resolve("routes"));
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    file = folder.resolve("a.camel.yaml");
    otherFile = folder.resolve("b.camel.yaml");
    reloader = watch(context, folder);
    context.getRegistry().bind("gauges", "a bean of the proxy");
    context.start();
    reloader.loadAdditional();
  }

  private RouteReloader watch(DefaultCamelContext watching, Path watched) throws Exception {
    RouteWatcherReloadStrategy watcher = new RouteWatcherReloadStrategy(watched.toString());
    watching.disableJMX();
    watching.addService(watcher, true, false);
    RouteReloader created =
        new RouteReloader(
            watching,
            watched,
            new CompiledRoutes(List.of()),
            Set.of(),
            rejectedFiles,
            Duration.ofSeconds(2));
    created.watch(() -> timeout -> true);
    return created;
  }

  @Test
  void otherFilesLeaveBeansAsTheyAre() throws IOException {
    saveAndLoad();
    Files.writeString(otherFile, OTHER);
    awaitLine(Level.INFO, "b.camel.yaml loaded");
    Files.writeString(otherFile, OTHER.replace("id: b", "id: a"));
    awaitLine(Level.ERROR, "b.camel.yaml rejected: route id a belongs to a.camel.yaml");
    Files.writeString(otherFile, "- route: {id: b");
    awaitLine(Level.ERROR, "b.camel.yaml failed to load: ");
    Files.delete(otherFile);
    awaitLine(Level.INFO, "b.camel.yaml deleted: ");
    assertCreatedAndClosed(1, 0);
    assertThat(reply()).isEqualTo("first");
  }

  @Test
  void invalidEditLeavesBeansAsTheyAre() throws IOException {
    saveAndLoad();
    Files.writeString(file, BEANS + ROUTE.replace("process", "proces"));
    awaitLine(Level.ERROR, "a.camel.yaml failed to load: line 13: Unknown node id: proces");
    Files.writeString(file, BEANS.replace("destroyMethod", "destroy") + ROUTE);
    awaitLine(Level.ERROR, "a.camel.yaml failed to load: line 5: Unsupported field: destroy");
    assertCreatedAndClosed(1, 0);
    assertThat(reply()).isEqualTo("first");
  }

  @Test
  void editReplacesBeansAndDeletionEndsThem() throws IOException {
    saveAndLoad();
    Files.writeString(file, BEANS.replace("first", "second") + ROUTE);
    Awaitility.await().until(() -> "second".equals(reply()));
    assertCreatedAndClosed(2, 1);
    Files.delete(file);
    awaitLine(Level.INFO, "a.camel.yaml deleted: ");
    assertCreatedAndClosed(2, 2);
    assertThat(context.getRegistry().lookupByName("client")).isNull();
  }

  @Test
  void editWithoutBeanEndsIt() throws IOException {
    saveAndLoad();
    Files.writeString(file, ROUTE.replace("ref: client", "ref: none"));
    awaitLine(Level.ERROR, "a.camel.yaml failed to load: ");
    Awaitility.await().until(() -> "first".equals(reply()));
    Files.writeString(file, OTHER);
    Awaitility.await().until(() -> context.getRoute("b") != null);
    Awaitility.await().until(() -> Client.OPEN.get() == 0);
    assertThat(context.getRegistry().lookupByName("client")).isNull();
  }

  /** Camel's own loader then skips the beans of the next content. */
  @Test
  void beansAreCreatedAgainAfterFailedBuild() throws IOException {
    saveAndLoad();
    Files.writeString(
        file,
        BEANS.replace("first", "second")
            + "    - name: broken\n      type: org.example.Missing\n"
            + ROUTE);
    awaitLine(Level.ERROR, "a.camel.yaml failed to load: ");
    Awaitility.await().until(() -> "first".equals(reply()));
    assertOneOpen();
    Files.writeString(file, BEANS.replace("first", "third") + ROUTE);
    Awaitility.await().until(() -> "third".equals(reply()));
    assertOneOpen();
  }

  @Test
  void newFileThatFailsEndsItsBeans() throws IOException {
    Files.writeString(file, BEANS + ROUTE.replace("ref: client", "ref: none"));
    awaitLine(Level.ERROR, "a.camel.yaml failed to load: ");
    Awaitility.await().until(() -> context.getRegistry().lookupByName("client") == null);
    assertThat(Client.OPEN).hasValue(0);
  }

  @Test
  void rejectsBeanOfProxyOrOtherFile() throws IOException {
    saveAndLoad();
    Files.writeString(otherFile, BEANS.replace("client", "gauges") + OTHER);
    awaitLine(Level.ERROR, "b.camel.yaml rejected: the bean gauges belongs to the proxy");
    assertThat(context.getRegistry().lookupByName("gauges")).isEqualTo("a bean of the proxy");
    Files.writeString(otherFile, BEANS + OTHER);
    awaitLine(Level.ERROR, "b.camel.yaml rejected: bean client belongs to a.camel.yaml");
    assertCreatedAndClosed(1, 0);
  }

  /** The context has created its beans. */
  @Test
  void shippedFileKeepsItsBeans() throws Exception {
    Path started = Files.createDirectory(parent.toRealPath().resolve("started"));
    Files.setPosixFilePermissions(started, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path shipped = started.resolve("publish.camel.yaml");
    Path other = started.resolve("b.camel.yaml");
    String content = BEANS + ROUTE;
    Files.writeString(shipped, content);
    Files.writeString(other, OTHER);
    try (DefaultCamelContext starting = new DefaultCamelContext()) {
      RouteReloader second = watch(starting, started);
      PluginHelper.getRoutesLoader(starting)
          .loadRoutes(ResourceHelper.fromBytes("file:" + shipped, content.getBytes(UTF_8)));
      starting.start();
      second.loadAdditional();
      assertThat(starting.getRoute("b")).isNotNull();
      assertCreatedAndClosed(1, 0);
      Files.writeString(shipped, content.replace("first", "second"));
      Awaitility.await().until(() -> "second".equals(reply(starting)));
      assertCreatedAndClosed(2, 1);
      Files.writeString(shipped, content.replace("first", "third"));
      Awaitility.await().until(() -> "third".equals(reply(starting)));
      assertCreatedAndClosed(3, 2);
    }
    assertThat(Client.OPEN).hasValue(0);
  }

  /** Its server is down. */
  @ParameterizedTest
  @CsvSource({
    "a.camel.yaml, connect",
    "a.camel.yaml, open",
    "publish.camel.yaml, connect",
    "publish.camel.yaml, open"
  })
  void failingBeanLeavesRoutesAndBeansAsTheyAre(String name, String failing) throws IOException {
    file = folder.resolve(name);
    saveAndLoad();
    Object client = context.getRegistry().lookupByName("client");
    Client.failing = failing;
    Files.writeString(file, BEANS.replace("first", "second") + ROUTE);
    awaitLine(Level.ERROR, name + " failed to load: ");
    assertThat(reply()).isEqualTo("first");
    assertThat(context.getRegistry().lookupByName("client")).isSameAs(client);
    assertThat(Client.CLOSED).hasValue(0);

    Client.failing = "";
    Files.writeString(file, BEANS.replace("first", "third") + ROUTE);
    Awaitility.await().until(() -> "third".equals(reply()));
    assertOneOpen();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.camel.yaml", "publish.camel.yaml"})
  void blockingBeanLeavesRoutesAndBeansAsTheyAre(String name) throws IOException {
    file = folder.resolve(name);
    saveAndLoad();
    Files.writeString(file, BEANS.replace("open", "block").replace("first", "second") + ROUTE);
    awaitLine(Level.ERROR, name + " failed to load: ");
    assertThat(reply()).isEqualTo("first");
    Files.writeString(otherFile, OTHER);
    awaitLine(Level.INFO, "b.camel.yaml loaded");
    assertThat(Client.CLOSED).hasValue(0);
  }

  /** The previous bean may be one that can no longer be created. */
  @Test
  void rollbackContinuesWithPreviousBeans() throws IOException {
    saveAndLoad();
    Object client = context.getRegistry().lookupByName("client");
    Files.writeString(
        file, BEANS.replace("first", "second") + ROUTE.replace("ref: client", "ref: none"));
    awaitLine(Level.WARN, "a.camel.yaml rolled back to its previous version");
    assertThat(reply()).isEqualTo("first");
    assertThat(context.getRegistry().lookupByName("client")).isSameAs(client);
    assertOneOpen();
  }

  @Test
  void beanUsesNewInstanceOfOneThatFollows() throws IOException {
    String user =
        """
        - beans:
            - name: user
              type: io.retel.ariproxy.route.RouteFileBeansTest$Client
              properties:
                used: "#bean:client"
        """;
    Files.writeString(file, user + BEANS + ROUTE);
    awaitLine(Level.INFO, "a.camel.yaml loaded");
    Files.writeString(file, user + BEANS.replace("first", "second") + ROUTE);
    Awaitility.await().until(() -> "second".equals(reply()));
    assertThat(context.getRegistry().lookupByNameAndType("user", Client.class).used)
        .isSameAs(context.getRegistry().lookupByName("client"));
  }

  @Test
  void beanThatBlocksItsEndDoesNotBlockOtherFiles() throws IOException {
    String blocking = BEANS.replace("destroyMethod: close", "destroyMethod: block");
    Files.writeString(file, blocking + ROUTE);
    awaitLine(Level.INFO, "a.camel.yaml loaded");
    Files.writeString(file, blocking + ROUTE.replace("ref: client", "ref: none"));
    awaitLine(Level.WARN, "a.camel.yaml rolled back to its previous version");
    Files.delete(file);
    awaitLine(Level.INFO, "a.camel.yaml deleted: ");
    Files.writeString(otherFile, OTHER);
    awaitLine(Level.INFO, "b.camel.yaml loaded");
  }

  @Test
  void additionalFileWhoseBeanBlocksIsSkipped() throws IOException {
    Files.writeString(file, BEANS.replace("open", "block") + ROUTE);
    reloader.loadAdditional();
    awaitLine(Level.ERROR, "a.camel.yaml failed to load: ");
    Files.writeString(otherFile, OTHER);
    awaitLine(Level.INFO, "b.camel.yaml loaded");
  }

  @Test
  void checkCreatesBeansOnceAndRejectsThoseOfProxy() throws IOException {
    Path checked = Files.createDirectory(parent.toRealPath().resolve("checked"));
    Path valid = Files.writeString(checked.resolve("a.yaml"), BEANS + ROUTE);
    Path repeated = Files.writeString(checked.resolve("b.yaml"), BEANS + OTHER);
    Path replacing =
        Files.writeString(
            checked.resolve("c.yaml"),
            BEANS.replace("client", "gauges") + ROUTE.replace("id: a", "id: c"));
    List<RouteFilesCheck.Result> results =
        new RouteFilesCheck(context, Set.of(), new CompiledRoutes(List.of()))
            .check(List.of(valid, repeated, replacing));
    assertThat(results)
        .extracting(RouteFilesCheck.Result::problem)
        .satisfiesExactly(
            problem -> assertThat(problem).isEmpty(),
            problem -> assertThat(problem).startsWith("the bean client belongs to a.yaml"),
            problem -> assertThat(problem).startsWith("the bean gauges belongs to the proxy"));
    assertCreatedAndClosed(1, 0);
  }

  @Test
  void startRejectsBeanOfProxyInShippedFile() throws IOException {
    Path unwatched = Files.createDirectory(parent.toRealPath().resolve("unwatched"));
    Path shipped = unwatched.resolve("publish.camel.yaml");
    Files.writeString(shipped, BEANS + ROUTE);
    ShippedRoutesCollector collector = new ShippedRoutesCollector(unwatched);
    String pattern = "file:" + unwatched + "/*.yaml";
    assertThat(collector.findRouteResourcesFromDirectory(context, "", pattern)).hasSize(1);
    // Camel then creates the beans of all files, and lists the files again
    context.getRegistry().bind("client", "a bean of the file");
    assertThat(collector.findRouteResourcesFromDirectory(context, "", pattern)).hasSize(1);
    Files.writeString(shipped, BEANS.replace("client", "gauges") + ROUTE);
    ShippedRoutesCollector nextStart = new ShippedRoutesCollector(unwatched);
    assertThatThrownBy(() -> nextStart.findRouteResourcesFromDirectory(context, "", pattern))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageContaining("publish.camel.yaml: the bean gauges belongs to the proxy");
  }

  @Test
  void startRejectsBeanOfTwoShippedFiles() throws IOException {
    Path unwatched = Files.createDirectory(parent.toRealPath().resolve("unwatched"));
    Files.writeString(unwatched.resolve("events.camel.yaml"), BEANS + OTHER);
    Files.writeString(unwatched.resolve("publish.camel.yaml"), BEANS + ROUTE);
    ShippedRoutesCollector collector = new ShippedRoutesCollector(unwatched);
    assertThatThrownBy(
            () ->
                collector.findRouteResourcesFromDirectory(
                    context, "", "file:" + unwatched + "/*.yaml"))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageMatching(
            ".*/(events|publish).camel.yaml: the bean client belongs to"
                + " (events|publish).camel.yaml; choose another name");
  }

  private void saveAndLoad() throws IOException {
    Files.writeString(file, BEANS + ROUTE);
    awaitLine(Level.INFO, file.getFileName() + " loaded");
    assertThat(reply()).isEqualTo("first");
    assertCreatedAndClosed(1, 0);
  }

  /** A replaced bean ends once its file is in effect. */
  private static void assertCreatedAndClosed(int created, int closed) {
    Awaitility.await()
        .untilAsserted(
            () -> {
              assertThat(Client.CREATED).hasValue(created);
              assertThat(Client.CLOSED).hasValue(closed);
            });
  }

  /** However often a file that failed was read. */
  private static void assertOneOpen() {
    Awaitility.await().untilAsserted(() -> assertThat(Client.OPEN).hasValue(1));
  }

  /** Returns the reply of the client; an error if it is closed, or the route does not run. */
  private String reply() {
    return reply(context);
  }

  private static String reply(CamelContext running) {
    Exchange exchange =
        running.createFluentProducerTemplate().to("direct:a?failIfNoConsumers=true").send();
    return exchange.getException() == null
        ? exchange.getMessage().getBody(String.class)
        : exchange.getException().toString();
  }

  private void awaitLine(Level level, String text) {
    Awaitility.await(text)
        .until(() -> log.lines(level).stream().anyMatch(line -> line.contains(text)));
  }

  /** A client of a server, as a user's library has one. */
  public static final class Client implements Processor {

    static final AtomicInteger CREATED = new AtomicInteger();
    static final AtomicInteger CLOSED = new AtomicInteger();
    static final AtomicInteger OPEN = new AtomicInteger();

    /** What fails, as with a server that is down. */
    static volatile String failing = "";

    private String reply = "";
    private Object used = "";
    private volatile boolean open;

    public Client() {
      failIf("connect");
      CREATED.incrementAndGet();
    }

    private static void failIf(String name) {
      if (failing.equals(name)) {
        throw new IllegalStateException("Connection refused");
      }
    }

    static void reset() {
      failing = "";
      CREATED.set(0);
      CLOSED.set(0);
      OPEN.set(0);
    }

    public void setReply(String reply) {
      this.reply = reply;
    }

    public void setUsed(Object used) {
      this.used = used;
    }

    public void open() {
      failIf("open");
      OPEN.incrementAndGet();
      open = true;
    }

    /** The server accepts and does not answer. */
    public void block() throws InterruptedException {
      new CountDownLatch(1).await();
    }

    public void close() {
      CLOSED.incrementAndGet();
      OPEN.decrementAndGet();
      open = false;
    }

    @Override
    public void process(Exchange exchange) {
      if (!open) {
        throw new IllegalStateException("closed");
      }
      exchange.getMessage().setBody(reply);
    }
  }
}
