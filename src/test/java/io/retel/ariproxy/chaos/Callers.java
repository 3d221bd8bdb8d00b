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

/** Calls from the dialplan: each arrives, sends numbered events, and hangs up. */
final class Callers implements AutoCloseable {

  /** The channel variable whose changes are numbered. */
  static final String NUMBER = "CHAOS_NUMBER";

  private static final int AT_ONCE = 12;
  private static final Duration TICK = Duration.ofMillis(50);

  /** Each call sends one in as many ticks. */
  private static final int QUIET_TICKS = 4;

  private static final int LONGEST_TICKS = 300;

  private static final class Caller {
    private final SimulatedCall call;
    private int ticksLeft;
    private int number;

    Caller(SimulatedCall call, int ticksLeft) {
      this.call = call;
      this.ticksLeft = ticksLeft;
    }
  }

  private final SimulatedAsterisk asterisk;
  private final String app;
  private final Random random;
  private final List<Caller> callers = new ArrayList<>();
  private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
  private boolean ending;
  private int total;
  private RuntimeException failure;

  Callers(SimulatedAsterisk asterisk, String app, Random random) {
    this.asterisk = asterisk;
    this.app = app;
    this.random = random;
  }

  void start() {
    executor.scheduleAtFixedRate(this::tick, 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Asterisk is started again: nobody is told, and all calls are gone. */
  synchronized void restartAsterisk() {
    asterisk.restart();
    callers.clear();
  }

  /** No new calls; those that are there go on. */
  synchronized void admitNoMore() {
    ending = true;
    callers.forEach(caller -> caller.ticksLeft = Integer.MAX_VALUE);
  }

  synchronized void hangUpAll() {
    callers.forEach(caller -> caller.call.hangup());
    callers.clear();
  }

  /** The channels that are in Stasis now. */
  synchronized Set<String> inStasis() {
    Set<String> ids = new TreeSet<>();
    callers.stream()
        .filter(caller -> caller.call.isInStasis())
        .forEach(caller -> ids.add(caller.call.id()));
    return ids;
  }

  synchronized int total() {
    return total;
  }

  private synchronized void tick() {
    try {
      if (!ending && callers.size() < AT_ONCE && random.nextInt(4) == 0) {
        // half of them have their call context from the dialplan
        String context = random.nextBoolean() ? "dialplan-" + total : "";
        total++;
        SimulatedCall call =
            asterisk.call(
                app, "100", context.isEmpty() ? Map.of() : Map.of("CALL_CONTEXT", context));
        if (call.isInStasis()) {
          callers.add(new Caller(call, 1 + random.nextInt(LONGEST_TICKS)));
        }
      }
      for (Caller caller : List.copyOf(callers)) {
        if (!caller.call.isAlive() || --caller.ticksLeft == 0) {
          caller.call.hangup();
          callers.remove(caller);
        } else if (random.nextInt(QUIET_TICKS) == 0) {
          caller.call.setVariable(NUMBER, Integer.toString(caller.number++));
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
