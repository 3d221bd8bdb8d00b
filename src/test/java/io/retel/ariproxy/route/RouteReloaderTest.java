// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.route.ConfigMapVolume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.ExecutorServiceManager;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.DefaultConsumer;
import org.apache.camel.support.DefaultEndpoint;
import org.apache.camel.support.RouteWatcherReloadStrategy;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that must not be loaded. */
class RouteReloaderTest {

  private static final String ROUTE =
      """
      - route:
          id: own
          from:
            uri: direct:own
            steps:
              - log: hello
      """;

  /** Less than the end of a blocked route takes, and much more than a start on a busy machine. */
  private static final Duration MAX_START = Duration.ofSeconds(4);

  @TempDir private Path parent;
  @AutoClose private final CapturedLog log = new CapturedLog();
  @AutoClose private final DefaultCamelContext context = new DefaultCamelContext();

  private final RejectedRouteFiles rejectedFiles = new RejectedRouteFiles();
  private RouteReloader reloader;
  private Path folder;
  private Path file;

  @BeforeEach
  void start() throws Exception {
    folder = Files.createDirectory(parent.toRealPath().resolve("routes"));
    file = folder.resolve("own.camel.yaml");
    permit("rwxr-xr-x");
    RouteWatcherReloadStrategy watcher = new RouteWatcherReloadStrategy(folder.toString());
    context.disableJMX();
    context.addService(watcher, true, false);
    reloader =
        new RouteReloader(
            context, folder, new CompiledRoutes(List.of()), Set.of(), rejectedFiles, MAX_START);
    reloader.watch(() -> timeout -> true);
    context.start();
    reloader.loadAdditional();
  }

  @Test
  void rejectsChangesWhileEveryUserCanChangeTheFolder() throws IOException {
    permit("rwxrwxrwx");
    save();
    awaitLine(Level.ERROR, "own.camel.yaml rejected: Every user of this host can change " + folder);
    assertThat(context.getRoute("own")).isNull();

    permit("rwxr-xr-x");
    save();
    awaitLine(Level.INFO, "own.camel.yaml loaded");

    permit("rwxrwxrwx");
    int rejections = log.lines(Level.ERROR).size();
    Files.delete(file);
    Awaitility.await().until(() -> log.lines(Level.ERROR).size() > rejections);
    assertThat(context.getRoute("own")).isNotNull();
  }

  @Test
  void continuesAfterFilesThatAreNotRegularOrTooLarge() throws Exception {
    Path pipe = folder.resolve("pipe.camel.yaml");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    awaitLine(Level.ERROR, "pipe.camel.yaml rejected: it is not a regular file");
    Files.writeString(folder.resolve("large.camel.yaml"), "#".repeat((1 << 20) + 1));
    awaitLine(Level.ERROR, "large.camel.yaml rejected: it is larger than 1024 KB");
    save();
    awaitLine(Level.INFO, "own.camel.yaml loaded");
  }

