// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Measures the resync with an Asterisk of thousands of channels, bridges and playbacks, whose state
 * does not change during the gap.
 */
final class BigBenchmark {

  private static final int CHANNELS = 10_000;
  private static final int BRIDGES = 5_000;
  private static final int PLAYBACKS = 2_000;
  private static final int CHANNEL_BYTES = Integer.getInteger("benchmark.channel-bytes", 1_000);

  /** Other events while and after the proxy compares. */
  private static final int EVENTS_PER_SECOND = 200;

  private static final int EVENTS = 5 * EVENTS_PER_SECOND;

  private final LoadGenerator loadGenerator;

  BigBenchmark(LoadGenerator loadGenerator) {
    this.loadGenerator = loadGenerator;
  }

  /** Prints the figures of each round. */
  void run(int rounds) throws Exception {
    StubAsterisk asterisk = new StubAsterisk("big");
    StubState state = new StubState("big", CHANNELS, BRIDGES, CHANNEL_BYTES);
    asterisk.setState(state);
    System.out.printf(
        Locale.ROOT,
        "%n%,d channels of %,d bytes, %,d bridges, %,d playbacks:%n",
        CHANNELS,
        CHANNEL_BYTES,
        BRIDGES,
        PLAYBACKS);
    int port = ManagementClient.freePort();
    try (MeasuredProcess proxy =
            MeasuredProcess.proxy(
                "big", asterisk, loadGenerator.environment("big", asterisk, port));
        ManagementClient management = new ManagementClient(port)) {
      await(proxy, () -> FootprintBenchmark.isReady(management));
      map(proxy, state);
      for (int round = 1; round <= rounds; round++) {
        measureResync(proxy);
      }
      System.out.printf(
          Locale.ROOT,
          "Requests at once: %d (goal: 8), lists at once: %d (goal: 1)%n",
          state.mostRequests(),
          state.mostListRequests());
      measureStop(proxy);
    }
  }

  /** Maps the channels, bridges and playbacks: the first resync has discovered the channels. */
  private void map(MeasuredProcess proxy, StubState state) {
    awaitRecords(proxy, CHANNELS);
    for (int bridge = 0; bridge < BRIDGES; bridge++) {
      proxy.asterisk().send(state.bridgeEntered(bridge));
    }
    for (int playback = 0; playback < PLAYBACKS; playback++) {
      proxy.asterisk().send(state.playbackStarted(playback));
    }
    awaitRecords(proxy, CHANNELS + BRIDGES + PLAYBACKS);
  }

  /** Prints the time from the websocket until the last call is restored, and waits of events. */
  private void measureResync(MeasuredProcess proxy) throws InterruptedException {
    Duration cpu = proxy.cpuTime();
    reconnect(proxy);
    long start = System.nanoTime();
    long before = loadGenerator.endOffset(proxy.eventsTopic());
    CompletableFuture<Double> restored =
        CompletableFuture.supplyAsync(
            () -> {
              // the events follow the resync
              awaitRecords(proxy, before + CHANNELS);
              return (System.nanoTime() - start) / 1e9;
            });
    Latencies latencies = loadGenerator.eventLatencies(proxy, EVENTS_PER_SECOND, EVENTS);
    System.out.printf(
        Locale.ROOT,
        "Resync: %.1f s (goal: 2), CPU with %,d events %.1f s; longest wait of an event %.1f s,"
            + " median %.3f s%n",
        restored.join(),
        EVENTS,
        proxy.cpuTime().minus(cpu).toMillis() / 1e3,
        latencies.percentile(100) / 1e3,
        latencies.percentile(50) / 1e3);
  }

  private void measureStop(MeasuredProcess proxy) {
    reconnect(proxy);
    LockSupport.parkNanos(200_000_000);
    long start = System.nanoTime();
    proxy.close();
    System.out.printf(
        Locale.ROOT, "Stop during a resync: %.1f s%n", (System.nanoTime() - start) / 1e9);
  }

  private static void reconnect(MeasuredProcess proxy) {
    StubAsterisk asterisk = proxy.asterisk();
    asterisk.disconnect();
    await(proxy, () -> !asterisk.isConnected());
    await(proxy, asterisk::isConnected);
  }

  private void awaitRecords(MeasuredProcess proxy, long count) {
    await(proxy, () -> loadGenerator.endOffset(proxy.eventsTopic()) >= count);
  }

  private static void await(MeasuredProcess process, BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (!process.isAlive() || System.nanoTime() - start > 180_000_000_000L) {
        throw new IllegalStateException("Process failed; see target/benchmark-*.log");
      }
      LockSupport.parkNanos(5_000_000);
    }
  }
}
