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
import java.util.concurrent.locks.LockSupport;

/**
 * How much a million calls take, how long a start takes, and what an hour of load leaves behind.
 */
final class Sizes {

  private static final int MILLION = 1_000_000;
  private static final String STORE = "call-contexts";

  private final Rig rig;

  Sizes(Rig rig) {
    this.rig = rig;
  }

  /** Heap of a million channels that have entered Stasis, each a call of its own. */
  void heap() {
    long before = heapUsed();
    CallContexts callContexts =
        new CallContexts(Duration.ofDays(1), Duration.ofMinutes(1), Ticker.systemTicker());
    CallContextRules rules = new CallContextRules(callContexts);
    CallEvents events = new CallEvents("bench");
    for (long call = 0; call < MILLION; call++) {
      rules.map(AriEvent.parse(events.text(CallEvents.eventOf(call, 0))));
    }
    long each = (heapUsed() - before) / MILLION;
    say("%,d live resources take %d bytes of heap each (goal: 400)", callContexts.size(), each);
  }

  /** A start that finds a million mappings in Kafka, up to the last one in memory. */
  void restore() throws Exception {
    rig.kafka().createTopic(STORE, 1);
    Map<String, Object> kafka = Map.of("bootstrap.servers", rig.kafka().bootstrapServers());
    KafkaStore store = new KafkaStore(() -> kafka, STORE, Duration.ofSeconds(5));
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
      say(
          "%,d mappings are restored from Kafka in %.1f s (goal: 10)",
          callContexts.size(), (System.nanoTime() - start) / 1e9);
    }
    store.close();
  }

  /** From the process's start until it says that it is ready, without and with an archive. */
  void start(int rounds) {
    String archive = "target/benchmark.jsa";
    start("archive", "-XX:ArchiveClassesAtExit=" + archive, "-Xlog:cds=off,cds+dynamic=off");
    Series without = new Series();
    Series with = new Series();
    for (int round = 0; round < rounds; round++) {
      without.add(start("start-" + round));
      with.add(start("archived-start-" + round, "-XX:SharedArchiveFile=" + archive));
    }
    say("Start to ready: %s s (goal: 4)", without.text());
    say("Start to ready with --archive-classes: %s s (goal: 4)", with.text());
  }

  /** In seconds. */
  private double start(String name, String... jvm) {
    BusyAsterisk asterisk = new BusyAsterisk(name);
    int port = ManagementClient.freePort();
    Map<String, String> environment = rig.environment(name, asterisk, port);
    long start = System.nanoTime();
    try (Subject proxy = Subject.proxy(name, asterisk, environment, jvm);
        ManagementClient management = new ManagementClient(port)) {
      while (!isReady(management)) {
        if (!proxy.isAlive()) {
          throw new IllegalStateException("It does not start; see target/benchmark-*.log");
        }
        LockSupport.parkNanos(20_000_000);
      }
      return (System.nanoTime() - start) / 1e9;
    }
  }

  private static boolean isReady(ManagementClient management) {
    try {
      return management.get("/observe/health/ready").status() == 200;
    } catch (UncheckedIOException e) {
      return false;
    }
  }

  /** Heap and threads under 500 events and 100 commands a second, every five minutes. */
  void soak(Subject proxy, int minutes) throws Exception {
    long end = System.nanoTime() + Duration.ofMinutes(minutes).toNanos();
    long nextLook = System.nanoTime();
    while (System.nanoTime() < end) {
      rig.eventLatency(proxy, 500, 5_000);
      rig.commandLatency(proxy, 100, 1_000);
      if (System.nanoTime() > nextLook) {
        nextLook += Duration.ofMinutes(5).toNanos();
        look(proxy);
      }
    }
    look(proxy);
  }

  private static void look(Subject proxy) throws IOException {
    String threads =
        Files.readAllLines(Path.of("/proc", Long.toString(proxy.pid()), "status")).stream()
            .filter(line -> line.startsWith("Threads:"))
            .findFirst()
            .orElse("");
    say("%.1f MB live, %s", liveBytes(proxy) / 1e6, threads.replaceAll("\\s+", " "));
  }

  /** What a full collection leaves. */
  private static long liveBytes(Subject proxy) throws IOException {
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

  private static void say(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }
}
