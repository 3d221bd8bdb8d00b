// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * Loads the proxy as shipped under memory limits of the kernel, without swap: 20,000 commands at
 * once, and 1,000 events per second; then a large event and a large response, and an outage of
 * Kafka. Only the proxy is limited.
 *
 * <p>{@code -Dbenchmark.memory=192,256} sets the limits, in MiB.
 */
final class MemoryBenchmark {

  private static final String LIMITS = System.getProperty("benchmark.memory", "");
  private static final int EVENTS_PER_SECOND = 1_000;
  private static final int SECONDS = Integer.getInteger("benchmark.interval", 30);
  private static final int COMMANDS = 20_000;
  private static final int OUTAGE = 30;

  /** Within ari.max-message-size, which follows the heap, under the smallest limit. */
  private static final int LARGE_EVENT = 2_000_000;

  private final LoadGenerator loadGenerator;

  MemoryBenchmark(LoadGenerator loadGenerator) {
    this.loadGenerator = loadGenerator;
  }

  /** Prints a line for each limit. */
  void run() throws Exception {
    System.out.printf(
        "%n%,d commands at once, and %,d events/s for %d s, under a memory limit:%n",
        COMMANDS, EVENTS_PER_SECOND, SECONDS);
    Path folder = MeasuredProcess.unpack();
    MeasuredProcess.archiveClasses(folder);
    for (int megabytes :
        Stream.of((LIMITS.isEmpty() ? "192,256,384,512,1024" : LIMITS).split(","))
            .mapToInt(Integer::parseInt)
            .toArray()) {
      Optional<MemoryLimit> limit = MemoryLimit.of(megabytes);
      if (limit.isEmpty()) {
        System.out.println("skipped: this user cannot create memory limits in /sys/fs/cgroup");
        return;
      }
      try (MemoryLimit created = limit.get()) {
        measure(folder, megabytes, created);
      }
    }
  }

  private void measure(Path folder, int megabytes, MemoryLimit limit) throws Exception {
    AtomicLong peak = new AtomicLong();
    ScheduledExecutorService sampler = Executors.newSingleThreadScheduledExecutor();
    sampler.scheduleAtFixedRate(
        () -> peak.accumulateAndGet(limit.usedBytes(), Math::max), 0, 50, TimeUnit.MILLISECONDS);
    String result;
    try (MeasuredProcess process =
        loadGenerator.start(
            "memory-" + megabytes,
            (name, asterisk, environment) ->
                MeasuredProcess.shipped(folder, name, asterisk, environment, limit.entry()))) {
      result = load(process);
    } finally {
      sampler.shutdownNow();
      sampler.awaitTermination(1, TimeUnit.SECONDS);
    }
    System.out.printf(
        Locale.ROOT,
        "%4d MiB: %s; at most %d MiB used; killed by the kernel: %d%n",
        megabytes,
        result,
        peak.get() >> 20,
        limit.kills());
  }

  private String load(MeasuredProcess process) {
    try {
      double perSecond =
          loadGenerator
              .eventsAndCommands(process, EVENTS_PER_SECOND, EVENTS_PER_SECOND * SECONDS, COMMANDS)
              .perSecond();
      String codeCache = process.codeCache();
      loadGenerator.large(process, LARGE_EVENT);
      loadGenerator.outage(process, EVENTS_PER_SECOND, OUTAGE);
      return "all published, in %.0f s; code cache %s"
          .formatted((EVENTS_PER_SECOND * SECONDS + COMMANDS) / perSecond, codeCache);
    } catch (IllegalStateException e) {
      return process.isAlive() ? e.getMessage() : "exit code " + process.exitCode();
    }
  }
}
