// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.kafka.KafkaPermissions;
import io.retel.ariproxy.kafka.KafkaTopics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.apache.kafka.clients.CommonClientConfigs;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.Test;

/**
 * The contract that all persistent stores fulfill, created from settings as in the proxy. The test
 * of a store extends this class with the settings of a real server or file; with {@link
 * StoreServerContract} if it has a server.
 */
abstract class CallContextStoreContract {

  static final Duration IDLE_TIMEOUT = Duration.ofHours(3);
  static final Duration TIMEOUT = Duration.ofSeconds(2);
  static final String APP = "an-app";

  /** Tolerance for slow machines; shorter than the drivers' own timeouts of at least 10 s. */
  private static final Duration SLOW_MACHINE_ALLOWANCE = Duration.ofSeconds(5);

  /** A random namespace, invisible to other proxies on the same server. */
  final String namespace = "asterisk-" + UUID.randomUUID();

  /** Returns {@code callcontext.store} and the settings of the store. */
  abstract Map<Setting<?>, String> settings();

  @Test
  void writtenChangesSurviveReopening() throws Exception {
    write(new Change("CHANNEL:1.0", "a"), new Change("BRIDGE:1.0", "b"));
    assertThat(read()).containsOnly(Map.entry("CHANNEL:1.0", "a"), Map.entry("BRIDGE:1.0", "b"));
  }

  @Test
  void emptyStoreReadsNothing() throws Exception {
    assertThat(read()).isEmpty();
  }

  @Test
  void lastWriteWins() throws Exception {
    try (CallContextStore store = store()) {
      store.write(List.of(new Change("CHANNEL:1", "first"), new Change("CHANNEL:2", "other")));
      store.write(List.of(new Change("CHANNEL:1", "second")));
      store.write(List.of(new Change("CHANNEL:1", "third")));
    }
    assertThat(read())
        .containsOnly(Map.entry("CHANNEL:1", "third"), Map.entry("CHANNEL:2", "other"));
  }

  @Test
  void nullDeletesAndKeyIsReusable() throws Exception {
    write(new Change("CHANNEL:1", "a"), new Change("CHANNEL:2", "b"));
    write(new Change("CHANNEL:1", null), new Change("CHANNEL:3", null));
    assertThat(read()).containsOnly(Map.entry("CHANNEL:2", "b"));
    write(new Change("CHANNEL:1", "again"), new Change("CHANNEL:2", null));
    assertThat(read()).containsOnly(Map.entry("CHANNEL:1", "again"));
    write(new Change("CHANNEL:1", null));
    assertThat(read()).isEmpty();
  }

  @Test
  void namespacesAndAppsAreIsolated() throws Exception {
    List<List<String>> proxies =
        List.of(List.of(namespace, APP), List.of(namespace, "b"), List.of(namespace + "2", APP));
    for (List<String> proxy : proxies) {
      try (CallContextStore store = store(proxy.get(0), proxy.get(1))) {
        store.write(List.of(new Change("CHANNEL:1", proxy.toString())));
      }
    }
    for (List<String> proxy : proxies) {
      try (CallContextStore store = store(proxy.get(0), proxy.get(1))) {
        assertThat(readAll(store)).containsOnly(Map.entry("CHANNEL:1", proxy.toString()));
      }
    }
  }

  @Test
  void ambiguousNamesAreIsolated() throws Exception {
    try (CallContextStore one = store(namespace + ":a", "b");
        CallContextStore other = store(namespace, "a:b")) {
      one.write(List.of(new Change("CHANNEL:1", "a")));
      assertThat(readAll(other)).isEmpty();
      assertThat(readAll(one)).containsOnly(Map.entry("CHANNEL:1", "a"));
    }
  }

  @Test
  void readsTenThousandEntries() throws Exception {
    Map<String, String> many = new HashMap<>();
    IntStream.range(0, 10_000)
        .forEach(i -> many.put("CHANNEL:1532965104." + i, "context-" + UUID.randomUUID()));
    List<Change> changes = new ArrayList<>();
    many.forEach((key, value) -> changes.add(new Change(key, value)));
    try (CallContextStore store = store()) {
      store.write(changes.subList(0, 5_000));
      store.write(changes.subList(5_000, 10_000));
      store.write(List.of());
    }
    assertThat(read()).isEqualTo(many);
    write(many.keySet().stream().map(key -> new Change(key, null)).toArray(Change[]::new));
    assertThat(read()).isEmpty();
  }

