// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.impl.DefaultCamelContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Changes that the system does not report one by one. */
class RouteFolderWatcherTest {

  @TempDir private Path parent;
  @AutoClose private final DefaultCamelContext context = new DefaultCamelContext();

  @AutoClose private final CapturedLog log = new CapturedLog();

  private final Set<String> changed = ConcurrentHashMap.newKeySet();
  private final AtomicInteger anywhere = new AtomicInteger();
  private final CountDownLatch ready = new CountDownLatch(1);
  private Path folder;

  @BeforeEach
  void start() throws IOException {
    folder = Files.createDirectory(parent.resolve("routes"));
    context.disableJMX();
    context.start();
  }

  @Test
  void reportsEveryKindOfChange() throws Exception {
    ready.countDown();
    watch(folder);
    Path file = save(folder, "a.yaml");
    awaitChange("a.yaml");
    Files.writeString(file, "more");
    awaitChange("a.yaml");
    Files.delete(file);
    awaitChange("a.yaml");
    save(folder, "b.txt");
    save(folder, "c.yaml");
    awaitChange("c.yaml");
    assertThat(changed).doesNotContain("b.txt");
  }

  /** The system remembers 512, then forgets them all. */
  @Test
  void reportsThatChangesAreForgotten() throws Exception {
    watch(folder);
    save(folder, "first.yaml");
    awaitChange("first.yaml");
    for (int i = 0; i < 1_000; i++) {
      save(folder, i + ".yaml");
    }
    ready.countDown();
    Awaitility.await().until(() -> anywhere.get() > 0);
    save(folder, "last.yaml");
    awaitChange("last.yaml");
  }

  @Test
  void watchesFolderThatReplacesTheFirst() throws Exception {
    ready.countDown();
    watch(folder);
    Files.move(folder, parent.resolve("previous"));
    Files.createDirectory(folder);
    Awaitility.await().until(() -> anywhere.get() == 1);
    save(folder, "a.yaml");
    awaitChange("a.yaml");
    save(parent.resolve("previous"), "b.yaml");
    save(folder, "c.yaml");
    awaitChange("c.yaml");
    assertThat(changed).doesNotContain("b.yaml");
  }

  /** As a deployment changes a link to the folder of a version. */
  @Test
  void watchesFolderOfLinkThatChanges() throws Exception {
    ready.countDown();
    Path link = Files.createSymbolicLink(parent.resolve("current"), folder);
    watch(link);
    Path next = Files.createDirectory(parent.resolve("next"));
    Path nextLink = Files.createSymbolicLink(parent.resolve("link"), next);
    Files.move(nextLink, link, StandardCopyOption.ATOMIC_MOVE);
    Awaitility.await().until(() -> anywhere.get() == 1);
    save(next, "a.yaml");
    awaitChange("a.yaml");
  }

  private void watch(Path watched) throws Exception {
    RouteFolderWatcher watcher =
        new RouteFolderWatcher(
            context,
            watched,
            new RouteFolderWatcher.Listener() {
              @Override
              public void changed(Path file) throws InterruptedException {
                changed.add(file.getFileName().toString());
                ready.await();
              }

              @Override
              public void changedAnywhere() {
                anywhere.incrementAndGet();
              }
            },
            Duration.ofMillis(50));
    context.addService(watcher);
    watcher.begin();
    Awaitility.await("files of before the start").until(() -> anywhere.getAndSet(0) == 1);
  }

  @Test
  void comparesAllFilesWhenTheFolderIsBack() throws Exception {
    ready.countDown();
    watch(folder);
    Path moved = Files.move(folder, parent.resolve("moved"));
    save(moved, "a.yaml");
    Awaitility.await().until(() -> log.lines(Level.ERROR).size() == 1);
    assertThat(log.lines(Level.ERROR).get(0))
        .endsWith(
            "routes cannot be watched, so its routes continue unchanged:"
                + " java.nio.file.NoSuchFileException: %s; retrying".formatted(folder));
    assertThat(log.events()).noneMatch(event -> event.getThrowableProxy() != null);
    changed.clear();
    Files.move(moved, folder);
    Awaitility.await().until(() -> anywhere.get() == 1);
    save(folder, "b.yaml");
    awaitChange("b.yaml");
    assertThat(log.lines(Level.ERROR)).hasSize(1);
  }

  private static Path save(Path folder, String name) throws IOException {
    return Files.writeString(folder.resolve(name), "- route");
  }

  private void awaitChange(String name) {
    Awaitility.await().until(() -> changed.remove(name));
  }
}
