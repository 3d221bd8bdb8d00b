// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/**
 * Measures the first minute of a process, at 1,000 events per second from the moment its websocket
 * is open: the baseline, a minimal bridge, and the proxy as shipped at its first and its second
 * start.
 */
final class ColdBenchmark {

  private static final int EVENTS_PER_SECOND = 1_000;
  private static final int FIRST_SECONDS = 20;
  private static final int OTHER_SECONDS = 40;
  private static final Duration SOON = Duration.ofMillis(100);

  private final LoadGenerator loadGenerator;
  private final int rounds;

  ColdBenchmark(LoadGenerator loadGenerator, int rounds) {
    this.loadGenerator = loadGenerator;
    this.rounds = rounds;
  }

  /** Prints a line for each start. */
  void run() throws Exception {
    System.out.printf("%n%,d events/s from the start, for one minute:%n", EVENTS_PER_SECOND);
    for (int round = 0; round < rounds; round++) {
      measure("baseline", round, MeasuredProcess::baseline);
      measure("bridge", round, MeasuredProcess::bridge);
      Path folder = MeasuredProcess.unpack();
      MeasuredProcess.Starter shipped =
          (name, asterisk, environment) ->
              MeasuredProcess.shipped(folder, name, asterisk, environment);
      measure("first-start", round, shipped);
      measure("second-start", round, shipped);
    }
  }

  private void measure(String label, int round, MeasuredProcess.Starter starter) throws Exception {
    long start = System.nanoTime();
    try (MeasuredProcess process = loadGenerator.start("cold-" + label + "-" + round, starter)) {
      double startSeconds = (System.nanoTime() - start) / 1e9;
      Duration startCpu = process.cpuTime();
      Latencies first = events(process, FIRST_SECONDS);
      double cpu = process.cpuTime().minus(startCpu).toNanos() / 1e3;
      Latencies others = events(process, OTHER_SECONDS);
      System.out.printf(
          Locale.ROOT,
          "%-12s websocket open after %.1f s and %.1f s of CPU; first %d s: %.0f us/event;"
              + " within %d ms: %.2f %% of the first %d s, %.2f %% of the others; %d MB RSS%n",
          label,
          startSeconds,
          startCpu.toMillis() / 1e3,
          FIRST_SECONDS,
          cpu / (EVENTS_PER_SECOND * FIRST_SECONDS),
          SOON.toMillis(),
          first.percentageWithin(SOON),
          FIRST_SECONDS,
          others.percentageWithin(SOON),
          process.residentMegabytes());
    }
  }

  private Latencies events(MeasuredProcess process, int seconds) throws InterruptedException {
    return loadGenerator.eventLatencies(process, EVENTS_PER_SECOND, EVENTS_PER_SECOND * seconds);
  }
}
