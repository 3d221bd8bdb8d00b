// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.ChildProcess;
import io.retel.ariproxy.fixtures.CurrentUser;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link JdbcStore} with an SQLite file. */
class SqliteStoreIT extends CallContextStoreContract {

  @TempDir private static Path files;

  @Override
  Map<Setting<?>, String> settings() {
    return Map.of(
        Setting.CALLCONTEXT_STORE,
        "jdbc",
        JdbcStoreProvider.URL,
        "jdbc:sqlite:" + files.resolve("call-contexts.db"));
  }

  @Test
  void fileIsCreatedOnceFolderExists() throws Exception {
    Path folder = files.resolve("later");
    try (CallContextStore store = sqlite(folder.resolve("x.db"), namespace, APP, TIMEOUT)) {
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

  /** As a server that sends row after row, each within its timeout. */
  @Test
  void endsReadOfEndlessRows() throws Exception {
    Path file = files.resolve("endless.db");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          CREATE VIEW ari_proxy_call_contexts (asterisk, app, resource, value) AS
          WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
          SELECT 'endless', '%s', 'CHANNEL:' || i, 'a' FROM n"""
              .formatted(APP));
    }
    try (CallContextStore store = sqlite(file, "endless", APP, Duration.ofMillis(20))) {
      assertThatThrownBy(() -> store.readAll((key, value) -> {}))
          .hasMessageContaining("reading the mappings from the database did not end within 1 s");
    }
  }

  /** The driver would allocate it: a start would end with exit code 3. */
  @Test
  void valueThatExceedsHeapIsNotRead() throws Exception {
    Path file = files.resolve("large.db");
    try (CallContextStore store = sqlite(file, namespace, APP, TIMEOUT)) {
      store.write(List.of(new Change("CHANNEL:1", "a")));
      try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
          Statement statement = connection.createStatement()) {
        statement.execute(
            "UPDATE ari_proxy_call_contexts SET value = CAST(zeroblob(%d) AS TEXT)"
                .formatted(PagedRead.MAX_PAGE_BYTES + 1));
      }
      assertThatThrownBy(() -> readAll(store))
          .hasMessageContaining("a reply of the SQLite file exceeds");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "file:%s",
        "file://%s",
        "file://localhost%s",
        "file:%s?cache=private",
        "file:%s#fragment",
        "%s"
      })
  void fileOfUriIsOfItsOwnerOnly(String uri) throws Exception {
    Path folder = Files.createDirectory(files.resolve("with:colon and 100% " + uri.hashCode()));
    Path file = folder.resolve("x.db");
    Secret url = new Secret("jdbc:sqlite:" + uri.formatted(file));
    try (CallContextStore store = new JdbcStore(url, "", new Secret(""), namespace, APP, TIMEOUT)) {
      store.write(List.of(new Change("CHANNEL:1", "a")));
      assertThat(permissions(folder)).containsKey("x.db").values().containsOnly("rw-------");
    }
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    try (CallContextStore store = new JdbcStore(url, "", new Secret(""), namespace, APP, TIMEOUT)) {
      assertThatThrownBy(() -> readAll(store)).hasMessageContaining("every user of this host");
    }
  }

  @Test
  void filesAreOfTheirOwnerOnly() throws Exception {
    Path folder = Files.createDirectory(files.resolve("owner-only"));
    try (CallContextStore store = sqlite(folder.resolve("x.db"), namespace, APP, TIMEOUT)) {
      store.write(List.of(new Change("CHANNEL:1", "a")));
      assertThat(permissions(folder))
          .containsOnlyKeys("x.db", "x.db-wal", "x.db-shm")
          .values()
          .containsOnly("rw-------");
    }
    // as earlier versions created it
    Files.setPosixFilePermissions(
        folder.resolve("x.db"), PosixFilePermissions.fromString("rw-r--r--"));
    try (CallContextStore store = sqlite(folder.resolve("x.db"), namespace, APP, TIMEOUT)) {
      assertThat(readAll(store)).containsOnly(Map.entry("CHANNEL:1", "a"));
      assertThat(permissions(folder)).containsEntry("x.db", "rw-------");
    }
    // of an operator, for the group of a backup
    Files.setPosixFilePermissions(
        folder.resolve("x.db"), PosixFilePermissions.fromString("rw-r-----"));
    try (CallContextStore store = sqlite(folder.resolve("x.db"), namespace, APP, TIMEOUT)) {
      assertThat(readAll(store)).hasSize(1);
      assertThat(permissions(folder)).containsEntry("x.db", "rw-r-----");
    }
  }

  /** As a file that a user of the host creates first. */
  @ParameterizedTest
  @ValueSource(strings = {"", "-wal", "-shm", "-journal"})
  void rejectsFileOfAnotherUser(String suffix) throws Exception {
    assumeTrue(CurrentUser.isRoot());
    Path file = database("other-user" + suffix);
    Path rejected = Path.of(file + suffix);
    if (!suffix.isEmpty()) {
      Files.createFile(rejected);
    }
    Files.setAttribute(rejected, "unix:uid", 12_345);
    assertRejected(file, rejected + " belongs to user 12345 instead of user 0");
    Files.setAttribute(rejected, "unix:uid", 0);
    assertThat(readAll(file)).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-wal"})
  void rejectsFileThatEveryUserCanChange(String suffix) throws Exception {
    Path file = database("writable" + suffix);
    Path rejected = Path.of(file + suffix);
    if (!suffix.isEmpty()) {
      Files.createFile(rejected);
    }
    Files.setPosixFilePermissions(rejected, PosixFilePermissions.fromString("rw-rw-rw-"));
    assertRejected(file, "every user of this host can change " + rejected);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(rejected)))
        .isEqualTo("rw-rw-rw-");
  }

  /** A driver of volumes decides on both, and no other user reaches them. */
  @Test
  void ownersAndModesDoNotCountInKubernetes() throws Exception {
    assumeTrue(CurrentUser.isRoot());
    Path file = database("kubernetes");
    Files.setAttribute(file, "unix:uid", 12_345);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    try (CapturedLog log = new CapturedLog()) {
      new OwnerOnlyFile(file, true).prepare();
      assertThat(log.lines(Level.WARN)).isEmpty();
    }
    assertThat(permissions(file.getParent())).containsEntry("x.db", "rw-------");
  }

  @Test
  void rejectsLinkThatLeavesTheFolder() throws Exception {
    Path target = database("target");
    Path folder = Files.createDirectory(files.resolve("links"));
    Path link = Files.createSymbolicLink(folder.resolve("x.db"), target);
    assertRejected(link, link + " is a link that leaves its folder");

    Files.delete(link);
    Files.createSymbolicLink(link, folder.resolveSibling("missing.db"));
    assertRejected(link, link + " is a link that leaves its folder");
    assertThat(folder.resolveSibling("missing.db")).doesNotExist();

    Path besides = Files.createSymbolicLink(target.resolveSibling("link.db"), target);
    assertThat(readAll(besides)).hasSize(1);
  }

  @Test
  void warnsOnceOfGroupThatCanChangeFile() throws Exception {
    Path file = database("group");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw----"));
    try (CapturedLog log = new CapturedLog()) {
      assertThat(readAll(file)).hasSize(1);
      assertThat(log.lines(Level.WARN))
          .singleElement()
          .asString()
          .contains("Other users can change the call contexts: " + file.toRealPath() + " (group);");
    }
    try (CapturedLog log = new CapturedLog()) {
      OwnerOnlyFile prepared = new OwnerOnlyFile(file);
      prepared.prepare();
      prepared.prepare();
      assertThat(log.lines(Level.WARN)).hasSize(1);
    }
  }

  private Path database(String folder) throws Exception {
    Path file = Files.createDirectory(files.resolve(folder)).resolve("x.db");
    try (CallContextStore store = sqlite(file, namespace, APP, TIMEOUT)) {
      store.write(List.of(new Change("CHANNEL:1", "a")));
    }
    return file;
  }

  private Map<String, String> readAll(Path file) throws Exception {
    try (CallContextStore store = sqlite(file, namespace, APP, TIMEOUT)) {
      return readAll(store);
    }
  }

  private void assertRejected(Path file, String reason) {
    assertThatThrownBy(() -> readAll(file)).hasMessageContaining(reason);
  }

  private static Map<String, String> permissions(Path folder) throws Exception {
    Map<String, String> permissions = new HashMap<>();
    try (Stream<Path> all = Files.list(folder)) {
      for (Path file : all.toList()) {
        permissions.put(
            file.getFileName().toString(),
            PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
      }
    }
    return permissions;
  }

  @Test
  void continuesOnceFullDiskHasSpace() throws Exception {
    Path file = files.resolve("full.db");
    // a page limit fails like a full disk, with SQLITE_FULL
    try (CallContextStore store =
        sqlite(Path.of(file + "?max_page_count=200"), namespace, APP, TIMEOUT)) {
      store.write(List.of(new Change("CHANNEL:first", "a")));
      assertThatThrownBy(
              () -> {
                for (int batch = 0; batch < 1_000; batch++) {
                  store.write(batch(batch));
                }
              })
          .hasMessageContaining("full");

      try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
          Statement statement = connection.createStatement()) {
        statement.execute("DELETE FROM ari_proxy_call_contexts WHERE resource <> 'CHANNEL:first'");
      }

      store.write(List.of(new Change("CHANNEL:later", "b")));
      assertThat(readAll(store))
          .containsOnly(Map.entry("CHANNEL:first", "a"), Map.entry("CHANNEL:later", "b"));
    }
  }

  private static List<Change> batch(int number) {
    return IntStream.range(0, 50)
        .mapToObj(i -> new Change("CHANNEL:" + number + "-" + i, "x".repeat(100)))
        .toList();
  }

  @Test
  void acknowledgedWritesSurviveKill() throws Exception {
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
    try (CallContextStore store = sqlite(file, "killed", APP, TIMEOUT)) {
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
  void twoProxiesShareFile() throws Exception {
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
    try (CallContextStore store = sqlite(file, namespace, "a", TIMEOUT)) {
      assertThat(readAll(store)).hasSize(100).containsValue("a").doesNotContainValue("b");
    }
  }

  private static CallContextStore sqlite(
      Path file, String namespace, String app, Duration timeout) {
    return new JdbcStore(
        new Secret("jdbc:sqlite:" + file), "", new Secret(""), namespace, app, timeout);
  }
}
