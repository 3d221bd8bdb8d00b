// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.chaos;

import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Generates calls from the dialplan; each enters Stasis, sends numbered events and hangs up. */
final class CallGenerator implements AutoCloseable {

  /** Channel variable whose values are numbered. */
  static final String SEQUENCE_VARIABLE = "CHAOS_NUMBER";

  private static final int MAX_CONCURRENT_CALLS = 12;
  private static final Duration TICK = Duration.ofMillis(50);

  /** each call sends one event per this many ticks, on average */
  private static final int TICKS_PER_EVENT = 4;

  private static final int MAX_CALL_TICKS = 300;

  private static final class ActiveCall {
    private final SimulatedCall call;
    private int remainingTicks;
    private int nextSequence;

    ActiveCall(SimulatedCall call, int remainingTicks) {
      this.call = call;
      this.remainingTicks = remainingTicks;
    }
  }

  private final SimulatedAsterisk asterisk;
  private final String app;
  private final Random random;
  private final List<ActiveCall> activeCalls = new ArrayList<>();
  private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
  private boolean closed;
  private int totalCalls;
  private RuntimeException failure;

  CallGenerator(SimulatedAsterisk asterisk, String app, Random random) {
    this.asterisk = asterisk;
    this.app = app;
    this.random = random;
  }

  void start() {
    executor.scheduleAtFixedRate(this::tick, 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Restarts Asterisk: all calls end without an event. */
  synchronized void restartAsterisk() {
    asterisk.restart();
    activeCalls.clear();
  }

  /** Stops starting new calls; active calls continue. */
  synchronized void stopNewCalls() {
    closed = true;
    activeCalls.forEach(active -> active.remainingTicks = Integer.MAX_VALUE);
  }

  synchronized void hangUpAll() {
    activeCalls.forEach(active -> active.call.hangup());
    activeCalls.clear();
  }

  /** Returns the channels that are currently in Stasis. */
  synchronized Set<String> channelsInStasis() {
    Set<String> ids = new TreeSet<>();
    activeCalls.stream()
        .filter(active -> active.call.isInStasis())
        .forEach(active -> ids.add(active.call.id()));
    return ids;
  }

  synchronized int totalCalls() {
    return totalCalls;
  }

  private synchronized void tick() {
    try {
      if (!closed && activeCalls.size() < MAX_CONCURRENT_CALLS && random.nextInt(4) == 0) {
        // half of the calls get their call context from the dialplan
        String callContext = random.nextBoolean() ? "dialplan-" + totalCalls : "";
        totalCalls++;
        SimulatedCall call =
            asterisk.call(
                app, "100", callContext.isEmpty() ? Map.of() : Map.of("CALL_CONTEXT", callContext));
        if (call.isInStasis()) {
          activeCalls.add(new ActiveCall(call, 1 + random.nextInt(MAX_CALL_TICKS)));
        }
      }
      for (ActiveCall active : List.copyOf(activeCalls)) {
        if (!active.call.isAlive() || --active.remainingTicks == 0) {
          active.call.hangup();
          activeCalls.remove(active);
        } else if (random.nextInt(TICKS_PER_EVENT) == 0) {
          active.call.setVariable(SEQUENCE_VARIABLE, Integer.toString(active.nextSequence++));
        }
      }
    } catch (RuntimeException e) {
      failure = e;
    }
  }

  @Override
  public void close() {
    executor.shutdownNow();
    synchronized (this) {
      if (failure != null) {
        throw failure;
      }
    }
  }
}
