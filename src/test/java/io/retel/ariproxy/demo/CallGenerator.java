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
final class CallGenerator implements AutoCloseable {

  private static final String EXTEN = "100";

  private final SimulatedAsterisk asterisk;
  private final String app;
  private final int maxCalls;
  private final ScheduledExecutorService executor =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "callers");
            thread.setDaemon(true);
            return thread;
          });
  private int callCount;

  private CallGenerator(SimulatedAsterisk asterisk, String app, int maxCalls) {
    this.asterisk = asterisk;
    this.app = app;
    this.maxCalls = maxCalls;
  }

  /**
   * Lets the first one call.
   *
   * @param limit how many calls there are to be; 0 for no end
   */
  static CallGenerator start(SimulatedAsterisk asterisk, String app, int maxCalls) {
    CallGenerator generator = new CallGenerator(asterisk, app, maxCalls);
    generator.executor.execute(generator::call);
    return generator;
  }

  /** Nobody calls or does anything any more. */
  @Override
  public void close() {
    executor.shutdownNow();
    try {
      executor.awaitTermination(1, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void call() {
    int callNumber = ++callCount;
    String callerNumber = String.format(Locale.ROOT, "555-01%02d", callNumber * 37 % 100);
    Map<String, String> variables =
        callNumber % 3 == 2 ? Map.of("CALL_CONTEXT", "ticket-" + (4710 + callNumber)) : Map.of();
    SimulatedCall call = asterisk.call(app, callerNumber, EXTEN, variables);
    if (callNumber % 5 == 4) {
      executor.schedule(() -> call.dtmf("#"), 900, TimeUnit.MILLISECONDS);
    } else if (callNumber % 7 == 6) {
      executor.schedule(call::hangup, 1_100, TimeUnit.MILLISECONDS);
    }
    if (callNumber != maxCalls) {
      executor.schedule(this::call, delayAfter(callNumber), TimeUnit.MILLISECONDS);
    }
  }

  /** The third and fourth of each five calls come while the one before is still up. */
  private static long delayAfter(int callNumber) {
    return switch (callNumber % 5) {
      case 2 -> 700;
      case 3 -> 500;
      case 4 -> 3_000;
      default -> 2_400;
    };
  }
}
