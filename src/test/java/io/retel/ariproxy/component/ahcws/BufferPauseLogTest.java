// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BufferPauseLogTest {

  private record Task(long atNanos, Runnable action) {}

  private final CapturedLog log = new CapturedLog();
  private final List<Task> tasks = new ArrayList<>();
  private long nanos = -5;
  private final BufferPauseLog pauses =
      new BufferPauseLog("ws://a", () -> 7, this::schedule, () -> nanos);

  @AfterEach
  void close() {
    log.close();
  }

  @Test
  void logsFirstPauseAndItsEnd() {
    pauses.paused();
    assertThat(lines()).containsExactly("full");
    pauses.resumed();
    assertThat(lines()).containsExactly("full", "room");
  }

  @Test
  void logsPausesOnceAMinute() {
    for (int i = 0; i < 100; i++) {
      pauses.paused();
      pauses.resumed();
    }
    assertThat(lines()).containsExactly("full", "room");

    pass(Duration.ofMinutes(1));
    assertThat(lines()).containsExactly("full", "room");
    pauses.paused();
    assertThat(log.lines(Level.WARN))
        .filteredOn(line -> line.startsWith("Buffer of ws://a "))
        .last()
        .asString()
        .contains("7 messages", "99 times");
  }

  /** Otherwise the last line would be "has room" for hours. */
  @Test
  void logsLastingPauseOnceTheMinuteIsOver() {
    pauses.paused();
    pauses.resumed();
    pass(Duration.ofSeconds(20));
    pauses.paused();
    pass(Duration.ofSeconds(39));
    assertThat(lines()).containsExactly("full", "room");

    pass(Duration.ofSeconds(2));
    assertThat(lines()).containsExactly("full", "room", "full");
    pass(Duration.ofHours(1));
    assertThat(lines()).containsExactly("full", "room", "full");
    pauses.resumed();
    assertThat(lines()).containsExactly("full", "room", "full", "room");
  }

  @Test
  void endsPauseWithItsConnection() {
    pauses.paused();
    pauses.resumed();
    pauses.paused();
    pauses.ended();
    pass(Duration.ofMinutes(2));
    assertThat(lines()).containsExactly("full", "room");
  }

  @Test
  void schedulesOneCheck() {
    for (int i = 0; i < 100; i++) {
      pauses.paused();
      pauses.resumed();
    }
    assertThat(tasks).hasSize(1);
  }

  private void schedule(long delayMs, Runnable action) {
    tasks.add(new Task(nanos + Duration.ofMillis(delayMs).toNanos(), action));
  }

  private void pass(Duration time) {
    nanos += time.toNanos();
    List<Task> due = tasks.stream().filter(task -> task.atNanos() - nanos <= 0).toList();
    tasks.removeAll(due);
    due.forEach(task -> task.action().run());
  }

  /** The state of each line, in order. */
  private List<String> lines() {
    return log.proxyEvents().stream()
        .map(ILoggingEvent::getFormattedMessage)
        .filter(line -> line.startsWith("Buffer of ws://a "))
        .map(line -> line.contains(" full: ") ? "full" : "room")
        .toList();
  }
}
