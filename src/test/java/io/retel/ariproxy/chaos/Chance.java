package io.retel.ariproxy.chaos;

import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.Faults;
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
 * Lets faults happen, side by side, in an order that follows from the seed: all kinds once, then
 * all once more in another order, and so on.
 */
final class Chance {

  private static final Logger LOG = LoggerFactory.getLogger(Chance.class);

  /** SIGTERM's exit code. */
  private static final int TERMINATED = 143;

  private static final Predicate<RecordedRequest> COMMANDS =
      request -> request.uri().contains(CallController.MARK);

  enum Kind {
    KAFKA_AWAY,
    NETWORK_UNPLUGGED,
    CONNECTIONS_CUT,
    HTTP_HANGS,
    HTTP_CUT,
    HTTP_503,
    WEBSOCKET_SILENT,
    WEBSOCKET_CLOSED,
    ASTERISK_RESTARTED,
    PROXY_KILLED,
    PROXY_TERMINATED
  }

  /** What has to be done at its time. */
  private record Due(Instant time, Runnable work) {}

  private final Random random;
  private final SimulatedAsterisk asterisk;
  private final String app;
  private final KafkaBroker kafka;
  private final ProxyProcess proxy;
  private final Duration shutdownTimeout;
  private final Callers callers;
  private final History history;
  private final Map<Kind, Integer> happened = new EnumMap<>(Kind.class);
  private final Deque<Kind> deck = new ArrayDeque<>();
  private final PriorityQueue<Due> agenda = new PriorityQueue<>(Comparator.comparing(Due::time));
  private boolean kafkaAway;
  private boolean proxyAway;
  private CompletableFuture<Void> termination = CompletableFuture.completedFuture(null);

  Chance(
      Random random,
      SimulatedAsterisk asterisk,
      String app,
      KafkaBroker kafka,
      ProxyProcess proxy,
      Duration shutdownTimeout,
      Callers callers,
      History history) {
    this.random = random;
    this.asterisk = asterisk;
    this.app = app;
    this.kafka = kafka;
    this.proxy = proxy;
    this.shutdownTimeout = shutdownTimeout;
    this.callers = callers;
    this.history = history;
  }

  Map<Kind, Integer> happened() {
    return happened;
  }

  /** Lets faults happen for that long, then sees to it that all of them are over. */
  void run(Duration time) {
    Instant end = Instant.now().plus(time);
    while (Instant.now().isBefore(end)) {
      strike(next());
      passUntil(Instant.now().plusMillis(500 + random.nextInt(2_000)));
    }
    while (!agenda.isEmpty() || proxyAway) {
      passUntil(Instant.now().plusMillis(50));
    }
  }

  private Kind next() {
    if (deck.isEmpty()) {
      List<Kind> shuffled = new ArrayList<>(Arrays.asList(Kind.values()));
      Collections.shuffle(shuffled, random);
      deck.addAll(shuffled);
    }
    return deck.remove();
  }

  private void passUntil(Instant time) {
    Awaitility.await("some time")
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(10))
        .until(
            () -> {
              while (!agenda.isEmpty() && !agenda.peek().time().isAfter(Instant.now())) {
                agenda.remove().work().run();
              }
              if (termination.isCompletedExceptionally()) {
                termination.join();
              }
              return !time.isAfter(Instant.now());
            });
  }

  private void strike(Kind kind) {
    if (happens(kind)) {
      happened.merge(kind, 1, Integer::sum);
      LOG.info("{}", kind);
    } else {
      deck.addLast(kind);
    }
  }

  private boolean happens(Kind kind) {
    switch (kind) {
      case KAFKA_AWAY -> {
        if (kafkaAway) {
          return false;
        }
        kafkaAway = true;
        history.kafkaGone();
        kafka.stop();
        in(500, 3_000, this::kafkaBack);
      }
      case NETWORK_UNPLUGGED -> {
        asterisk.unplug();
        in(300, 3_000, asterisk::plugIn);
      }
      case CONNECTIONS_CUT -> asterisk.cutConnections();
      case HTTP_HANGS -> passing(4_000, asterisk.faults().hang(COMMANDS));
      case HTTP_CUT -> {
        Faults faults = asterisk.faults();
        passing(
            1_500, random.nextBoolean() ? faults.cut(COMMANDS) : faults.cutAfterwards(COMMANDS));
      }
      case HTTP_503 ->
          passing(2_000, asterisk.faults().answer(request -> true, 503, "Service Unavailable"));
      case WEBSOCKET_SILENT -> {
        // never revived: it is up to the proxy to notice
        return connected() && tryTo(() -> asterisk.websocket(app).freeze());
      }
      case WEBSOCKET_CLOSED -> {
        return connected() && tryTo(() -> asterisk.websocket(app).close(1011, "chaos"));
      }
      case ASTERISK_RESTARTED -> callers.restartAsterisk();
      case PROXY_KILLED -> {
        if (proxyAway) {
          return false;
        }
        proxyAway = true;
        requireAlive();
        Instant told = Instant.now();
        proxy.kill();
        history.processEnded(told, true);
        in(0, 1_000, this::startProxy);
      }
      case PROXY_TERMINATED -> {
        if (proxyAway) {
          return false;
        }
        proxyAway = true;
        requireAlive();
        // the others go on meanwhile
        termination = CompletableFuture.runAsync(this::terminate);
        awaitTermination();
      }
    }
    return true;
  }

  private void passing(int atMost, Fault fault) {
    in(200, atMost, fault::lift);
  }

  private void in(int atLeast, int atMost, Runnable work) {
    agenda.add(new Due(Instant.now().plusMillis(atLeast + random.nextInt(atMost - atLeast)), work));
  }

  private boolean connected() {
    return asterisk.isConnected(app);
  }

  /** What has just gone by itself needs no fault. */
  private static boolean tryTo(Runnable work) {
    try {
      work.run();
      return true;
    } catch (RuntimeException e) {
      return false;
    }
  }

  private void kafkaBack() {
    kafka.start();
    history.kafkaBack();
    kafkaAway = false;
  }

  private void requireAlive() {
    if (!proxy.isAlive()) {
      throw new AssertionError("The proxy has ended by itself");
    }
  }

  private void terminate() {
    Instant told = Instant.now();
    int exit = proxy.terminate();
    Duration took = Duration.between(told, Instant.now());
    LOG.info("The proxy ended with {} after {} ms", exit, took.toMillis());
    history.processEnded(told, took.compareTo(shutdownTimeout) >= 0);
    if (exit != TERMINATED) {
      throw new AssertionError("SIGTERM ended the proxy with exit code " + exit);
    }
  }

  private void awaitTermination() {
    if (termination.isDone()) {
      startProxy();
    } else {
      in(50, 100, this::awaitTermination);
    }
  }

  private void startProxy() {
    proxy.start();
    proxyAway = false;
  }
}
