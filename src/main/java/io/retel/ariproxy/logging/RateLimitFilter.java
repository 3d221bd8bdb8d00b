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
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.MarkerFactory;
import org.slf4j.event.Level;

/**
 * Logback filter that passes at most one line a second of each kind of line about a single message,
 * so that a flood of invalid commands does not fill the disk. One line counts the others. Named in
 * {@code logback.xml}, as a filter of the appender. Thread-safe.
 *
 * <p>The kind of a line is its format, with the status of a RESPONSE.
 */
public final class RateLimitFilter extends Filter<ILoggingEvent> {

  /** Marks lines about a single event, command or RESPONSE, of which there can be thousands. */
  public static final Marker PER_MESSAGE = MarkerFactory.getMarker("PER_MESSAGE");

  private static final Duration INTERVAL = Duration.ofSeconds(1);

  /** Runs a task later. */
  @FunctionalInterface
  interface Timer {
    void schedule(Runnable task, Duration delay);
  }

  private final Timer timer;

  /** Number of lines suppressed in the current interval of each kind. */
  private final Map<String, Integer> suppressed = new HashMap<>();

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
    if (event.getMarkerList() == null || !event.getMarkerList().contains(PER_MESSAGE)) {
      return FilterReply.NEUTRAL;
    }
    String kind = kind(event);
    synchronized (suppressed) {
      Integer count = suppressed.putIfAbsent(kind, 0);
      if (count == null) {
        timer.schedule(() -> endInterval(kind, event), INTERVAL);
        return FilterReply.NEUTRAL;
      }
      suppressed.put(kind, count + 1);
      return FilterReply.DENY;
    }
  }

  /** Logs how many lines were suppressed; continues while there are any. */
  private void endInterval(String kind, ILoggingEvent first) {
    int count;
    synchronized (suppressed) {
      count = suppressed.getOrDefault(kind, 0);
      if (count == 0) {
        suppressed.remove(kind);
        return;
      }
      suppressed.put(kind, 0);
    }
    timer.schedule(() -> endInterval(kind, first), INTERVAL);
    LoggerFactory.getLogger(first.getLoggerName())
        .atLevel(Level.valueOf(first.getLevel().toString()))
        .log(
            "{} more lines within a second, the first: {}",
            count,
            LogText.abbreviate(first.getFormattedMessage()));
  }

  private static String kind(ILoggingEvent event) {
    Object[] arguments = event.getArgumentArray();
    return arguments != null && arguments.length > 0 && arguments[0] instanceof Integer status
        ? event.getMessage() + status
        : event.getMessage();
  }
}
