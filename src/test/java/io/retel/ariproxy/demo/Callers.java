package io.retel.ariproxy.demo;

import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * People who call: one every two or three seconds, now and then two at once; some press a key, some
 * hang up early, and some come from a dialplan that sets CALL_CONTEXT.
 */
final class Callers implements AutoCloseable {

  private static final String EXTEN = "100";

  private final SimulatedAsterisk asterisk;
  private final String app;
  private final int limit;
  private final ScheduledExecutorService phones =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "callers");
            thread.setDaemon(true);
            return thread;
          });
  private int made;

  private Callers(SimulatedAsterisk asterisk, String app, int limit) {
    this.asterisk = asterisk;
    this.app = app;
    this.limit = limit;
  }

  /**
   * Lets the first one call.
   *
   * @param limit how many calls there are to be; 0 for no end
   */
  static Callers start(SimulatedAsterisk asterisk, String app, int limit) {
    Callers callers = new Callers(asterisk, app, limit);
    callers.phones.execute(callers::call);
    return callers;
  }

  /** Nobody calls or does anything any more. */
  @Override
  public void close() {
    phones.shutdownNow();
    try {
      phones.awaitTermination(1, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void call() {
    int n = ++made;
    String number = String.format(Locale.ROOT, "555-01%02d", n * 37 % 100);
    Map<String, String> variables =
        n % 3 == 2 ? Map.of("CALL_CONTEXT", "ticket-" + (4710 + n)) : Map.of();
    SimulatedCall call = asterisk.call(app, number, EXTEN, variables);
    if (n % 5 == 4) {
      phones.schedule(() -> call.dtmf("#"), 900, TimeUnit.MILLISECONDS);
    } else if (n % 7 == 6) {
      phones.schedule(call::hangup, 1_100, TimeUnit.MILLISECONDS);
    }
    if (n != limit) {
      phones.schedule(this::call, pauseAfter(n), TimeUnit.MILLISECONDS);
    }
  }

  /** The third and fourth of each five calls come while the one before is still up. */
  private static long pauseAfter(int n) {
    return switch (n % 5) {
      case 2 -> 700;
      case 3 -> 500;
      case 4 -> 3_000;
      default -> 2_400;
    };
  }
}
