// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.FailingLog;
import io.retel.ariproxy.fixtures.FreePort;
import io.retel.ariproxy.fixtures.store.StoreServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract of stores on a server with a password. */
abstract class StoreServerContract extends CallContextStoreContract {

  static final String WRONG_PASSWORD = "wr0ng-passw0rd";

  /** The maximum of the setting, longer than tests wait. */
  private static final Duration LONG_TIMEOUT = Duration.ofMinutes(10);

  /** Returns the server, launched once per class. */
  abstract StoreServer server();

  /** Returns the password in {@link #settings}. */
  abstract String password();

  /** Changes the password that the server requires, and disconnects its clients. */
  abstract void changePassword(String required);

  /** Returns the settings that contain the password, with another one. */
  abstract Map<Setting<?>, String> withPassword(String password);

  /** Returns the setting that contains the address, with another host:port. */
  abstract Map<Setting<?>, String> withAddress(String address);

  /** Returns the prefix of the names of the driver's threads. */
  abstract String threadPrefix();

  // ---- limits

  /** A page of them would exceed the limit of what the store holds of replies. */
  void assertReadsLargeValues(IntPredicate numbers) throws Exception {
    int count = 300;
    String value = "x".repeat((int) (PagedRead.MAX_PAGE_BYTES / 200));
    List<Change> changes =
        IntStream.iterate(0, i -> i + 1)
            .filter(numbers)
            .limit(count)
            .mapToObj(i -> new Change("CHANNEL:" + i, value))
            .toList();
    try (CallContextStore store = store(LONG_TIMEOUT)) {
      for (int i = 0; i < count; i += 30) {
        store.write(changes.subList(i, i + 30));
      }
      Map<String, String> all = readAll(store);
      assertThat(all).hasSize(count);
      assertThat(all.values()).containsOnly(value);
    }
  }

  // ---- unavailable servers

  @Test
  void failsWithinTimeoutAndRecoversAfterServerRestart() throws Exception {
    assertFailsWithinTimeoutAndRecovers(server()::stop, server()::start);
  }

  @Test
  void failsWithinTimeoutAndRecoversAfterRejectedLogin() throws Exception {
    assertFailsWithinTimeoutAndRecovers(
        () -> changePassword(WRONG_PASSWORD), () -> changePassword(password()));
  }

  @Test
  void failsWithinTimeoutAndRecoversAfterServerHang() throws Exception {
    try (CallContextStore running = store(TIMEOUT)) {
      eventually(() -> running.write(List.of(new Change("CHANNEL:1", "before"))));
      CallContextStore startedDuringOutage;
      server().hang();
      try {
        assertFailsWithinTimeout(
            () -> running.write(List.of(new Change("CHANNEL:1", "lost or not"))));
        startedDuringOutage = store(TIMEOUT);
        assertFailsWithinTimeout(() -> readAll(startedDuringOutage));
      } finally {
        server().resume();
      }
      try (startedDuringOutage) {
        eventually(() -> running.write(List.of(new Change("CHANNEL:1", "after"))));
        eventually(
            () -> assertThat(readAll(startedDuringOutage)).containsEntry("CHANNEL:1", "after"));
      }
    }
  }

  @Test
  void stoppedServerDelaysNeitherConstructorNorClose() throws Exception {
    server().stop();
    try {
      long startNanos = System.nanoTime();
      store(LONG_TIMEOUT).close();
      assertThat(Duration.ofNanos(System.nanoTime() - startNanos))
          .isLessThan(DefaultTimeout.DURATION);
    } finally {
      server().start();
    }
  }

  /** Errors are logged when they change; a varying message would be logged on each attempt. */
  @Test
  void unreachableServerErrorIsStable() throws Exception {
    String unusedAddress = "127.0.0.1:" + FreePort.find();
    try (CallContextStore store = store(withAddress(unusedAddress), TIMEOUT)) {
      String first = ErrorMessages.singleLine(catchThrowable(() -> readAll(store)));
      assertThat(ErrorMessages.singleLine(catchThrowable(() -> readAll(store)))).isEqualTo(first);
    }
  }

