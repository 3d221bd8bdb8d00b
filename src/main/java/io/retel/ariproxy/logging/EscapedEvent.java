// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.LoggerContextVO;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.text.LogText;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.KeyValuePair;

/**
 * A log event whose texts are escaped and bounded, regardless of its logger. Line breaks come from
 * the layout only, so that no text can forge a line.
 */
final class EscapedEvent implements ILoggingEvent {

  private final ILoggingEvent event;

  EscapedEvent(ILoggingEvent event) {
    this.event = event;
  }

  @Override
  public String getFormattedMessage() {
    return escapeMessage(event.getFormattedMessage());
  }

  @Override
  public String getMessage() {
    return escapeMessage(event.getMessage());
  }

  private String escapeMessage(@Nullable String message) {
    return LogText.escape(withoutUrlDetails(message), LogText.MAX_MESSAGE_LENGTH);
  }

  /** Camel has the message of an exception in that of the line, also without a stack trace. */
  private String withoutUrlDetails(@Nullable Object value) {
    String text = String.valueOf(value);
    String logger = event.getLoggerName();
    boolean isOfCamel =
        logger.startsWith(RateLimitFilter.CAMEL) && !logger.equals(LogLevels.TRACER);
    return event.getThrowableProxy() == null && !isOfCamel
        ? text
        : ErrorMessages.withoutUrlDetails(text);
  }

  @Override
  public Object @Nullable [] getArgumentArray() {
    Object[] arguments = event.getArgumentArray();
    return arguments == null
        ? null
        : Arrays.stream(arguments).map(value -> escapeValue(withoutUrlDetails(value))).toArray();
  }

  @Override
  public String getThreadName() {
    return escapeValue(event.getThreadName());
  }

  @Override
  public String getLoggerName() {
    return escapeValue(event.getLoggerName());
  }

  @Override
  public Map<String, String> getMDCPropertyMap() {
    return escapeValues(event.getMDCPropertyMap());
  }

  @Override
  @Deprecated
  public Map<String, String> getMdc() {
    return getMDCPropertyMap();
  }

  @Override
  public @Nullable List<KeyValuePair> getKeyValuePairs() {
    List<KeyValuePair> pairs = event.getKeyValuePairs();
    return pairs == null
        ? null
        : pairs.stream()
            .map(pair -> new KeyValuePair(escapeValue(pair.key), escapeValue(pair.value)))
            .toList();
  }

  @Override
  public @Nullable IThrowableProxy getThrowableProxy() {
    return EscapedThrowable.of(event.getThrowableProxy());
  }

  private static Map<String, String> escapeValues(Map<String, String> values) {
    Map<String, String> escaped = new HashMap<>();
    values.forEach((key, value) -> escaped.put(escapeValue(key), escapeValue(value)));
    return escaped;
  }

  private static String escapeValue(@Nullable Object value) {
    return LogText.escape(String.valueOf(value), LogText.MAX_VALUE_LENGTH);
  }

  @Override
  public Level getLevel() {
    return event.getLevel();
  }

  @Override
  public LoggerContextVO getLoggerContextVO() {
    return event.getLoggerContextVO();
  }

  @Override
  public StackTraceElement[] getCallerData() {
    return event.getCallerData();
  }

  @Override
  public boolean hasCallerData() {
    return event.hasCallerData();
  }

  @Override
  public @Nullable List<Marker> getMarkerList() {
    return event.getMarkerList();
  }

  @Override
  public long getTimeStamp() {
    return event.getTimeStamp();
  }

  @Override
  public int getNanoseconds() {
    return event.getNanoseconds();
  }

  @Override
  public Instant getInstant() {
    return event.getInstant();
  }

  @Override
  public long getSequenceNumber() {
    return event.getSequenceNumber();
  }

  @Override
  public void prepareForDeferredProcessing() {
    event.prepareForDeferredProcessing();
  }
}
