// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.callcontext.store.KafkaStore;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Measures heap and restore time of a million mappings, startup time, and resource usage during an
 * hour of load.
 */
final class FootprintBenchmark {

  private static final int MILLION = 1_000_000;
  private static final String STORE_TOPIC = "call-contexts";

  private final LoadGenerator loadGenerator;

  FootprintBenchmark(LoadGenerator loadGenerator) {
    this.loadGenerator = loadGenerator;
  }

  /** Prints the heap per channel for a million channels in Stasis, each in its own call. */
  void measureHeap() {
    // loads the classes
    new CallContextRules(
            new CallContexts(Duration.ofDays(1), Duration.ofMinutes(1), Ticker.systemTicker()))
        .map(AriEvent.parse(new CallEvents("bench").text(0)));
    long heapBefore = heapUsed();
    CallContexts callContexts =
        new CallContexts(Duration.ofDays(1), Duration.ofMinutes(1), Ticker.systemTicker());
    CallContextRules rules = new CallContextRules(callContexts);
    CallEvents events = new CallEvents("bench");
    for (long call = 0; call < MILLION; call++) {
      rules.map(AriEvent.parse(events.text(CallEvents.eventIndex(call, 0))));
    }
    long bytesPerResource = (heapUsed() - heapBefore) / MILLION;
    print(
        "Heap: %,d live resources, %d bytes each (goal: 250)",
        callContexts.size(), bytesPerResource);
  }

  /** Prints the time to restore a million mappings from Kafka into memory. */
  void measureRestore() throws Exception {
    loadGenerator.kafka().createTopic(STORE_TOPIC, 1);
    Map<String, Object> kafkaConfig =
        Map.of("bootstrap.servers", loadGenerator.kafka().bootstrapServers());
    KafkaStore store = new KafkaStore(() -> kafkaConfig, STORE_TOPIC, Duration.ofSeconds(5));
    long now = System.currentTimeMillis() / 1_000;
    for (int from = 0; from < MILLION; from += 10_000) {
      List<Change> changes = new ArrayList<>();
      for (int i = from; i < from + 10_000; i++) {
        changes.add(
            new Change(
                "CHANNEL:1764000000." + i,
                "{\"callContext\":\"8f14e45f-ceea-467f-9575-%012d\",\"application\":\"bench\",\"usedAt\":%d}"
                    .formatted(i, now)));
      }
      store.write(changes);
    }
    for (int round = 0; round < 3; round++) {
      CallContexts callContexts =
          new CallContexts(Duration.ofDays(1), Duration.ofMinutes(1), Ticker.systemTicker());
      long start = System.nanoTime();
      store.readAll(callContexts::restore);
      print(
          "Restore from Kafka: %,d mappings in %.1f s (goal: 10)",
          callContexts.size(), (System.nanoTime() - start) / 1e9);
    }
    store.close();
  }

  /** Prints the time from process start to readiness, without and with a class archive. */
  void measureStart(int rounds) {
    String archive = "target/benchmark.jsa";
    measureStart("archive", "-XX:ArchiveClassesAtExit=" + archive, "-Xlog:cds=off,cds+dynamic=off");
    Series withoutArchive = new Series();
    Series withArchive = new Series();
    for (int round = 0; round < rounds; round++) {
      withoutArchive.add(measureStart("start-" + round));
      withArchive.add(measureStart("archived-start-" + round, "-XX:SharedArchiveFile=" + archive));
    }
    print("Startup to ready: %s s (goal: 4)", withoutArchive.summary());
    print("Startup to ready with --archive-classes: %s s (goal: 4)", withArchive.summary());
  }

  /** Prints that time with the million mappings of {@link #measureRestore}. */
  void measureStartWithMappings() {
    print(
        "Startup to ready with %,d mappings: %.1f s (goal: 8)",
        MILLION, measureStart("million", Map.of("CALLCONTEXT_KAFKA_TOPIC", STORE_TOPIC), "-Xmx2g"));
  }

  /** Returns the startup time in seconds. */
  private double measureStart(String name, String... jvmOptions) {
    return measureStart(name, Map.of(), jvmOptions);
  }

  private double measureStart(String name, Map<String, String> settings, String... jvmOptions) {
    StubAsterisk asterisk = new StubAsterisk(name);
    int port = ManagementClient.freePort();
    Map<String, String> environment = loadGenerator.environment(name, asterisk, port);
    environment.putAll(settings);
    long start = System.nanoTime();
    try (MeasuredProcess proxy = MeasuredProcess.proxy(name, asterisk, environment, jvmOptions);
        ManagementClient management = new ManagementClient(port)) {
      proxy.await(() -> isReady(management));
      return (System.nanoTime() - start) / 1e9;
    }
  }

  static boolean isReady(ManagementClient management) {
    try {
      return management.get("/observe/health/ready").status() == 200;
    } catch (UncheckedIOException e) {
      return false;
    }
  }

  /**
   * Prints live heap and threads every five minutes, under a load that alternates between 500
   * events/s and 100 commands/s.
   */
  void runSoak(MeasuredProcess proxy, int minutes) throws Exception {
    long end = System.nanoTime() + Duration.ofMinutes(minutes).toNanos();
    long nextReport = System.nanoTime();
    while (System.nanoTime() < end) {
      loadGenerator.eventLatencies(proxy, 500, 5_000);
      loadGenerator.commandLatencies(proxy, 100, 1_000);
      if (System.nanoTime() > nextReport) {
        nextReport += Duration.ofMinutes(5).toNanos();
        reportUsage(proxy);
      }
    }
    reportUsage(proxy);
  }

  private static void reportUsage(MeasuredProcess proxy) throws IOException {
    String threads =
        Files.readAllLines(Path.of("/proc", Long.toString(proxy.pid()), "status")).stream()
            .filter(line -> line.startsWith("Threads:"))
            .findFirst()
            .orElse("");
    print("%.1f MB live heap, %s", liveBytes(proxy) / 1e6, threads.replaceAll("\\s+", " "));
  }

  /** Returns the heap in use after a full GC. */
  private static long liveBytes(MeasuredProcess proxy) throws IOException {
    Process jcmd =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(proxy.pid()),
                "GC.class_histogram")
            .start();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(jcmd.getInputStream(), StandardCharsets.UTF_8))) {
      return lines
          .lines()
          .filter(line -> line.startsWith("Total"))
          .mapToLong(line -> Long.parseLong(line.trim().split("\\s+")[2]))
          .findFirst()
          .orElse(0);
    }
  }

  private static long heapUsed() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  private static void print(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }
}