  @Test
  void interruptIsThrownWhileServerIsUnresponsive() throws Exception {
    try (ServerSocket unresponsive = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      String address = "127.0.0.1:" + unresponsive.getLocalPort();
      try (CallContextStore store = store(withAddress(address), TIMEOUT)) {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> readAll(store)).isInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isFalse();
      }
    }
  }

  @Test
  void closeStopsDriverThreads() throws Exception {
    await().until(() -> driverThreads().isEmpty());
    CallContextStore store = store();
    store.write(List.of(new Change("CHANNEL:1", "a")));
    assertThat(driverThreads()).isNotEmpty();
    store.close();
    await().untilAsserted(() -> assertThat(driverThreads()).isEmpty());
  }

  /** Ends a thread of the driver, as an error that nothing catches does. */
  final void assertWritesAfterEndOfDriverThread() throws Exception {
    await().until(() -> driverThreads().isEmpty());
    Awaitility.doNotCatchUncaughtExceptionsByDefault();
    try (CallContextStore store = store(TIMEOUT)) {
      eventually(() -> store.write(List.of(new Change("CHANNEL:1", "before"))));
      Set<Thread> threads = new HashSet<>();
      await().until(() -> isEndedByError(threads, store));

      eventually(() -> store.write(List.of(new Change("CHANNEL:1", "after"))));
      assertThat(readAll(store)).containsEntry("CHANNEL:1", "after");
      await()
          .untilAsserted(
              () -> assertThat(driverThreads()).isNotEmpty().doesNotContainAnyElementsOf(threads));
    } finally {
      Awaitility.catchUncaughtExceptionsByDefault();
    }
    await().untilAsserted(() -> assertThat(driverThreads()).isEmpty());
  }

  /** Closes a store after the end of one of its threads. */
  final void assertClosesAfterEndOfDriverThread() throws Exception {
    await().until(() -> driverThreads().isEmpty());
    Awaitility.doNotCatchUncaughtExceptionsByDefault();
    try {
      CallContextStore store = store(TIMEOUT);
      Set<Thread> threads = new HashSet<>();
      await().until(() -> isEndedByError(threads, store));
      CompletableFuture.runAsync(store::close).get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
    } finally {
      Awaitility.catchUncaughtExceptionsByDefault();
    }
  }

  /** Makes one of the driver's threads log, unless each write does. */
  void makeDriverLog() {}

  /** Returns whether one of the driver's threads has ended; not every error ends it. */
  private boolean isEndedByError(Set<Thread> threads, CallContextStore store) {
    threads.addAll(driverThreads());
    try (FailingLog log = new FailingLog(threads)) {
      makeDriverLog();
      store.write(List.of(new Change("CHANNEL:1", "during")));
    } catch (Exception e) {
      // its thread logs
    }
    return threads.stream().anyMatch(thread -> !thread.isAlive());
  }

  private List<Thread> driverThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith(threadPrefix()))
        .toList();
  }

  // ---- secrets

  @Test
  void nextConnectionUsesReplacedPasswordFile(@TempDir Path folder) throws Exception {
    try (CallContextStore store =
        storeWithFiles(replaceSecret(folder, withPassword(password())), TIMEOUT)) {
      eventually(() -> store.write(List.of(new Change("CHANNEL:1", "before"))));
      changePassword(WRONG_PASSWORD);
      try {
        assertFailsWithinTimeout(() -> store.write(List.of(new Change("CHANNEL:1", "rejected"))));
        replaceSecret(folder, withPassword(WRONG_PASSWORD));
        eventually(() -> store.write(List.of(new Change("CHANNEL:1", "after"))));
        assertThat(readAll(store)).containsOnly(Map.entry("CHANNEL:1", "after"));
      } finally {
        changePassword(password());
      }
    }
  }

  @Test
  void readsOncePasswordFileIsCorrected(@TempDir Path folder) throws Exception {
    write(new Change("CHANNEL:1", "a"));
    try (CallContextStore store =
        storeWithFiles(replaceSecret(folder, withPassword(WRONG_PASSWORD)), TIMEOUT)) {
      assertFailsWithinTimeout(() -> readAll(store));
      replaceSecret(folder, withPassword(password()));
      eventually(() -> assertThat(readAll(store)).containsOnly(Map.entry("CHANNEL:1", "a")));
    }
  }

  /** Creates or replaces the file of the setting with the password. */
  private static Map<Setting<?>, Path> replaceSecret(Path folder, Map<Setting<?>, String> content)
      throws IOException {
    Map<Setting<?>, Path> files = new HashMap<>();
    for (Map.Entry<Setting<?>, String> each : content.entrySet()) {
      files.put(
          each.getKey(),
          Files.move(
              Files.writeString(folder.resolve("next"), each.getValue()),
              folder.resolve("secret"),
              StandardCopyOption.ATOMIC_MOVE));
    }
    return files;
  }

  @Test
  void wrongPasswordIsRejectedAndNotLogged() throws Exception {
    try (CapturedLog log = CapturedLog.atDebug();
        CallContextStore store = store(withPassword(WRONG_PASSWORD), TIMEOUT)) {
      Throwable failure = catchThrowable(() -> readAll(store));
      assertThat(failure).isInstanceOf(Exception.class);
      StringWriter output = new StringWriter();
      failure.printStackTrace(new PrintWriter(output));
      log.events().forEach(event -> output.append(event.getFormattedMessage()).append('\n'));
      assertThat(output + store.toString()).doesNotContain(WRONG_PASSWORD);
    }
  }

  @Test
  void passwordIsNotLoggedDuringOutage() throws Exception {
    try (CapturedLog log = CapturedLog.atDebug();
        CallContextStore store = store(TIMEOUT)) {
      eventually(() -> readAll(store));
      server().stop();
      Throwable failure;
      try {
        failure = catchThrowable(() -> readAll(store));
      } finally {
        server().start();
      }
      eventually(() -> readAll(store));
      StringWriter output = new StringWriter();
      failure.printStackTrace(new PrintWriter(output));
      log.events().forEach(event -> output.append(event.getFormattedMessage()).append('\n'));
      assertThat(output + store.toString()).doesNotContain(password());
    }
  }
}
