package io.retel.ariproxy.benchmark;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.DoubleBinaryOperator;

/**
 * Measures the proxy against the bare loop, in turns, and prints a table.
 *
 * <p>{@code -Dbenchmark.rounds=7} says how often, {@code -Dbenchmark.parts=events,commands} what:
 * {@code events}, {@code commands}, {@code event-latency}, {@code command-latency}, {@code hung};
 * {@code start}, {@code million}, {@code soak} for {@code -Dbenchmark.minutes=60}; or {@code
 * hot-parts} alone.
 */
public final class Benchmark {

  private static final int EVENTS = Integer.getInteger("benchmark.events", 200_000);
  private static final int COMMANDS = Integer.getInteger("benchmark.commands", 40_000);
  private static final int WARM_UPS = Integer.getInteger("benchmark.warmups", 8);
  private static final int ROUNDS = Integer.getInteger("benchmark.rounds", 7);
  private static final Set<String> AGAINST_THE_BARE_LOOP =
      Set.of("events", "commands", "event-latency", "command-latency", "hung", "soak");
  private static final Set<String> PARTS =
      Set.of(System.getProperty("benchmark.parts", "events,commands").split(","));
  private static final String ROW = "%-38s %-26s %-26s %-22s %s%n";

  private final Rig rig;
  private final Subject bare;
  private final Subject proxy;

  private Benchmark(Rig rig) {
    this.rig = rig;
    BusyAsterisk ofBare = new BusyAsterisk("bare");
    BusyAsterisk ofProxy = new BusyAsterisk("ari-proxy");
    this.bare = Subject.bare(ofBare, rig.environment("bare", ofBare, 0));
    this.proxy = Subject.proxy("ari-proxy", ofProxy, rig.environment("ari-proxy", ofProxy, 0));
  }

  public static void main(String[] args) throws Exception {
    if (PARTS.contains("hot-parts")) {
      HotParts.run();
      return;
    }
    try (Rig rig = new Rig()) {
      Sizes sizes = new Sizes(rig);
      if (PARTS.contains("start")) {
        sizes.start(ROUNDS);
      }
      if (PARTS.contains("million")) {
        sizes.heap();
        sizes.restore();
      }
      if (!Collections.disjoint(PARTS, AGAINST_THE_BARE_LOOP)) {
        Benchmark benchmark = new Benchmark(rig);
        try {
          benchmark.run();
          if (PARTS.contains("soak")) {
            sizes.soak(benchmark.proxy, Integer.getInteger("benchmark.minutes", 60));
          }
        } finally {
          benchmark.close();
        }
      }
    }
    // the embedded broker leaves threads
    System.exit(0);
  }

  private void run() throws InterruptedException {
    awaitConnected();
    List<Runnable> rows = new ArrayList<>();
    if (PARTS.contains("events")) {
      throughput("events", rows, subject -> rig.events(subject, EVENTS));
    }
    if (PARTS.contains("commands")) {
      throughput("commands", rows, subject -> rig.commands(subject, COMMANDS));
    }
    if (PARTS.contains("event-latency")) {
      latency(
          "p99 of 1,000 events/s, ms", rows, subject -> rig.eventLatency(subject, 1_000, 8_000));
    }
    if (PARTS.contains("command-latency")) {
      latency(
          "p99 of 300 commands/s, ms", rows, subject -> rig.commandLatency(subject, 300, 2_400));
    }
    if (PARTS.contains("hung")) {
      hung(rows);
    }
    if (rows.isEmpty()) {
      return;
    }
    System.out.printf(
        "%n%d rounds after %d for warming up, in turns, %s; median (least-greatest)%n%n",
        ROUNDS, WARM_UPS, machine());
    System.out.printf(ROW, "", "bare loop", "ari-proxy", "ratio or difference", "goal");
    rows.forEach(Runnable::run);
    System.out.println();
  }

  private void throughput(String what, List<Runnable> rows, Load load) throws InterruptedException {
    Series bareRate = new Series();
    Series proxyRate = new Series();
    Series bareCpu = new Series();
    Series proxyCpu = new Series();
    for (int round = -WARM_UPS; round < ROUNDS; round++) {
      Rig.Throughput ofBare = load.on(bare);
      Rig.Throughput ofProxy = load.on(proxy);
      say("%s: %s bare %s, proxy %s", what, round, ofBare, ofProxy);
      if (round >= 0) {
        bareRate.add(ofBare.perSecond());
        proxyRate.add(ofProxy.perSecond());
        bareCpu.add(ofBare.cpuMicrosPerMessage());
        proxyCpu.add(ofProxy.cpuMicrosPerMessage());
      }
    }
    row(rows, what + "/s", bareRate, proxyRate, Benchmark::ratio, ">= 0.8");
    row(rows, "CPU of " + what + ", us each", bareCpu, proxyCpu, Benchmark::ratio, "<= 1.4");
  }

  private void latency(String what, List<Runnable> rows, Wait wait) throws InterruptedException {
    Series ofBare = new Series();
    Series ofProxy = new Series();
    for (int round = -1; round < ROUNDS; round++) {
      double bareMs = wait.on(bare);
      double proxyMs = wait.on(proxy);
      say("%s: %s bare %.2f, proxy %.2f", what, round, bareMs, proxyMs);
      if (round >= 0) {
        ofBare.add(bareMs);
        ofProxy.add(proxyMs);
      }
    }
    row(rows, what, ofBare, ofProxy, (of, with) -> of - with, "<= +2 ms");
  }

  private void hung(List<Runnable> rows) throws InterruptedException {
    Series without = new Series();
    Series with = new Series();
    for (int round = -1; round < ROUNDS; round++) {
      double none = rig.commandLatency(proxy, 300, 2_400);
      rig.hang(proxy);
      double one = rig.commandLatency(proxy, 300, 2_400);
      say("hung: %s none %.2f, one %.2f", round, none, one);
      if (round >= 0) {
        without.add(none);
        with.add(one);
      }
    }
    row(rows, "p99, none hangs | one command hangs", without, with, Benchmark::ratio, "<= 1.1");
  }

  private static double ratio(double of, double to) {
    return of / to;
  }

  /** A row compares the proxy with the bare loop, or the second with the first. */
  private static void row(
      List<Runnable> rows,
      String what,
      Series first,
      Series second,
      DoubleBinaryOperator compared,
      String goal) {
    rows.add(
        () ->
            System.out.printf(
                ROW, what, first.text(), second.text(), second.with(first, compared).text(), goal));
  }

  private void awaitConnected() {
    long start = System.nanoTime();
    while (!bare.asterisk().isConnected() || !proxy.asterisk().isConnected()) {
      if (System.nanoTime() - start > Duration.ofSeconds(60).toNanos()
          || !bare.isAlive()
          || !proxy.isAlive()) {
        throw new IllegalStateException("They did not connect; see target/benchmark-*.log");
      }
      LockSupport.parkNanos(10_000_000);
    }
  }

  private static String machine() {
    return "%d cores, Java %s"
        .formatted(Runtime.getRuntime().availableProcessors(), Runtime.version().feature());
  }

  private static void say(String format, Object... arguments) {
    System.err.println(String.format(Locale.ROOT, format, arguments));
  }

  private void close() {
    bare.close();
    proxy.close();
  }

  @FunctionalInterface
  private interface Load {
    Rig.Throughput on(Subject subject);
  }

  @FunctionalInterface
  private interface Wait {
    double on(Subject subject) throws InterruptedException;
  }
}
