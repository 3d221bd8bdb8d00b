// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.spi.FilterReply;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.Deque;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Log events that the filter passes, suppresses and counts. */
class RateLimitFilterTest {

  private static final Logger LOG = (Logger) LoggerFactory.getLogger(RateLimitFilterTest.class);

  private final Deque<Runnable> timer = new ArrayDeque<>();
  private final RateLimitFilter filter = new RateLimitFilter((task, delay) -> timer.add(task));

  @Test
  void passesOneLineOfEachKindInASecond() {
    assertThat(perMessage("{} for {}", 400, "first")).isEqualTo(FilterReply.NEUTRAL);
    assertThat(perMessage("{} for {}", 400, "second")).isEqualTo(FilterReply.DENY);
    assertThat(perMessage("{} for {}", 503, "other status")).isEqualTo(FilterReply.NEUTRAL);
    assertThat(perMessage("Malformed: {}", "other format")).isEqualTo(FilterReply.NEUTRAL);
  }

  /** Otherwise, there would be as many kinds as numbers. */
  @Test
  void onlyAStatusIsPartOfTheKind() {
    assertThat(perMessage("{} ids ignored", 1)).isEqualTo(FilterReply.NEUTRAL);
    assertThat(perMessage("{} ids ignored", 2)).isEqualTo(FilterReply.DENY);
    assertThat(perMessage("{} ids ignored", 10_000)).isEqualTo(FilterReply.DENY);
  }

  @Test
  void passesEveryLineThatIsNotAboutAMessage() {
    for (int i = 0; i < 3; i++) {
      assertThat(filter.decide(event("Connected to {}", "asterisk")))
          .isEqualTo(FilterReply.NEUTRAL);
    }
  }

  /** A step of an author that fails for each message would fill the disk with stack traces. */
  @Test
  void passesOneStackTraceOfCamelOfEachClassInASecond() {
    String errorHandler = "org.apache.camel.processor.errorhandler.DefaultErrorHandler";
    try (CapturedLog log = new CapturedLog()) {
      Exception failure = new IllegalStateException("broken");
      assertThat(failed(errorHandler, "Failed for message 1", failure))
          .isEqualTo(FilterReply.NEUTRAL);
      assertThat(failed(errorHandler, "Failed for message 2", failure)).isEqualTo(FilterReply.DENY);
      assertThat(failed(errorHandler, "Failed for message 3", failure)).isEqualTo(FilterReply.DENY);
      assertThat(failed(errorHandler, "Failed", new IllegalArgumentException()))
          .isEqualTo(FilterReply.NEUTRAL);
      assertThat(
              failed("org.apache.camel.component.file.GenericFileOnCompletion", "Failed", failure))
          .isEqualTo(FilterReply.NEUTRAL);
      assertThat(failed(errorHandler, "without a stack trace", null))
          .isEqualTo(FilterReply.NEUTRAL);
      assertThat(failed("com.example.Library", "Failed", failure)).isEqualTo(FilterReply.NEUTRAL);
      assertThat(failed("com.example.Library", "Failed", failure)).isEqualTo(FilterReply.NEUTRAL);
      secondPasses();
      assertThat(log.lines(Level.ERROR))
          .containsExactly("Failed for message 2 … and 1 more like it within a second");
    }
  }

  private FilterReply failed(String logger, String line, @Nullable Exception failure) {
    return filter.decide(
        new LoggingEvent(
            "", (Logger) LoggerFactory.getLogger(logger), Level.ERROR, line, failure, null));
  }

  @Test
  void countsSuppressedLinesOnceASecondUntilTheFloodEnds() {
    try (CapturedLog log = new CapturedLog()) {
      perMessage("{} for {}", 400, "first");
      perMessage("{} for {}", 400, "second");
      perMessage("{} for {}", 400, "third");
      secondPasses();
      assertThat(log.lines(Level.WARN))
          .containsExactly("400 for second … and 1 more like it within a second");

      perMessage("{} for {}", 400, "fourth");
      secondPasses();
      assertThat(log.lines(Level.WARN)).element(1).isEqualTo("400 for fourth");

      secondPasses();
      assertThat(log.lines(Level.WARN)).hasSize(2);
      assertThat(timer).as("nothing runs without a flood").isEmpty();
      assertThat(perMessage("{} for {}", 400, "later")).isEqualTo(FilterReply.NEUTRAL);
    }
  }

  @Test
  void suppressedLineHasItsOwnMdc() {
    Exchange exchange = new DefaultExchange(new DefaultCamelContext());
    exchange.setProperty(ExchangeContext.CALL_CONTEXT, "second call");
    try (CapturedLog log = new CapturedLog()) {
      perMessage("{} for {}", 400, "first");
      ExchangeContext.runWith(exchange, () -> perMessage("{} for {}", 400, "second"));
      perMessage("{} for {}", 400, "third");
      secondPasses();
      assertThat(log.events())
          .singleElement()
          .satisfies(
              line ->
                  assertThat(line.getMDCPropertyMap())
                      .containsEntry(ExchangeContext.CALL_CONTEXT, "second call"));
    }
  }

  /** A body can have 16 MB, and there is a suppressed line of each kind in each second. */
  @Test
  void suppressedLineDoesNotRetainItsMessage() {
    perMessage("{} for {}", 400, "first");
    WeakReference<Object> body = suppressLineOfMessage();

    await("body is collected")
        .until(
            () -> {
              System.gc();
              return body.get() == null;
            });
    assertThat(timer).as("the line is still to be logged").hasSize(1);
  }

  private WeakReference<Object> suppressLineOfMessage() {
    Object body = new byte[1_000];
    Exchange exchange = new DefaultExchange(new DefaultCamelContext());
    exchange.getMessage().setBody(body);
    ExchangeContext.runWith(exchange, () -> perMessage("{} for {}", 400, "second"));
    return new WeakReference<>(body);
  }

  private void secondPasses() {
    timer.remove().run();
  }

  private FilterReply perMessage(String format, Object... arguments) {
    LoggingEvent event = event(format, arguments);
    event.addMarker(RateLimitFilter.PER_MESSAGE);
    return filter.decide(event);
  }

  private static LoggingEvent event(String format, Object... arguments) {
    return new LoggingEvent(
        RateLimitFilterTest.class.getName(), LOG, Level.WARN, format, null, arguments);
  }
}
