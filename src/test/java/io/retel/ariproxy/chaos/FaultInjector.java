// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.chaos;

import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.HttpFaults;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Injects overlapping faults in an order that depends on the seed: all kinds once, then all again
 * in a different order, and so on.
 */
final class FaultInjector {

  private static final Logger LOG = LoggerFactory.getLogger(FaultInjector.class);

  /** exit code after SIGTERM */
  private static final int EXIT_SIGTERM = 143;

  private static final Predicate<RecordedRequest> COMMAND_REQUESTS =
      request -> request.uri().contains(CallController.COMMAND_ID_PARAMETER);

  enum FaultKind {
    KAFKA_OUTAGE,
    NETWORK_UNPLUGGED,
    CONNECTIONS_DROPPED,
    HTTP_HANG,
    HTTP_ABORT,
    HTTP_503,
    WEBSOCKET_STALLED,
    WEBSOCKET_CLOSED,
    ASTERISK_RESTARTED,
    PROXY_KILLED,
    PROXY_TERMINATED
  }

  /** An action to run at a given time. */
  private record ScheduledTask(Instant time, Runnable action) {}

  private final Random random;
  private final SimulatedAsterisk asterisk;
  private final String app;
  private final KafkaBroker kafka;
  private final ProxyProcess proxy;
  private final Duration shutdownTimeout;
  private final CallGenerator callGenerator;
  private final OutageHistory history;
  private final Map<FaultKind, Integer> injectedFaults = new EnumMap<>(FaultKind.class);
  private final Deque<FaultKind> upcomingFaults = new ArrayDeque<>();
  private final PriorityQueue<ScheduledTask> scheduledTasks =
      new PriorityQueue<>(Comparator.comparing(ScheduledTask::time));
  private boolean kafkaDown;
  private boolean proxyDown;
  private CompletableFuture<Void> termination = CompletableFuture.completedFuture(null);

  FaultInjector(
      Random random,
      SimulatedAsterisk asterisk,
      String app,
      KafkaBroker kafka,
      ProxyProcess proxy,
      Duration shutdownTimeout,
      CallGenerator callGenerator,
      OutageHistory history) {
    this.random = random;
    this.asterisk = asterisk;
    this.app = app;
    this.kafka = kafka;
    this.proxy = proxy;
    this.shutdownTimeout = shutdownTimeout;
    this.callGenerator = callGenerator;
    this.history = history;
  }

  Map<FaultKind, Integer> injectedFaults() {
    return injectedFaults;
  }

  /** Injects faults for a duration, then waits until all of them have ended. */
  void run(Duration time) {
    Instant end = Instant.now().plus(time);
    while (Instant.now().isBefore(end)) {
      inject(nextFault());
      runTasksUntil(Instant.now().plusMillis(500 + random.nextInt(2_000)));
    }
    while (!scheduledTasks.isEmpty() || proxyDown) {
      runTasksUntil(Instant.now().plusMillis(50));
    }
  }

  private FaultKind nextFault() {
    if (upcomingFaults.isEmpty()) {
      List<FaultKind> shuffled = new ArrayList<>(Arrays.asList(FaultKind.values()));
      Collections.shuffle(shuffled, random);
      upcomingFaults.addAll(shuffled);
    }
    return upcomingFaults.remove();
  }

