// SPDX-License-Identifier: Apache-2.0
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
 * Compares the proxy with a baseline in alternating rounds and prints a table.
 *
 * <p>{@code -Dbenchmark.rounds=7} sets the number of rounds, {@code
 * -Dbenchmark.parts=events,commands} the parts to run: {@code events}, {@code commands}, {@code
 * event-latency}, {@code command-latency}, {@code hung}, {@code start}, {@code rest}, {@code cold},
 * {@code steady}, {@code memory}, {@code big}, {@code million}, {@code soak} (for {@code
 * -Dbenchmark.minutes=60}), or only {@code hot-path}.
 */
public final class Benchmark {

  private static final int EVENTS = Integer.getInteger("benchmark.events", 200_000);
  private static final int COMMANDS = Integer.getInteger("benchmark.commands", 40_000);
  private static final int WARM_UP_ROUNDS = Integer.getInteger("benchmark.warmups", 8);
  private static final int ROUNDS = Integer.getInteger("benchmark.rounds", 7);
  private static final Set<String> COMPARED_PARTS =
      Set.of("events", "commands", "event-latency", "command-latency", "hung", "soak");
  private static final Set<String> PARTS =
      Set.of(System.getProperty("benchmark.parts", "events,commands").split(","));
  private static final String ROW_FORMAT = "%-38s %-26s %-26s %-22s %s%n";

  private final LoadGenerator loadGenerator;
  private final MeasuredProcess baseline;
  private final MeasuredProcess proxy;

  private Benchmark(LoadGenerator loadGenerator) {
    this.loadGenerator = loadGenerator;
    StubAsterisk baselineAsterisk = new StubAsterisk("baseline");
    StubAsterisk proxyAsterisk = new StubAsterisk("ari-proxy");
    this.baseline =
        MeasuredProcess.baseline(
            "baseline",
            baselineAsterisk,
            loadGenerator.environment("baseline", baselineAsterisk, 0));
    this.proxy =
        MeasuredProcess.proxy(
            "ari-proxy", proxyAsterisk, loadGenerator.environment("ari-proxy", proxyAsterisk, 0));
  }

  public static void main(String[] args) throws Exception {
    if (PARTS.contains("hot-path")) {
      HotPathBenchmark.run();
      return;
    }
    try (LoadGenerator loadGenerator = new LoadGenerator()) {
      FootprintBenchmark footprint = new FootprintBenchmark(loadGenerator);
      if (PARTS.contains("start")) {
        footprint.measureStart(ROUNDS);
      }
      if (PARTS.contains("rest")) {
        new RestBenchmark(loadGenerator).run();
      }
      if (PARTS.contains("cold")) {
        new ColdBenchmark(loadGenerator, ROUNDS).run();
      }
      if (PARTS.contains("steady")) {
        new SteadyBenchmark(loadGenerator).run();
      }
      if (PARTS.contains("memory")) {
        new MemoryBenchmark(loadGenerator).run();
      }
      if (PARTS.contains("big")) {
        new BigBenchmark(loadGenerator).run(ROUNDS);
      }
      if (PARTS.contains("million")) {
        footprint.measureHeap();
        footprint.measureRestore();
        footprint.measureStartWithMappings();
      }
      if (!Collections.disjoint(PARTS, COMPARED_PARTS)) {
        Benchmark benchmark = new Benchmark(loadGenerator);
        try {
          benchmark.run();
          if (PARTS.contains("soak")) {
            footprint.runSoak(benchmark.proxy, Integer.getInteger("benchmark.minutes", 60));
          }
        } finally {
          benchmark.close();
        }
      }
    }
    // threads of the embedded broker are still running
    System.exit(0);
  }

  private void run() throws InterruptedException {
    awaitConnected();
    List<Runnable> rows = new ArrayList<>();
    if (PARTS.contains("events")) {
      throughput("events", 0.6, 2.0, rows, process -> loadGenerator.events(process, EVENTS));
    }
    if (PARTS.contains("commands")) {
      throughput("commands", 1.0, 1.8, rows, process -> loadGenerator.commands(process, COMMANDS));
    }
    if (PARTS.contains("event-latency")) {
      latency(
          "p99 latency at 1,000 events/s, ms",
          rows,
          process -> loadGenerator.eventLatencies(process, 1_000, 8_000).percentile(99));
    }
    if (PARTS.contains("command-latency")) {
      latency(
          "p99 latency at 300 commands/s, ms",
          rows,
          process -> loadGenerator.commandLatencies(process, 300, 2_400).percentile(99));
    }
    if (PARTS.contains("hung")) {
      hangingCommands(rows);
    }
    if (rows.isEmpty()) {
      return;
    }
    System.out.printf(
        "%n%d rounds after %d warm-up rounds, alternating; %s; median (min-max)%n%n",
        ROUNDS, WARM_UP_ROUNDS, machine());
    System.out.printf(ROW_FORMAT, "", "baseline", "ari-proxy", "ratio or difference", "goal");
    rows.forEach(Runnable::run);
    System.out.println();
  }

