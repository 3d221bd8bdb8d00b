// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.demo;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Counts envelopes and tracks completed calls and commands without a RESPONSE.
 *
 * <p>Thread-safe.
 */
final class Tally {

  /** A call observed in the traffic. */
  static final class Call {
    private final int number;
    private long startTime;

    private Call(int number) {
      this.number = number;
    }

    /** Position in order of appearance, starting at 1. */
    int number() {
      return number;
    }

    /** Milliseconds since its first event. */
    long durationUntil(Envelope envelope) {
      return envelope.timestamp() - startTime;
    }
  }

  /** limits the heap of an endless demo; only recent calls are on the screen */
  private static final int MAX_TRACKED_CALLS = 1_000;

  private final Map<String, Call> calls =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Call> eldest) {
          return size() > MAX_TRACKED_CALLS;
        }
      };
  private final Map<String, Long> openCommands = new HashMap<>();

  /** RESPONSEs read before their command, which happens on a slow machine */
  private final Set<String> earlyResponses = new HashSet<>();

  private int startedCalls;
  private int endedCalls;
  private int events;
  private int commands;

  /**
   * Counts an envelope.
   *
   * @return for a RESPONSE, the milliseconds since its command; otherwise -1
   */
  synchronized long count(Envelope envelope) {
    long latency = -1;
    switch (envelope.kind()) {
      case UNMAPPED -> events++;
      case EVENT -> {
        events++;
        if (envelope.hasType("STASIS_START")) {
          call(envelope).startTime = envelope.timestamp();
        } else if (envelope.hasType("STASIS_END")) {
          endedCalls++;
        }
      }
      case COMMAND -> {
        commands++;
        if (!earlyResponses.remove(envelope.commandId())) {
          openCommands.put(envelope.commandId(), envelope.timestamp());
        }
      }
      case RESPONSE -> {
        Long sent = openCommands.remove(envelope.commandId());
        if (sent == null) {
          earlyResponses.add(envelope.commandId());
        } else {
          latency = envelope.timestamp() - sent;
        }
      }
    }
    notifyAll();
    return latency;
  }

  /** Returns the call of an envelope, a new one for an unknown call context. */
  synchronized Call call(Envelope envelope) {
    return calls.computeIfAbsent(envelope.callContext(), context -> new Call(++startedCalls));
  }

  /**
   * Waits until {@code count} calls have ended and all commands have a RESPONSE.
   *
   * @param timeout the maximum wait for each call to end
   * @return false on timeout
   */
  boolean awaitCompleteCalls(int count, Duration timeout) throws InterruptedException {
    for (int next = 1; next <= count; next++) {
      int required = next;
      if (!await(() -> endedCalls >= required, timeout)) {
        return false;
      }
    }
    return awaitResponses(timeout);
  }

  /** Waits until every command has a RESPONSE; returns false on timeout. */
  boolean awaitResponses(Duration timeout) throws InterruptedException {
    return await(openCommands::isEmpty, timeout);
  }

  private synchronized boolean await(BooleanSupplier condition, Duration timeout)
      throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (!condition.getAsBoolean()) {
      long remainingMillis = (deadline - System.nanoTime()) / 1_000_000;
      if (remainingMillis <= 0) {
        return false;
      }
      wait(remainingMillis);
    }
    return true;
  }

  /** Returns the counts for the last line of the demo. */
  synchronized String summary() {
    return "%s, %s, %s, %s"
        .formatted(
            pluralize(startedCalls, "call"),
            pluralize(events, "event"),
            pluralize(commands, "command"),
            openCommands.isEmpty()
                ? "every command got a RESPONSE"
                : openCommands.size() + " WITHOUT RESPONSE");
  }

  private static String pluralize(int count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }
}
