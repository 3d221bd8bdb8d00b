// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.core.joran.spi.JoranException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** Levels can be set and read, within limits that prevent secrets in the log. */
class LogLevelsTest {

  private static final String NAME = LogLevelsTest.class.getName();

  private static final String CONTROL_CONNECTION =
      "com.datastax.oss.driver.internal.core.control.ControlConnection";

  private final LogLevels levels = new LogLevels();
  private final Logger logger = (Logger) LoggerFactory.getLogger(NAME);

  @AfterEach
  void resetLevel() {
    logger.setLevel(null);
  }

  @Test
  void setsAndReturnsLevel() {
    assertThat(levels.get(NAME)).isEqualTo("INFO");
    levels.set(NAME, " trace ");
    assertThat(levels.get(NAME)).isEqualTo("TRACE");
    assertThat(logger.isTraceEnabled()).isTrue();
  }

  static Set<Map.Entry<String, Level>> lowest() {
    return LogLevels.MIN_LEVELS.entrySet();
  }

  @ParameterizedTest
  @MethodSource("lowest")
  void rejectsLevelsBelowMinimum(Map.Entry<String, Level> minimum) {
    Logger restricted = (Logger) LoggerFactory.getLogger(minimum.getKey());
    Logger child = (Logger) LoggerFactory.getLogger(minimum.getKey() + ".Below");
    Level before = restricted.getLevel();
    for (Logger each : new Logger[] {restricted, child}) {
      assertThatThrownBy(() -> levels.set(each.getName(), "DEBUG"))
          .hasMessage(
              each.getName()
                  + " stays at "
                  + minimum.getValue()
                  + " or above: a lower level would log passwords, or URLs with their query");
    }
    assertThat(restricted.getLevel()).isEqualTo(before);
    assertThat(child.getLevel()).isNull();
  }

  @Test
  void shippedConfigurationSetsMinimumLevels() throws JoranException {
    LoggerContext shipped = new LoggerContext();
    JoranConfigurator configurator = new JoranConfigurator();
    configurator.setContext(shipped);
    configurator.doConfigure(Path.of("src", "main", "resources", "logback.xml").toFile());
    try {
      assertThat(LogLevels.MIN_LEVELS)
          .containsEntry("io.lettuce", Level.WARN)
          .allSatisfy((name, level) -> assertThat(levelOf(shipped, name)).isEqualTo(level));
      assertThat(LogLevels.ofStores())
          .containsEntry(CONTROL_CONNECTION, Level.ERROR)
          .allSatisfy((name, level) -> assertThat(levelOf(shipped, name)).isEqualTo(level));
    } finally {
      shipped.stop();
    }
  }

  private static Level levelOf(LoggerContext context, String logger) {
    return context.getLogger(logger).getLevel();
  }

  @Test
  void pageListsMinimumLevels() throws IOException {
    String page = Files.readString(Path.of("docs", "logging.md"));
    assertThat(LogLevels.MIN_LEVELS)
        .allSatisfy(
            (name, level) -> assertThat(page).contains("| `%s` | `%s` |".formatted(name, level)));
  }

  @Test
  void loggerWithinDriverCanBeLoweredToLevelOfDriver() {
    Logger within = (Logger) LoggerFactory.getLogger(CONTROL_CONNECTION);
    Level before = within.getLevel();
    try {
      levels.set(CONTROL_CONNECTION, "WARN");
      assertThat(within.getLevel()).isEqualTo(Level.WARN);
      assertThatThrownBy(() -> levels.set(CONTROL_CONNECTION, "INFO"))
          .hasMessageStartingWith(CONTROL_CONNECTION + " stays at WARN or above");
    } finally {
      within.setLevel(before);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "ALL", "OFF", "VERBOSE"})
  void rejectsUnknownLevel(String level) {
    assertThatThrownBy(() -> levels.set(NAME, level))
        .hasMessage("Unknown level: " + level + "; use one of ERROR, WARN, INFO, DEBUG, TRACE");
  }

  @Test
  void rejectsUnknownLogger() {
    assertThatThrownBy(() -> levels.set(NAME + "s", "DEBUG"))
        .hasMessage("Unknown logger: " + NAME + "s");
    assertThatThrownBy(() -> levels.get(" ")).hasMessage("Unknown logger:  ");
  }
}
