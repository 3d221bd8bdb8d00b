// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

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
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.RouteWatcherReloadStrategy;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
    RouteWatcherReloadStrategy watcher = new RouteWatcherReloadStrategy(folder.toString());
    watcher.setPattern("*.yaml");
    watcher.setPollTimeout(100);
    context.disableJMX();
    context.addService(watcher);
    context.getRegistry().bind("gauges", "a bean of the proxy");
    context.start();
    reloader = reloader();
    reloader.watch(() -> timeout -> true);
  }

  private RouteReloader reloader() {
    return new RouteReloader(
        context,
        folder,
        new CompiledRoutes(List.of()),
        Set.of(),
        rejectedFiles,
        Duration.ofSeconds(2));
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
    awaitLine(Level.ERROR, "a.camel.yaml failed to load: Unknown node id: proces");
    Files.writeString(file, BEANS.replace("destroyMethod", "destroy") + ROUTE);
    awaitLine(Level.ERROR, "a.camel.yaml failed to load: Unsupported field: destroy");
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
    assertThat(Client.OPEN).hasValue(1);
    Files.writeString(file, BEANS.replace("first", "third") + ROUTE);
    Awaitility.await().until(() -> "third".equals(reply()));
    assertThat(Client.OPEN).hasValue(1);
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
    Path shipped = folder.resolve("publish.camel.yaml");
    String content = BEANS + ROUTE;
    Files.writeString(shipped, content);
    awaitLine(Level.INFO, "publish.camel.yaml loaded");
    reloader = reloader();
    Files.writeString(otherFile, OTHER);
    reloader.loadAdditional();
    assertThat(context.getRoute("b")).isNotNull();
    assertCreatedAndClosed(1, 0);
    Files.writeString(shipped, content.replace("first", "second"));
    Awaitility.await().until(() -> "second".equals(reply()));
    assertThat(Client.OPEN).hasValue(1);
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
        new RouteFilesCheck(context).check(List.of(valid, repeated, replacing));
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
    awaitLine(Level.INFO, "a.camel.yaml loaded");
    assertThat(reply()).isEqualTo("first");
    assertCreatedAndClosed(1, 0);
  }

  private static void assertCreatedAndClosed(int created, int closed) {
    assertThat(Client.CREATED).hasValue(created);
    assertThat(Client.CLOSED).hasValue(closed);
  }

  /** Returns the reply of the client; an error if it is closed, or the route does not run. */
  private String reply() {
    Exchange exchange =
        context.createFluentProducerTemplate().to("direct:a?failIfNoConsumers=true").send();
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

    private String reply = "";
    private volatile boolean open;

    public Client() {
      CREATED.incrementAndGet();
    }

    static void reset() {
      CREATED.set(0);
      CLOSED.set(0);
      OPEN.set(0);
    }

    public void setReply(String reply) {
      this.reply = reply;
    }

    public void open() {
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
