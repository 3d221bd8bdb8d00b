package io.retel.ariproxy.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.slf4j.LoggerFactory;

/**
 * The levels of loggers while the proxy runs. Those that would write passwords, or urls with their
 * query, are never lowered below the level that {@code logback.xml} gives them.
 */
public final class LogLevels {

  /** The lowest that each may have, and what is below it. */
  static final Map<String, Level> MIN_LEVELS =
      Map.of(
          "org.asynchttpclient",
          Level.ERROR,
          "org.apache.hc",
          Level.INFO,
          "org.apache.camel.component.http",
          Level.INFO,
          "io.lettuce",
          Level.WARN,
          "io.netty",
          Level.INFO,
          "com.zaxxer.hikari",
          Level.ERROR,
          "com.datastax.oss.driver",
          Level.WARN);

  private static final List<String> LEVELS = List.of("ERROR", "WARN", "INFO", "DEBUG", "TRACE");

  private final LoggerContext loggerContext = (LoggerContext) LoggerFactory.getILoggerFactory();

  /**
   * The level from which on a logger writes, whether it is its own or that of a logger above it.
   *
   * @throws IllegalArgumentException if there is no such logger
   */
  public String get(String logger) {
    return logger(logger).getEffectiveLevel().toString();
  }

  /**
   * Gives a logger a level, which counts for those below it that have none of their own.
   *
   * @throws IllegalArgumentException if there is no such logger, or it must not have that level
   */
  public void set(String logger, String level) {
    Logger target = logger(logger);
    String name = level == null ? "" : level.strip().toUpperCase(Locale.ROOT);
    if (!LEVELS.contains(name)) {
      throw new IllegalArgumentException(
          level + " is no level: " + String.join(", ", LEVELS) + " are");
    }
    Level requested = Level.valueOf(name);
    MIN_LEVELS.forEach(
        (restricted, minLevel) -> {
          if ((target.getName() + ".").startsWith(restricted + ".")
              && !requested.isGreaterOrEqual(minLevel)) {
            throw new IllegalArgumentException(
                target.getName()
                    + " stays at "
                    + minLevel
                    + " or above: below it would write passwords, or urls with their query");
          }
        });
    target.setLevel(requested);
  }

  /** A misspelled one would be made, and write nothing. */
  private Logger logger(String name) {
    Logger existing = name == null || name.isBlank() ? null : loggerContext.exists(name.strip());
    if (existing == null) {
      throw new IllegalArgumentException("Nothing has been logged as " + name);
    }
    return existing;
  }
}
