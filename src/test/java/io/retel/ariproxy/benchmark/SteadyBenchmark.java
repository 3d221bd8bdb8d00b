// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;

/**
 * Measures the baseline, a minimal bridge and the proxy as shipped at 1,000 events per second, once
 * warm: CPU, memory and latency; then with 100 commands per second in addition; then how fast a
 * controller answers calls.
 *
 * <p>{@code -Dbenchmark.linger=5,0,0/1} measures the proxy once with each {@code lingerMs} of
 * {@code routes/publish.camel.yaml}, here the last one with {@code maxInFlightRequest: 1}.
 */
final class SteadyBenchmark {

  private static final int EVENTS_PER_SECOND = 1_000;
  private static final int COMMANDS_PER_SECOND = 100;
  private static final int CALLS_PER_SECOND = 20;
  private static final int WARM_UP_SECONDS = Integer.getInteger("benchmark.settle", 100);
  private static final int SECONDS = Integer.getInteger("benchmark.interval", 60);
  private static final String LINGER = System.getProperty("benchmark.linger", "");

  private final LoadGenerator loadGenerator;

  SteadyBenchmark(LoadGenerator loadGenerator) {
    this.loadGenerator = loadGenerator;
  }

  /** Prints the figures of each process, one after the other. */
  void run() throws Exception {
    System.out.printf(
        "%n%,d events/s for %d s, after %d s of them; then with %d commands/s; then %d calls/s:%n",
        EVENTS_PER_SECOND, SECONDS, WARM_UP_SECONDS, COMMANDS_PER_SECOND, CALLS_PER_SECOND);
    measure("baseline", MeasuredProcess::baseline);
    measure("bridge", MeasuredProcess::bridge);
    if (LINGER.isEmpty()) {
      measure("ari-proxy", MeasuredProcess::shipped);
      return;
    }
    for (String linger : LINGER.split(",")) {
      measure(
          "linger-" + linger.replace('/', '-'),
          (name, asterisk, environment) -> {
            Path folder = MeasuredProcess.unpack();
            setLinger(folder.resolve("routes/publish.camel.yaml"), linger.split("/"));
            return MeasuredProcess.shipped(folder, name, asterisk, environment);
          });
    }
  }

  private void measure(String label, MeasuredProcess.Starter starter) throws Exception {
    try (MeasuredProcess process = loadGenerator.start("steady-" + label, starter)) {
      report(label, process);
    }
  }

  private static void setLinger(Path route, String[] options) throws IOException {
    String text = Files.readString(route);
    String edited =
        text.replaceFirst(
            "( +)lingerMs: \\d+\n",
            "$1lingerMs: "
                + options[0]
                + (options.length == 1 ? "" : "\n$1maxInFlightRequest: " + options[1])
                + "\n");
    if (edited.equals(text) && !text.contains("lingerMs: " + options[0])) {
      throw new IllegalStateException("No lingerMs in " + route);
    }
    Files.writeString(route, edited);
  }

  private void report(String label, MeasuredProcess process) throws Exception {
    events(process, WARM_UP_SECONDS);
    Duration cpu = process.cpuTime();
    Latencies events = events(process, SECONDS);
    double cpuOfEvents = process.cpuTime().minus(cpu).toNanos() / 1e3;

    cpu = process.cpuTime();
    CompletableFuture<Latencies> others =
        CompletableFuture.supplyAsync(() -> events(process, SECONDS));
    Latencies commands =
        loadGenerator.commandLatencies(process, COMMANDS_PER_SECOND, COMMANDS_PER_SECOND * SECONDS);
    others.join();
    double cpuOfCommands = process.cpuTime().minus(cpu).toNanos() / 1e3 - cpuOfEvents;
    long memory = process.residentMegabytes();

    Latencies answers =
        loadGenerator.answerLatencies(process, CALLS_PER_SECOND, CALLS_PER_SECOND * SECONDS);
    System.out.printf(
        Locale.ROOT,
        "%-14s %.0f us/event, p50 %.1f ms, p99 %.1f ms; %.0f us/command, p50 %.1f ms, p99 %.1f ms;"
            + " StasisStart to answer p50 %.1f ms, p99 %.1f ms; %d MB RSS%n",
        label,
        cpuOfEvents / (EVENTS_PER_SECOND * SECONDS),
        events.percentile(50),
        events.percentile(99),
        cpuOfCommands / (COMMANDS_PER_SECOND * SECONDS),
        commands.percentile(50),
        commands.percentile(99),
        answers.percentile(50),
        answers.percentile(99),
        memory);
  }

  private Latencies events(MeasuredProcess process, int seconds) {
    try {
      return loadGenerator.eventLatencies(process, EVENTS_PER_SECOND, EVENTS_PER_SECOND * seconds);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