  private void throughput(
      String label,
      double minRate,
      double maxCpu,
      List<Runnable> rows,
      ThroughputMeasurement measurement)
      throws InterruptedException {
    Series baselineRate = new Series();
    Series proxyRate = new Series();
    Series baselineCpu = new Series();
    Series proxyCpu = new Series();
    for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      LoadGenerator.Throughput baselineResult = measurement.run(baseline);
      LoadGenerator.Throughput proxyResult = measurement.run(proxy);
      log("%s: round %s baseline %s, proxy %s", label, round, baselineResult, proxyResult);
      if (round >= 0) {
        baselineRate.add(baselineResult.perSecond());
        proxyRate.add(proxyResult.perSecond());
        baselineCpu.add(baselineResult.cpuMicrosPerMessage());
        proxyCpu.add(proxyResult.cpuMicrosPerMessage());
      }
    }
    addRow(rows, label + "/s", baselineRate, proxyRate, Benchmark::ratio, ">= " + minRate);
    addRow(
        rows,
        "CPU of " + label + ", us per message",
        baselineCpu,
        proxyCpu,
        Benchmark::ratio,
        "<= " + maxCpu);
  }

  private void latency(String label, List<Runnable> rows, LatencyMeasurement measurement)
      throws InterruptedException {
    Series baselineSeries = new Series();
    Series proxySeries = new Series();
    for (int round = -1; round < ROUNDS; round++) {
      double baselineMs = measurement.run(baseline);
      double proxyMs = measurement.run(proxy);
      log("%s: round %s baseline %.2f, proxy %.2f", label, round, baselineMs, proxyMs);
      if (round >= 0) {
        baselineSeries.add(baselineMs);
        proxySeries.add(proxyMs);
      }
    }
    addRow(rows, label, baselineSeries, proxySeries, (value, base) -> value - base, "<= +2 ms");
  }

  private void hangingCommands(List<Runnable> rows) throws InterruptedException {
    Series normal = new Series();
    Series hanging = new Series();
    for (int round = -1; round < ROUNDS; round++) {
      double normalMs = loadGenerator.commandLatencies(proxy, 300, 2_400).percentile(99);
      loadGenerator.sendHangingCommands(proxy, 200);
      double hangingMs = loadGenerator.commandLatencies(proxy, 300, 2_400).percentile(99);
      log("hung: round %s without %.2f, with %.2f", round, normalMs, hangingMs);
      if (round >= 0) {
        normal.add(normalMs);
        hanging.add(hangingMs);
      }
    }
    addRow(
        rows,
        "p99 without | with 200 hung commands, ms",
        normal,
        hanging,
        Benchmark::ratio,
        "<= 2");
  }

  private static double ratio(double value, double base) {
    return value / base;
  }

  /** Adds a row that compares the second series with the first. */
  private static void addRow(
      List<Runnable> rows,
      String label,
      Series first,
      Series second,
      DoubleBinaryOperator comparison,
      String goal) {
    rows.add(
        () ->
            System.out.printf(
                ROW_FORMAT,
                label,
                first.summary(),
                second.summary(),
                second.combine(first, comparison).summary(),
                goal));
  }

  private void awaitConnected() {
    long start = System.nanoTime();
    while (!baseline.asterisk().isConnected() || !proxy.asterisk().isConnected()) {
      if (System.nanoTime() - start > Duration.ofSeconds(60).toNanos()
          || !baseline.isAlive()
          || !proxy.isAlive()) {
        throw new IllegalStateException(
            "Websockets not connected within 60 s; see target/benchmark-*.log");
      }
      LockSupport.parkNanos(10_000_000);
    }
  }

  private static String machine() {
    return "%d cores, Java %s"
        .formatted(Runtime.getRuntime().availableProcessors(), Runtime.version().feature());
  }

  private static void log(String format, Object... arguments) {
    System.err.println(String.format(Locale.ROOT, format, arguments));
  }

  private void close() {
    baseline.close();
    proxy.close();
  }

  @FunctionalInterface
  private interface ThroughputMeasurement {
    LoadGenerator.Throughput run(MeasuredProcess subject);
  }

  @FunctionalInterface
  private interface LatencyMeasurement {
    double run(MeasuredProcess subject) throws InterruptedException;
  }
}
