// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.demo;

import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Generates calls: one every two or three seconds, sometimes two at the same time. Some callers
 * press a key, some hang up early, and some come from a dialplan that sets CALL_CONTEXT.
 */
final class CallGenerator implements AutoCloseable {

  private static final String EXTEN = "100";

  private final SimulatedAsterisk asterisk;
  private final String app;
  private final int maxCalls;
  private final ScheduledExecutorService executor =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "call-generator");
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
   * Starts with the first call.
   *
   * @param maxCalls the number of calls; 0 for no limit
   */
  static CallGenerator start(SimulatedAsterisk asterisk, String app, int maxCalls) {
    CallGenerator generator = new CallGenerator(asterisk, app, maxCalls);
    generator.executor.execute(generator::call);
    return generator;
  }

  /** Stops all calls and scheduled actions. */
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

  /** Of every five calls, the third and fourth start while the previous one is still up. */
  private static long delayAfter(int callNumber) {
    return switch (callNumber % 5) {
      case 2 -> 700;
      case 3 -> 500;
      case 4 -> 3_000;
      default -> 2_400;
    };
  }
}