  private void runTasksUntil(Instant time) {
    Awaitility.await("scheduled tasks")
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(10))
        .until(
            () -> {
              while (!scheduledTasks.isEmpty()
                  && !scheduledTasks.peek().time().isAfter(Instant.now())) {
                scheduledTasks.remove().action().run();
              }
              if (termination.isCompletedExceptionally()) {
                termination.join();
              }
              return !time.isAfter(Instant.now());
            });
  }

  private void inject(FaultKind kind) {
    if (tryInject(kind)) {
      injectedFaults.merge(kind, 1, Integer::sum);
      LOG.info("{}", kind);
    } else {
      upcomingFaults.addLast(kind);
    }
  }

  private boolean tryInject(FaultKind kind) {
    switch (kind) {
      case KAFKA_OUTAGE -> {
        if (kafkaDown) {
          return false;
        }
        kafkaDown = true;
        history.recordKafkaStop();
        kafka.stop();
        scheduleBetween(500, 3_000, this::restartKafka);
      }
      case NETWORK_UNPLUGGED -> {
        asterisk.disconnectNetwork();
        scheduleBetween(300, 3_000, asterisk::reconnectNetwork);
      }
      case CONNECTIONS_DROPPED -> asterisk.dropConnections();
      case HTTP_HANG -> liftLater(4_000, asterisk.faults().hang(COMMAND_REQUESTS));
      case HTTP_ABORT -> {
        HttpFaults faults = asterisk.faults();
        liftLater(
            1_500,
            random.nextBoolean()
                ? faults.dropBeforeExecution(COMMAND_REQUESTS)
                : faults.dropAfterExecution(COMMAND_REQUESTS));
      }
      case HTTP_503 ->
          liftLater(
              2_000, asterisk.faults().respondWith(request -> true, 503, "Service Unavailable"));
      case WEBSOCKET_STALLED -> {
        // never unfrozen: the proxy must detect it
        return isConnected() && runIfPossible(() -> asterisk.websocketFaults(app).freeze());
      }
      case WEBSOCKET_CLOSED -> {
        return isConnected()
            && runIfPossible(() -> asterisk.websocketFaults(app).close(1011, "chaos"));
      }
      case ASTERISK_RESTARTED -> callGenerator.restartAsterisk();
      case PROXY_KILLED -> {
        if (proxyDown) {
          return false;
        }
        proxyDown = true;
        requireProxyAlive();
        Instant killTime = Instant.now();
        proxy.kill();
        history.recordExit(killTime, true);
        scheduleBetween(0, 1_000, this::startProxy);
      }
      case PROXY_TERMINATED -> {
        if (proxyDown) {
          return false;
        }
        proxyDown = true;
        requireProxyAlive();
        // other faults continue in the meantime
        termination = CompletableFuture.runAsync(this::terminateProxy);
        restartAfterTermination();
      }
    }
    return true;
  }

  private void liftLater(int maxMillis, Fault fault) {
    scheduleBetween(200, maxMillis, fault::clear);
  }

  private void scheduleBetween(int minMillis, int maxMillis, Runnable action) {
    scheduledTasks.add(
        new ScheduledTask(
            Instant.now().plusMillis(minMillis + random.nextInt(maxMillis - minMillis)), action));
  }

  private boolean isConnected() {
    return asterisk.isConnected(app);
  }

  /** Returns false if the target is already disconnected. */
  private static boolean runIfPossible(Runnable action) {
    try {
      action.run();
      return true;
    } catch (RuntimeException e) {
      return false;
    }
  }

  private void restartKafka() {
    kafka.start();
    history.recordKafkaStart();
    kafkaDown = false;
  }

  private void requireProxyAlive() {
    if (!proxy.isAlive()) {
      throw new AssertionError("Proxy exited unexpectedly");
    }
  }

  private void terminateProxy() {
    Instant signalTime = Instant.now();
    int exitCode = proxy.terminate();
    Duration duration = Duration.between(signalTime, Instant.now());
    LOG.info("Proxy exited with {} after {} ms", exitCode, duration.toMillis());
    history.recordExit(signalTime, duration.compareTo(shutdownTimeout) >= 0);
    if (exitCode != EXIT_SIGTERM) {
      throw new AssertionError("Unexpected exit code of the proxy after SIGTERM: " + exitCode);
    }
  }

  private void restartAfterTermination() {
    if (termination.isDone()) {
      startProxy();
    } else {
      scheduleBetween(50, 100, this::restartAfterTermination);
    }
  }

  private void startProxy() {
    proxy.start();
    proxyDown = false;
  }
}
