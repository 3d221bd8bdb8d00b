// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The level of lines in systemd's journal. */
class JournalLevelTest {

  @ParameterizedTest
  @CsvSource({"ERROR, 3", "WARN, 4", "INFO, 6", "DEBUG, 7", "TRACE, 7"})
  void beginsEachLineWithItsLevel(String level, String priority) {
    assertThat(prefixed(new JournalLevel(true), level, "failed\njava.io.IOException: ü\n\tat x\n"))
        .isEqualTo("<%1$s>failed\n<%1$s>java.io.IOException: ü\n<%1$s>\tat x\n", priority);
  }

  @Test
  void changesNothingElsewhere() {
    assertThat(prefixed(new JournalLevel(false), "ERROR", "failed\n")).isEqualTo("failed\n");
  }

  @Test
  void requiresThatStreamIsTheOneOfTheJournal(@TempDir Path folder) throws IOException {
    Path stream = Files.createFile(folder.resolve("stream"));
    String variable =
        Files.getAttribute(stream, "unix:dev") + ":" + Files.getAttribute(stream, "unix:ino");
    assertThat(JournalLevel.isJournal(variable, stream)).isTrue();
    assertThat(JournalLevel.isJournal(variable, Files.createFile(folder.resolve("log")))).isFalse();
    assertThat(JournalLevel.isJournal(variable, folder.resolve("absent"))).isFalse();
    assertThat(JournalLevel.isJournal(null, stream)).isFalse();
  }

  private static String prefixed(JournalLevel journal, String level, String lines) {
    LoggingEvent event =
        new LoggingEvent(
            "fqcn",
            new LoggerContext().getLogger("logger"),
            Level.toLevel(level),
            "failed",
            null,
            null);
    return new String(
        journal.addTo(event, lines.getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8);
  }
}
