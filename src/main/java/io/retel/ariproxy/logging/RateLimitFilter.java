// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import io.retel.ariproxy.text.LogText;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.MarkerFactory;
import org.slf4j.event.Level;

/**
 * Logback filter that passes at most one line a second of each kind of line about a single message,
 * so that a flood of invalid commands does not fill the disk. One line repeats the first of the
 * others and counts them. Named in {@code logback.xml}, as a filter of the appender. Thread-safe.
 *
 * <p>The kind of a line is its format, with the status of a RESPONSE. Camel logs each message that
 * fails in a route of an author with a stack trace or two: of these, it is the class of the
 * exception.
 */
public final class RateLimitFilter extends Filter<ILoggingEvent> {

  /** Marks lines about a single event, command or RESPONSE, of which there can be thousands. */
  public static final Marker PER_MESSAGE = MarkerFactory.getMarker("PER_MESSAGE");

  /** Start of the names of Camel's loggers. */
  static final String CAMEL = "org.apache.camel.";

  private static final Duration INTERVAL = Duration.ofSeconds(1);

  /** Runs a task later. */
  @FunctionalInterface
  interface Timer {
    void schedule(Runnable task, Duration delay);
  }

  private final Timer timer;

  /** Lines suppressed in the current interval, by kind. */
  private final Map<String, Suppressed> suppressed = new HashMap<>();

  /** The first suppressed line of an interval, and the number of all. */
  private static final class Suppressed {
    private String firstLine = "";
    private @Nullable Exchange firstIdentity;
    private int count;
  }

  public RateLimitFilter() {
    this.timer =
        (task, delay) -> {
          ScheduledExecutorService executor = getContext().getScheduledExecutorService();
          if (!executor.isShutdown()) {
            executor.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
          }
        };
  }

  RateLimitFilter(Timer timer) {
    this.timer = timer;
  }

  @Override
  public FilterReply decide(ILoggingEvent event) {
    String kind = kind(event);
    if (kind == null) {
      return FilterReply.NEUTRAL;
    }
    synchronized (suppressed) {
      Suppressed others = suppressed.get(kind);
      if (others == null) {
        startInterval(kind, event.getLoggerName(), Level.valueOf(event.getLevel().toString()));
        return FilterReply.NEUTRAL;
      }
      if (others.count++ == 0) {
        others.firstLine =
            String.valueOf(LogText.abbreviate(new EscapedEvent(event).getFormattedMessage()));
        others.firstIdentity = ExchangeContext.identity();
      }
      return FilterReply.DENY;
    }
  }

  private void startInterval(String kind, String logger, Level level) {
    suppressed.put(kind, new Suppressed());
    timer.schedule(() -> endInterval(kind, logger, level), INTERVAL);
  }

  /** Logs the lines that were suppressed as one; continues while there are any. */
  private void endInterval(String kind, String logger, Level level) {
    Suppressed ended;
    synchronized (suppressed) {
      ended = suppressed.remove(kind);
      if (ended == null || ended.count == 0) {
        return;
      }
      startInterval(kind, logger, level);
    }
    String others =
        ended.count == 1 ? "" : " … and " + (ended.count - 1) + " more like it within a second";
    // with the MDC of the line
    ExchangeContext.runWith(
        ended.firstIdentity,
        () -> LoggerFactory.getLogger(logger).atLevel(level).log("{}{}", ended.firstLine, others));
  }

  /** Returns the kind of a line, or null if it is always passed. */
  private static @Nullable String kind(ILoggingEvent event) {
    if (event.getMarkerList() == null || !event.getMarkerList().contains(PER_MESSAGE)) {
      return event.getThrowableProxy() != null && event.getLoggerName().startsWith(CAMEL)
          ? String.join(
              " ",
              event.getLevel().toString(),
              event.getLoggerName(),
              event.getThrowableProxy().getClassName())
          : null;
    }
    Object[] arguments = event.getArgumentArray();
    return arguments != null
            && arguments.length > 0
            && arguments[0] instanceof Integer number
            && isStatus(number)
        ? event.getMessage() + number
        : event.getMessage();
  }

  /** Other numbers can be of any value, and so of as many kinds. */
  private static boolean isStatus(int number) {
    return 100 <= number && number <= 599;
  }
}