  @Test
  void storesArbitraryTextUnchanged() throws Exception {
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
        texts.entrySet().stream()
            .map(entry -> new Change(entry.getKey(), entry.getValue()))
            .toArray(Change[]::new));
    assertThat(read()).isEqualTo(texts);
    write(texts.keySet().stream().map(key -> new Change(key, null)).toArray(Change[]::new));
    assertThat(read()).isEmpty();
  }

  @Test
  void recordThatIsTooLargeDoesNotBlockOthers() throws Exception {
    assertWritesAllBut(
        new Change("CHANNEL:" + "x".repeat(100_000), randomText(2_000_000)), store());
  }

  // ---- helpers

  /** Writes a change that the store can reject, between others; all others must be written. */
  static void assertWritesAllBut(Change rejected, CallContextStore store) throws Exception {
    WriteBehind writeBehind =
        new WriteBehind(store, DefaultTimeout.DURATION, new SimpleMeterRegistry());
    try {
      writeBehind.enqueue("CHANNEL:before", Optional.of("a"));
      writeBehind.enqueue(rejected.key(), Optional.ofNullable(rejected.value()));
      writeBehind.enqueue("CHANNEL:after", Optional.of("b"));
      writeBehind.start();
      await().until(() -> writeBehind.pending() == 0);
      writeBehind.enqueue("CHANNEL:later", Optional.of("c"));
      await().until(() -> writeBehind.pending() == 0);
      assertThat(readAll(store))
          .containsEntry("CHANNEL:before", "a")
          .containsEntry("CHANNEL:after", "b")
          .containsEntry("CHANNEL:later", "c");
    } finally {
      // closes the store
      writeBehind.stop();
    }
  }

  /** Expects errors within the timeout between stop and start, and success afterward. */
  final void assertFailsWithinTimeoutAndRecovers(Runnable stop, Runnable start) throws Exception {
    try (CallContextStore running = store(TIMEOUT)) {
      eventually(() -> running.write(List.of(new Change("CHANNEL:1", "before"))));
      CallContextStore startedDuringOutage;
      stop.run();
      try {
        assertFailsWithinTimeout(() -> running.write(List.of(new Change("CHANNEL:1", "never"))));
        startedDuringOutage = store(TIMEOUT);
        assertFailsWithinTimeout(() -> readAll(startedDuringOutage));
        assertFailsWithinTimeout(() -> running.write(List.of(new Change("CHANNEL:1", "never"))));
      } finally {
        start.run();
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

  static void assertFailsWithinTimeout(ThrowingRunnable action) {
    long startNanos = System.nanoTime();
    Throwable failure = catchThrowable(action::run);
    Duration elapsed = Duration.ofNanos(System.nanoTime() - startNanos);
    assertThat(failure).isInstanceOf(Exception.class);
    assertThat(elapsed).isLessThan(TIMEOUT.multipliedBy(2).plus(SLOW_MACHINE_ALLOWANCE));
  }

  static void eventually(ThrowingRunnable action) {
    await().ignoreExceptions().untilAsserted(action);
  }

  final CallContextStore store() {
    return store(DefaultTimeout.DURATION);
  }

  final CallContextStore store(Duration timeout) {
    return store(Map.of(), timeout);
  }

  /** Returns a store with some of its settings replaced. */
  final CallContextStore store(Map<Setting<?>, String> replaced, Duration timeout) {
    Map<Setting<?>, String> settings = settings(namespace, APP);
    settings.putAll(replaced);
    return create(settings, Map.of(), timeout);
  }

  /** Returns a store that reads some of its settings from files. */
  final CallContextStore storeWithFiles(Map<Setting<?>, Path> files, Duration timeout) {
    Map<Setting<?>, String> settings = settings(namespace, APP);
    settings.keySet().removeAll(files.keySet());
    return create(settings, files, timeout);
  }

  private CallContextStore store(String proxyNamespace, String app) {
    return create(settings(proxyNamespace, app), Map.of(), DefaultTimeout.DURATION);
  }

  /** Returns the settings of one proxy. */
  Map<Setting<?>, String> settings(String proxyNamespace, String app) {
    Map<Setting<?>, String> settings = new HashMap<>(settings());
    settings.put(Setting.CALLCONTEXT_NAMESPACE, proxyNamespace);
    settings.put(Setting.ARI_APP, app);
    return settings;
  }

  /** Returns a store with a value or a file for each setting. */
  static CallContextStore create(
      Map<Setting<?>, String> storeSettings, Map<Setting<?>, Path> files, Duration timeout) {
    Map<Setting<?>, String> values = new HashMap<>(storeSettings);
    values.put(Setting.CALLCONTEXT_IDLE_TIMEOUT, IDLE_TIMEOUT.toMillis() + "ms");
    values.put(Setting.CALLCONTEXT_STORE_TIMEOUT, timeout.toMillis() + "ms");
    Setting.all().stream()
        .filter(Setting::isRequired)
        .forEach(setting -> values.putIfAbsent(setting, setting.key()));
    Map<String, String> environment = new HashMap<>();
    values.forEach((setting, value) -> environment.put(setting.environmentVariable(), value));
    files.forEach(
        (setting, file) ->
            environment.put(setting.environmentVariable() + "_FILE", file.toString()));
    Settings settings = Settings.read(Path.of("none"), environment);
    Supplier<Map<String, Object>> kafka =
        () ->
            Map.of(
                CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, settings.get(Setting.KAFKA_BROKERS));
    return CallContextStoreProvider.of(settings)
        .create(
            settings,
            kafka,
            new KafkaTopics(
                kafka,
                new KafkaTopics.NewTopics(false, 1, 1),
                new KafkaPermissions(() -> "proxy", List.of(), List.of(), List.of()),
                timeout));
  }

  final void write(Change... changes) throws Exception {
    try (CallContextStore store = store()) {
      store.write(List.of(changes));
    }
  }

  final Map<String, String> read() throws Exception {
    try (CallContextStore store = store()) {
      return readAll(store);
    }
  }

  static Map<String, String> readAll(CallContextStore store) throws Exception {
    Map<String, String> all = new HashMap<>();
    store.readAll((key, value) -> all.compute(key, (same, earlier) -> value));
    return all;
  }

  /** Returns incompressible text. */
  private static String randomText(int length) {
    return new Random(1)
        .ints(length, 'A', 'z' + 1)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }
}
