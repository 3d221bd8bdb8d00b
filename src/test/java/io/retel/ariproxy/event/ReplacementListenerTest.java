// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages in which another client takes over an application, and others. */
class ReplacementListenerTest {

  private final StasisApplications applications =
      new StasisApplications(
          List.of("one", "two"),
          new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.disabledTicker()));
  private final AtomicInteger stops = new AtomicInteger();
  private final AtomicBoolean displaced = new AtomicBoolean();
  private final ReplacementListener listener =
      new ReplacementListener(
          "http://asterisk/ari", applications, displaced::get, stops::incrementAndGet);

  @Test
  void losesNoApplicationToEarlierRequestOfTheProxy() {
    displaced.set(true);
    listener.accept(event("ApplicationReplaced", "two"));
    listener.accept(event("ApplicationReplaced", "one"));
    assertThat(applications.lost()).isEmpty();
    assertThat(stops).hasValue(0);
  }

  @Test
  void losesApplicationsAndStopsWithoutTheLast() {
    try (CapturedLog log = new CapturedLog()) {
      listener.accept(event("ApplicationReplaced", "two"));
      assertThat(applications.lost()).containsExactly("two");
      assertThat(stops).hasValue(0);

      // a server can repeat it
      listener.accept(event("ApplicationReplaced", "two"));
      listener.accept(event("ApplicationReplaced", "one"));
      assertThat(stops).hasValue(1);
      assertThat(log.lines(Level.ERROR))
          .satisfiesExactly(
              line -> assertThat(line).contains("two; continuing with one"),
              line -> assertThat(line).contains("one; stopping"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"type\":\"StasisStart\",\"application\":\"two\",\"args\":[\"ApplicationReplaced\"]}",
        "{\"type\":\"ApplicationReplaced\",\"application\":\"two\"",
        "{\"type\":\"ApplicationReplaced\",\"application\":\"three\"}",
        "{\"type\":\"ApplicationReplaced\"}",
        "\"ApplicationReplaced\"",
        ""
      })
  void ignoresOtherMessages(String text) {
    listener.accept(text);
    assertThat(applications.lost()).isEmpty();
    assertThat(stops).hasValue(0);
  }

  private static String event(String type, String application) {
    return "{\"type\":\"" + type + "\",\"application\":\"" + application + "\"}";
  }
}
