// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import io.retel.ariproxy.config.StoreType;
import io.retel.ariproxy.text.LogText;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Runtime log levels. Loggers that would write passwords, or URLs with their query, are never set
 * below their level in {@code logback.xml} or of a call-context store.
 */
public final class LogLevels {

  /** Of the log tracer, which masks and shortens its lines itself. */
  public static final String TRACER = "org.apache.camel.Tracing";

  /** Lowest level of each restricted logger and its children. */
  static final Map<String, Level> MIN_LEVELS = minLevels();

  private static final List<String> LEVELS = List.of("ERROR", "WARN", "INFO", "DEBUG", "TRACE");

  private static Map<String, Level> minLevels() {
    Map<String, Level> levels =
        new HashMap<>(
            Map.of(
                "org.asynchttpclient",
                Level.ERROR,
                "org.apache.hc",
                Level.INFO,
                "org.apache.camel.component.http",
                Level.INFO,
                "io.netty",
                Level.INFO));
    Map<String, Level> ofStores = ofStores();
    ofStores.forEach(
        (logger, level) -> {
          if (ofStores.keySet().stream().noneMatch(parent -> logger.startsWith(parent + "."))) {
            levels.merge(logger, level, LogLevels::higher);
          }
        });
    return Map.copyOf(levels);
  }

  /** Ends all logging of this process, whose output is the answer to a command. */
  public static void silence() {
    ((LoggerContext) LoggerFactory.getILoggerFactory())
        .getLoggerList()
        .forEach(logger -> logger.setLevel(Level.OFF));
  }

  /** Returns the levels of the drivers of all call-context stores, by logger. */
  public static Map<String, Level> ofStores() {
    Map<String, Level> levels = new HashMap<>();
    for (StoreType store : StoreType.all()) {
      store
          .logLevels()
          .forEach(
              (logger, level) ->
                  levels.merge(logger, Level.convertAnSLF4JLevel(level), LogLevels::higher));
    }
    return levels;
  }

  private static Level higher(Level one, Level other) {
    return one.isGreaterOrEqual(other) ? one : other;
  }

  private final LoggerContext loggerContext = (LoggerContext) LoggerFactory.getILoggerFactory();

  /**
   * Returns the effective level of a logger, its own or an inherited one.
   *
   * @throws IllegalArgumentException if the logger does not exist
   */
  public String get(@Nullable String logger) {
    return logger(logger).getEffectiveLevel().toString();
  }

  /**
   * Sets the level of a logger; children without their own level inherit it.
   *
   * @throws IllegalArgumentException if the logger does not exist, or the level is unknown or too
   *     low for it
   */
  public void set(@Nullable String logger, @Nullable String level) {
    Logger target = logger(logger);
    Level requested = level(level);
    MIN_LEVELS.forEach(
        (restricted, minLevel) -> {
          if ((target.getName() + ".").startsWith(restricted + ".")
              && !requested.isGreaterOrEqual(minLevel)) {
            throw new IllegalArgumentException(
                target.getName()
                    + " stays at "
                    + minLevel
                    + " or above: a lower level would log passwords, or URLs with their query");
          }
        });
    target.setLevel(requested);
  }

  private static Level level(@Nullable String name) {
    String stripped = name == null ? "" : name.strip();
    return LEVELS.stream()
        .filter(stripped::equalsIgnoreCase)
        .map(Level::valueOf)
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "Unknown level: "
                        + LogText.abbreviate(name)
                        + "; use one of "
                        + String.join(", ", LEVELS)));
  }

  /** Returns an existing logger; Logback would silently create a misspelled one. */
  private Logger logger(@Nullable String name) {
    Logger existing = name == null || name.isBlank() ? null : loggerContext.exists(name.strip());
    if (existing == null) {
      throw new IllegalArgumentException("Unknown logger: " + LogText.abbreviate(name));
    }
    return existing;
  }
}