  /** Kubernetes replaces a link to a folder, and none of the files. */
  @Test
  void reloadsChangedFilesOfConfigMap() {
    ConfigMapVolume volume = new ConfigMapVolume(folder);
    String other = ROUTE.replace("own", "other");
    volume.update(Map.of("own.camel.yaml", ROUTE, "other.camel.yaml", other));
    awaitLine(Level.INFO, "own.camel.yaml loaded");
    awaitLine(Level.INFO, "other.camel.yaml loaded");
    Route unchanged = context.getRoute("other");

    volume.update(
        Map.of(
            "own.camel.yaml",
            ROUTE.replace("direct:own", "direct:changed"),
            "other.camel.yaml",
            other,
            "added.camel.yaml",
            ROUTE.replace("own", "added")));
    Awaitility.await("the change is in effect")
        .until(
            () -> {
              Route changed = context.getRoute("own");
              return changed != null
                  && changed.getEndpoint().getEndpointUri().equals("direct://changed");
            });
    awaitLine(Level.INFO, "added.camel.yaml loaded");

    volume.update(Map.of("other.camel.yaml", other));
    awaitLine(Level.INFO, "own.camel.yaml deleted: [own] stopped and removed");
    awaitLine(Level.INFO, "added.camel.yaml deleted: [added] stopped and removed");
    assertThat(context.getRoute("other")).as("not rebuilt").isSameAs(unchanged);
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  /**
   * Kubernetes deletes a file before the link to it, and the system remembers 512 changes at most.
   */
  @Test
  void filesThatChangeWhileTheyAreReadAreNotErrors() {
    ConfigMapVolume volume = new ConfigMapVolume(folder);
    Map<String, String> both =
        Map.of("own.camel.yaml", ROUTE, "other.camel.yaml", ROUTE.replace("own", "other"));
    for (int round = 0; round < 200; round++) {
      volume.update(both);
      volume.update(Map.of("own.camel.yaml", ROUTE.replace("hello", "round " + round)));
    }
    volume.update(both);
    awaitLine(Level.INFO, "other.camel.yaml loaded");
    volume.update(Map.of());
    Awaitility.await().until(() -> context.getRoutes().isEmpty());
    assertThat(log.lines(Level.ERROR)).isEmpty();
    assertThat(rejectedFiles.count()).isZero();
  }

  @Test
  void namesLinkToNothing() throws IOException {
    Files.createSymbolicLink(file, Path.of("missing.yaml"));
    awaitLine(Level.ERROR, "own.camel.yaml is a link to a file that does not exist");
    Files.createSymbolicLink(folder.resolve("volume.camel.yaml"), Path.of("..data", "gone.yaml"));
    Files.delete(file);
    Awaitility.await().until(() -> rejectedFiles.count() == 0);
    assertThat(log.lines(Level.ERROR)).hasSize(1);
  }

  /** As after {@code rm -r} of what is replaced next: nothing ends before the files are back. */
  @Test
  void routesContinueWhileTheFolderIsMissing() throws IOException {
    save();
    awaitLine(Level.INFO, "own.camel.yaml loaded");
    Path moved = Files.move(folder, parent.resolve("moved"));
    Files.setLastModifiedTime(moved.resolve("own.camel.yaml"), FileTime.fromMillis(0));
    Files.delete(moved.resolve("own.camel.yaml"));
    awaitLine(Level.ERROR, "cannot be watched, so its routes continue unchanged");
    assertThat(context.getRoute("own")).isNotNull();

    Files.createDirectory(folder);
    permit("rwxr-xr-x");
    awaitLine(Level.INFO, "own.camel.yaml deleted: [own] stopped and removed");
  }

  /** A file is renamed by a copy, then the deletion of the first. */
  @Test
  void loadsCopyOnceTheOriginalIsDeleted() throws IOException {
    save();
    awaitLine(Level.INFO, "own.camel.yaml loaded");
    Files.copy(file, folder.resolve("copy.camel.yaml"));
    awaitLine(Level.ERROR, "copy.camel.yaml rejected: route id own belongs to own.camel.yaml");
    Files.delete(file);
    awaitLine(Level.INFO, "copy.camel.yaml loaded");
    assertThat(rejectedFiles.count()).isZero();
    assertThat(context.getRoute("own")).isNotNull();
  }

  /** Camel compares with routes that run. */
  @Test
  void replacesRouteThatIsStopped() throws Exception {
    save();
    awaitLine(Level.INFO, "own.camel.yaml loaded");
    context.getRouteController().stopRoute("own");
    Path other = folder.resolve("other.camel.yaml");
    Files.writeString(other, ROUTE.replace("id: own", "id: other"));
    awaitLine(Level.INFO, "other.camel.yaml loaded");
    Path third = folder.resolve("third.camel.yaml");
    Files.writeString(third, ROUTE.replace("id: own", "id: third"));
    awaitLine(Level.ERROR, "third.camel.yaml failed to load: ");
  }

  @Test
  void reloadsRouteWithoutId() throws IOException {
    String anonymous = ROUTE.replace("    id: own\n", "");
    Files.writeString(file, anonymous);
    awaitLine(Level.INFO, "own.camel.yaml loaded");
    Files.writeString(file, anonymous.replace("hello", "again"));
    Awaitility.await()
        .until(
            () ->
                log.lines(Level.INFO).stream()
                        .filter(line -> line.contains("own.camel.yaml loaded"))
                        .count()
                    == 2);
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  /** A library that is missing is an error, not an exception. */
  @Test
  void skipsFileWhoseLibraryIsMissing() throws IOException {
    context
        .getRegistry()
        .bind(
            "broken",
            Processor.class,
            () -> {
              throw new NoClassDefFoundError("org/example/Missing");
            });
    Files.writeString(
        folder.resolve("broken.camel.yaml"),
        ROUTE.replace("own", "broken").replace("log: hello", "process: {ref: broken}"));
    reloader.loadAdditional();
    awaitLine(Level.ERROR, "broken.camel.yaml failed to load: ");
    assertThat(rejectedFiles.describe())
        .hasValueSatisfying(files -> assertThat(files).contains("org/example/Missing"));
  }

  /** Camel starts no other route while one starts. */
  @Test
  void skipsRouteThatBlocksItsStart() throws Exception {
    context.addComponent("blocking", new BlockingComponent());
    Files.writeString(
        folder.resolve("a.camel.yaml"),
        ROUTE.replace("direct:own", "blocking:x").replace("own", "a"));
    awaitLine(Level.ERROR, "a.camel.yaml failed to load: ");
    save();
    awaitLine(Level.INFO, "own.camel.yaml loaded");
  }

  @Test
  void acceptsSameContentOnceItsPermissionsAreCorrected() throws IOException {
    save();
    awaitLine(Level.INFO, "own.camel.yaml loaded");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    awaitLine(Level.ERROR, "own.camel.yaml rejected: ");
    assertThat(rejectedFiles.count()).isOne();
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    Awaitility.await().until(() -> rejectedFiles.count() == 0);
  }

  /** The route is stopped before the new one is built. */
  @Test
  void previousRouteContinuesAfterInvalidEdit() throws IOException {
    save();
    awaitLine(Level.INFO, "own.camel.yaml loaded");
    Files.writeString(file, ROUTE.replace("log: hello", "process: {ref: nobody}"));
    awaitLine(Level.ERROR, "own.camel.yaml failed to load: ");
    Awaitility.await()
        .until(() -> context.getRouteController().getRouteStatus("own") == ServiceStatus.Started);

    Files.writeString(file, ROUTE.replace("direct:own", "direct:own?nothing=1"));
    Awaitility.await().until(() -> log.lines(Level.ERROR).size() == 2);
    Awaitility.await()
        .until(() -> context.getRouteController().getRouteStatus("own") == ServiceStatus.Started);
  }

  @Test
  void rejectsRouteConfigurationThatAppliesToRoutesOfTheProxy() throws IOException {
    Files.writeString(
        file,
        """
        - routeConfiguration:
            onException:
              - onException:
                  exception: [java.lang.Exception]
                  handled:
                    constant: {expression: "true"}
                  steps:
                    - log: hello
        """);
    reloader.loadAdditional();
    awaitLine(Level.ERROR, "own.camel.yaml rejected: a route configuration without an id");
  }

  @Test
  void namesFilesThatContainNoRoute() throws IOException {
    Files.writeString(file, "route: {id: own}");
    Files.writeString(folder.resolve("other.yml"), ROUTE);
    reloader.loadAdditional();
    awaitLine(Level.ERROR, "own.camel.yaml rejected: it is not a list of routes");
    awaitLine(Level.ERROR, "other.yml is ignored: its name must end in .yaml");
    assertThat(rejectedFiles.count()).isEqualTo(2);
  }

  @Test
  void namesMisnamedFileThatIsAdded() throws IOException {
    Path misnamed = folder.resolve("other.yml");
    Files.writeString(misnamed, ROUTE);
    awaitLine(Level.ERROR, "other.yml is ignored: its name must end in .yaml");
    assertThat(rejectedFiles.contains(misnamed)).isTrue();
    Files.delete(misnamed);
    Awaitility.await().until(() -> !rejectedFiles.contains(misnamed));
  }

  /** Camel's own error comes after the running route was stopped. */
  @Test
  void namesLineOfStepIdThatExistsTwice() throws IOException {
    save();
    awaitLine(Level.INFO, "own.camel.yaml loaded");
    Route running = context.getRoute("own");
    Files.writeString(
        file,
        ROUTE.replace(
            "- log: hello",
            "- log:\n            id: a\n            message: x\n        - log:\n            id: a\n            message: x"));
    awaitLine(
        Level.ERROR,
        "own.camel.yaml failed to load: line 9: the step id a exists twice; choose another one"
            + " (its routes continue unchanged)");
    assertThat(context.getRoute("own")).isSameAs(running);
    assertThat(log.lines(Level.WARN)).isEmpty();
  }

  @Test
  void rejectsIdOfRouteInLibrary() throws Exception {
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:library").routeId("own").log("hello");
          }
        });
    save();
    awaitLine(Level.ERROR, "own.camel.yaml rejected: route id own belongs to a library");
  }

  /**
   * The end of the previous route takes longer than the start of one may. It does not count to it.
   */
  @Test
  void replacesRouteWhoseMessageDoesNotEnd() throws Exception {
    CountDownLatch blocked = new CountDownLatch(1);
    context.getExecutorServiceManager().setShutdownAwaitTermination(60_000);
    context
        .getRegistry()
        .bind(
            "block",
            (Processor)
                exchange -> {
                  blocked.countDown();
                  new CountDownLatch(1).await();
                });
    context.addComponent("one", new OneMessageComponent());
    String route = ROUTE.replace("direct:own", "one:x");
    Files.writeString(file, route.replace("log: hello", "process: {ref: block}"));
    assertThat(blocked.await(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();

    Files.writeString(file, route);

    Awaitility.await().until(() -> lines(Level.INFO, "own.camel.yaml loaded") == 2);
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  /** A server that does not answer, in the start of a consumer. */
  static final class BlockingComponent extends ConsumingComponent {

    @Override
    Consumer consumer(Endpoint endpoint, Processor processor) {
      return new DefaultConsumer(endpoint, processor) {
        @Override
        protected void doStart() throws Exception {
          new CountDownLatch(1).await();
        }
      };
    }
  }

  /** As Camel's Kafka consumer, its stop waits for the message, and its start takes a while. */
  private static final class OneMessageComponent extends ConsumingComponent {

    @Override
    Consumer consumer(Endpoint endpoint, Processor processor) {
      ExecutorServiceManager executors = endpoint.getCamelContext().getExecutorServiceManager();
      return new DefaultConsumer(endpoint, processor) {
        private ExecutorService thread;

        @Override
        protected void doStart() throws Exception {
          Thread.sleep(1_200);
          thread = executors.newSingleThreadExecutor(this, "one");
          thread.submit(
              () -> {
                getProcessor().process(createExchange(true));
                return null;
              });
        }

        @Override
        protected void doStop() {
          executors.shutdownGraceful(thread);
        }
      };
    }
  }

  private abstract static class ConsumingComponent extends DefaultComponent {

    abstract Consumer consumer(Endpoint endpoint, Processor processor);

    @Override
    protected Endpoint createEndpoint(String uri, String rest, Map<String, Object> parameters) {
      return new DefaultEndpoint(uri, this) {
        @Override
        public Producer createProducer() {
          throw new UnsupportedOperationException("a consumer only");
        }

        @Override
        public Consumer createConsumer(Processor processor) {
          return consumer(this, processor);
        }
      };
    }
  }

  @Test
  void describesFirstRejectedFiles() {
    for (int i = 0; i < 5; i++) {
      rejectedFiles.add(folder.resolve(i + ".camel.yaml"), "is\nempty");
    }
    assertThat(rejectedFiles.describe())
        .hasValue(
            "Not in effect: 0.camel.yaml: is\\nempty; 1.camel.yaml: is\\nempty;"
                + " 2.camel.yaml: is\\nempty; and 2 more");
  }

  private void save() throws IOException {
    Files.writeString(file, ROUTE);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
  }

  private void permit(String permissions) throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString(permissions));
  }

  private void awaitLine(Level level, String text) {
    Awaitility.await(text).until(() -> lines(level, text) > 0);
  }

  private long lines(Level level, String text) {
    return log.lines(level).stream().filter(line -> line.contains(text)).count();
  }
}
