package io.retel.ariproxy.demo;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Counts what went through Kafka and knows which calls are over and which commands have no response
 * yet.
 *
 * <p>May be used from any thread.
 */
final class Tally {

  /** What is known of a call. */
  static final class Call {
    private final int number;
    private long startTime;

    private Call(int number) {
      this.number = number;
    }

    /** Its place in the order of appearance, from 1. */
    int number() {
      return number;
    }

    /** Milliseconds since its first event. */
    long durationUntil(Envelope envelope) {
      return envelope.timestamp() - startTime;
    }
  }

  /** Calls that are shown are young: the memory of an endless demo is bounded. */
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

  /** Responses that were read before their command, which a slow machine may do. */
  private final Set<String> earlyResponses = new HashSet<>();

  private int startedCalls;
  private int endedCalls;
  private int events;
  private int commands;

  /** Counts an envelope; for a response, tells the milliseconds since its command, else -1. */
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

  /** The call that the envelope belongs to. */
  synchronized Call call(Envelope envelope) {
    return calls.computeIfAbsent(envelope.callContext(), context -> new Call(++startedCalls));
  }

  /**
   * Waits until that many calls are over and all their commands answered.
   *
   * @param patience how long it may take from the end of one call to that of the next
   * @return false if it takes too long
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

  /** Waits until no command is without a response; false if it takes too long. */
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

  /** The last line of the demo. */
  synchronized String summary() {
    return "%s, %s, %s, %s"
        .formatted(
            pluralize(startedCalls, "call"),
            pluralize(events, "event"),
            pluralize(commands, "command"),
            openCommands.isEmpty()
                ? "every command answered"
                : openCommands.size() + " NOT answered");
  }

  private static String pluralize(int count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }
}
