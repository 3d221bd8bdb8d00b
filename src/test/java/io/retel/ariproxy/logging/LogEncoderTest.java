// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.joran.spi.JoranException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.fixtures.HostileText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;

/** No text can forge a line, in any part of an event. */
class LogEncoderTest {

  private static final int MAX_LINE = 20_000;

  private final LoggerContext context = new LoggerContext();

  @BeforeEach
  void configure() throws JoranException {
    context.setMDCAdapter(new LogbackMDCAdapter());
    JoranConfigurator configurator = new JoranConfigurator();
    configurator.setContext(context);
    configurator.doConfigure(Path.of("src", "main", "resources", "logback.xml").toFile());
  }

  @AfterEach
  void stop() {
    context.stop();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void escapesEveryPartOfEvent(boolean large) {
    String hostile = large ? HostileText.large() : HostileText.withUnpairedSurrogate();
    IllegalStateException error = new IllegalStateException(hostile, new IOException(hostile));
    error.addSuppressed(new IOException(hostile));
    LoggingEvent event = event(hostile, "{}: {}", error, hostile, hostile);
    event.setThreadName(hostile);
    event.setMDCPropertyMap(Map.of("callContext", hostile, hostile, "value"));

    for (String text : List.of(encode(textEncoder(), event), encode(jsonEncoder(), event))) {
      assertThat(HostileText.problems(text, 4 * MAX_LINE)).isEmpty();
    }
    assertThat(encode(textEncoder(), event).lines())
        .filteredOn(line -> !line.contains("at "))
        .allMatch(line -> line.length() < MAX_LINE)
        .anyMatch(line -> line.startsWith("Caused by: java.io.IOException: a\\r\\nFORGED"));
    assertThat(encode(jsonEncoder(), event).lines()).hasSize(1);
  }

  @Test
  void keepsStackTraceReadable() {
    IllegalStateException error = new IllegalStateException("outer\nline", new IOException("in"));

    List<String> lines = encode(textEncoder(), event("logger", "failed", error)).lines().toList();

    assertThat(lines.get(0)).matches(".* ERROR logger +failed");
    assertThat(lines.get(1)).isEqualTo("java.lang.IllegalStateException: outer\\nline");
    assertThat(lines.get(2))
        .startsWith("\tat io.retel.ariproxy.logging.LogEncoderTest.keepsStackTraceReadable(");
    assertThat(lines).contains("Caused by: java.io.IOException: in");
  }

  /** Camel logs exceptions of its HTTP client, with numbers and keys in URLs. */
  @Test
  void exceptionsHaveNoDetailsOfUrls() {
    String message = "invoking http://crm/493012345/x?n=493012345&key=top with statusCode: 404";
    LoggingEvent event =
        event("logger", "caught: {}", new IOException(message, new IOException(message)), message);

    for (String text : List.of(encode(textEncoder(), event), encode(jsonEncoder(), event))) {
      assertThat(text.replace("\\/", "/"))
          .contains("invoking http://crm/***/x?*** with statusCode: 404")
          .doesNotContain("493012345")
          .doesNotContain("=top");
    }
  }

  /** With {@code logStackTrace: false}, the text of the exception is in the message only. */
  @Test
  void linesOfCamelHaveNoDetailsOfUrlsWithoutStackTrace() {
    String message = "invoking http://crm/493012345/x?n=493012345&key=top with statusCode: 404";
    String camel = "org.apache.camel.processor.errorhandler.DefaultErrorHandler";

    for (LoggingEvent event :
        List.of(
            event(camel, "caught: " + message, null),
            event(camel, "caught: {}", null, new IOException(message)))) {
      for (String text :
          List.of(
              encode(textEncoder(), event),
              encode(jsonEncoder(), event),
              new EscapedEvent(event).getMessage(),
              List.of(new EscapedEvent(event).getArgumentArray()).toString())) {
        assertThat(text).doesNotContain("493012345").doesNotContain("=top");
      }
      assertThat(encode(textEncoder(), event))
          .contains("invoking http://crm/***/x?*** with statusCode: 404");
    }
  }

  /** The proxy masks its own lines, and an author decides what a log step writes. */
  @Test
  void otherLinesKeepUrls() {
    String url = "http://crm/493012345/x?n=1";
    assertThat(encode(textEncoder(), event("io.retel.ariproxy.Notes", url, null))).contains(url);
    assertThat(encode(textEncoder(), event("log-step", url, null))).contains(url);
    String trace = "{\"url\":\"/channels/1532965104.0/play?media=x\",\"status_code\":201}";
    assertThat(encode(textEncoder(), event(LogLevels.TRACER, trace, null))).contains(trace);
  }

  @Test
  void boundsCauses() {
    Exception error = new IOException("first");
    for (int i = 0; i < 1_000; i++) {
      error = new IllegalStateException("cause " + i, error);
      error.addSuppressed(new IOException("suppressed", error.getCause()));
    }

    assertThat(encode(jsonEncoder(), event("logger", "failed", error)).length())
        .isLessThan(1_000_000);
  }

  @Test
  void namesOriginalLengthInBothFormats() throws IOException {
    LoggingEvent event = event("logger", "call {}", null, HostileText.large());
    String mark = "… (1048581 characters)";

    assertThat(encode(textEncoder(), event)).endsWith(mark + "\n");
    JsonNode json = new ObjectMapper().readTree(encode(jsonEncoder(), event));
    assertThat(json.path("formattedMessage").asText()).startsWith("call a\\r\\nFORGED\\n");
    assertThat(json.path("formattedMessage").asText()).endsWith(mark);
  }

  private LoggingEvent event(String logger, String format, Throwable error, Object... arguments) {
    return new LoggingEvent(
        "fqcn", context.getLogger(logger), Level.ERROR, format, error, arguments);
  }

  private static String encode(Encoder<ILoggingEvent> encoder, ILoggingEvent event) {
    return new String(encoder.encode(event), StandardCharsets.UTF_8);
  }

  /** Returns the encoder of the shipped logback.xml; {@code LogFormatIT} runs it with JSON. */
  private Encoder<ILoggingEvent> textEncoder() {
    ConsoleAppender<ILoggingEvent> console =
        (ConsoleAppender<ILoggingEvent>)
            context.getLogger(Logger.ROOT_LOGGER_NAME).getAppender("CONSOLE");
    return console.getEncoder();
  }

  private Encoder<ILoggingEvent> jsonEncoder() {
    JsonLogEncoder encoder = new JsonLogEncoder();
    encoder.setWithFormattedMessage(true);
    encoder.setContext(context);
    encoder.start();
    return encoder;
  }
}
