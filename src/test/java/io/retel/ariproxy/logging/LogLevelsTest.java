package io.retel.ariproxy.logging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
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

/** Levels are set and told, but for those that keep secrets out of the log. */
class LogLevelsTest {

  private static final String NAME = LogLevelsTest.class.getName();

  private final LogLevels levels = new LogLevels();
  private final Logger logger = (Logger) LoggerFactory.getLogger(NAME);

  @AfterEach
  void asBefore() {
    logger.setLevel(null);
  }

  @Test
  void aLevelIsSetAndTold() {
    assertThat(levels.of(NAME)).isEqualTo("INFO");
    levels.set(NAME, " trace ");
    assertThat(levels.of(NAME)).isEqualTo("TRACE");
    assertThat(logger.isTraceEnabled()).isTrue();
  }

  static Set<Map.Entry<String, Level>> lowest() {
    return LogLevels.LOWEST.entrySet();
  }

  @ParameterizedTest
  @MethodSource("lowest")
  void noneThatWouldWriteSecretsIsLoweredNorIsWhatIsBelowIt(Map.Entry<String, Level> lowest) {
    Logger fixed = (Logger) LoggerFactory.getLogger(lowest.getKey());
    Logger below = (Logger) LoggerFactory.getLogger(lowest.getKey() + ".Below");
    Level before = fixed.getLevel();
    for (Logger each : new Logger[] {fixed, below}) {
      assertThatThrownBy(() -> levels.set(each.getName(), "DEBUG"))
          .hasMessage(
              each.getName()
                  + " stays at "
                  + lowest.getValue()
                  + " or above: below it would write passwords, or urls with their query");
    }
    assertThat(fixed.getLevel()).isEqualTo(before);
    assertThat(below.getLevel()).isNull();
  }

  @ParameterizedTest
  @MethodSource("lowest")
  void theLowestIsWhatLogbackXmlGives(Map.Entry<String, Level> lowest) throws IOException {
    assertThat(Files.readString(Path.of("src", "main", "resources", "logback.xml")))
        .contains(
            "<logger name=\"%s\" level=\"%s\"/>".formatted(lowest.getKey(), lowest.getValue()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "ALL", "OFF", "VERBOSE"})
  void whatIsNoLevelIsNamed(String level) {
    assertThatThrownBy(() -> levels.set(NAME, level))
        .hasMessage(level + " is no level: ERROR, WARN, INFO, DEBUG, TRACE are");
  }

  @Test
  void aLoggerThatIsMisspelledIsNamed() {
    assertThatThrownBy(() -> levels.set(NAME + "s", "DEBUG"))
        .hasMessage("Nothing has been logged as " + NAME + "s");
    assertThatThrownBy(() -> levels.of(" ")).hasMessage("Nothing has been logged as  ");
  }
}
