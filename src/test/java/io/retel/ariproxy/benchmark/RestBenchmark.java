// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import io.retel.ariproxy.fixtures.ThreadActivity;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Measures the proxy as shipped and the baseline without events and commands, one after the other:
 * CPU, memory, threads and how often they wake.
 */
final class RestBenchmark {

  private static final Duration SETTLE =
      Duration.ofSeconds(Integer.getInteger("benchmark.settle", 60));
  private static final Duration INTERVAL =
      Duration.ofSeconds(Integer.getInteger("benchmark.interval", 30));
  private static final int TOP_THREADS = 8;

  private final LoadGenerator loadGenerator;

  RestBenchmark(LoadGenerator loadGenerator) {
    this.loadGenerator = loadGenerator;
  }

  /** Prints the figures of both. */
  void run() throws Exception {
    System.out.printf(
        "%nAt rest, %d s after the start, for %d s:%n", SETTLE.toSeconds(), INTERVAL.toSeconds());
    StubAsterisk baselineAsterisk = new StubAsterisk("rest-baseline");
    Map<String, String> environment =
        loadGenerator.environment("rest-baseline", baselineAsterisk, 0);
    try (MeasuredProcess baseline = MeasuredProcess.baseline(baselineAsterisk, environment)) {
      await(baseline, baselineAsterisk::isConnected);
      report(baseline, "baseline");
    }
    StubAsterisk asterisk = new StubAsterisk("rest");
    int port = ManagementClient.freePort();
    try (MeasuredProcess proxy =
            MeasuredProcess.shipped(
                "rest", asterisk, loadGenerator.environment("rest", asterisk, port));
        ManagementClient management = new ManagementClient(port)) {
      await(proxy, () -> FootprintBenchmark.isReady(management));
      report(proxy, "ari-proxy");
    }
  }

  private static void await(MeasuredProcess process, BooleanSupplier ready) {
    while (!ready.getAsBoolean()) {
      if (!process.isAlive()) {
        throw new IllegalStateException("Process failed to start; see target/benchmark-*.log");
      }
      LockSupport.parkNanos(50_000_000);
    }
  }

  private static void report(MeasuredProcess process, String label) throws Exception {
    TimeUnit.NANOSECONDS.sleep(SETTLE.toNanos());
    ThreadActivity threads = ThreadActivity.of(process.pid());
    Duration cpu = process.cpuTime();
    long start = System.nanoTime();
    TimeUnit.NANOSECONDS.sleep(INTERVAL.toNanos());
    double seconds = (System.nanoTime() - start) / 1e9;
    double cpuShare = process.cpuTime().minus(cpu).toNanos() / 1e7 / seconds;
    ThreadActivity after = ThreadActivity.of(process.pid());
    Map<String, Long> wakeUps = after.wakeUpsSince(threads);
    System.out.printf(
        Locale.ROOT,
        "%-10s %.2f %% of a core, %d MB RSS, %d threads, %.0f wake-ups/s%n",
        label,
        cpuShare,
        residentKilobytes(process.pid()) / 1_000,
        after.threads().size(),
        wakeUps.values().stream().mapToLong(Long::longValue).sum() / seconds);
    System.out.println("           wake-ups/s: " + top(wakeUps, seconds));
    System.out.println(
        "           % of a core: " + top(after.cpuNanosSince(threads), 1e7 * seconds));
  }

  private static String top(Map<String, Long> values, double divisor) {
    return values.entrySet().stream()
        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
        .limit(TOP_THREADS)
        .map(
            value ->
                String.format(Locale.ROOT, "%s %.2f", value.getKey(), value.getValue() / divisor))
        .collect(Collectors.joining(", "));
  }

  private static long residentKilobytes(long pid) {
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(pid), "status")).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
