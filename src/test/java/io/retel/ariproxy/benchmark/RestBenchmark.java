// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import io.retel.ariproxy.fixtures.ThreadActivity;
import java.time.Duration;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Measures the proxy as shipped, the baseline and a minimal bridge without events and commands, one
 * after the other: CPU, memory, threads and how often they wake.
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

  /** Prints the figures of each. */
  void run() throws Exception {
    System.out.printf(
        "%nAt rest, %d s after the start, for %d s:%n", SETTLE.toSeconds(), INTERVAL.toSeconds());
    measure("baseline", MeasuredProcess::baseline);
    measure("bridge", MeasuredProcess::bridge);
    measure("ari-proxy", MeasuredProcess::shipped);
  }

  private void measure(String label, MeasuredProcess.Starter starter) throws Exception {
    try (MeasuredProcess process = loadGenerator.start("rest-" + label, starter)) {
      report(process, label);
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
        process.residentMegabytes(),
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
}
