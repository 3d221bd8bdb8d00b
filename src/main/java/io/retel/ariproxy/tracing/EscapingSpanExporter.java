// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.AttributeType;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.DelegatingSpanData;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.data.StatusData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.text.LogText;
import java.util.Collection;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Escapes and bounds the texts of spans, regardless of their source: a record's key is a call
 * context of any length.
 */
final class EscapingSpanExporter implements SpanExporter {

  private final SpanExporter exporter;

  EscapingSpanExporter(SpanExporter exporter) {
    this.exporter = exporter;
  }

  @Override
  public CompletableResultCode export(Collection<SpanData> spans) {
    return exporter.export(spans.stream().map(span -> (SpanData) new EscapedSpan(span)).toList());
  }

  @Override
  public CompletableResultCode flush() {
    return exporter.flush();
  }

  @Override
  public CompletableResultCode shutdown() {
    return exporter.shutdown();
  }

  private static final class EscapedSpan extends DelegatingSpanData {

    EscapedSpan(SpanData span) {
      super(span);
    }

    @Override
    public String getName() {
      return LogText.escape(super.getName(), LogText.MAX_VALUE_LENGTH);
    }

    @Override
    public Attributes getAttributes() {
      return map(super.getAttributes(), EscapedSpan::escape);
    }

    @Override
    public List<EventData> getEvents() {
      return super.getEvents().stream()
          .map(
              event ->
                  EventData.create(
                      event.getEpochNanos(),
                      LogText.escape(event.getName(), LogText.MAX_VALUE_LENGTH),
                      map(event.getAttributes(), EscapedSpan::escapeError),
                      event.getTotalAttributeCount()))
          .toList();
    }

    @Override
    public StatusData getStatus() {
      StatusData status = super.getStatus();
      return StatusData.create(status.getStatusCode(), escapeError(status.getDescription()));
    }

    private static Attributes map(Attributes attributes, UnaryOperator<String> escape) {
      AttributesBuilder escaped = attributes.toBuilder();
      attributes.forEach(
          (key, value) -> {
            if (key.getType() == AttributeType.STRING) {
              escaped.put(AttributeKey.stringKey(key.getKey()), escape.apply((String) value));
            } else if (key.getType() == AttributeType.STRING_ARRAY) {
              escaped.put(
                  key.getKey(),
                  ((List<?>) value)
                      .stream()
                          .map(text -> escape.apply(String.valueOf(text)))
                          .toArray(String[]::new));
            }
          });
      return escaped.build();
    }

    /** The error of an HTTP step quotes its URL. */
    private static String escapeError(String text) {
      return escape(ErrorMessages.withoutUrlDetails(text));
    }

    private static String escape(String text) {
      return LogText.escape(text, LogText.MAX_DETAIL_LENGTH);
    }
  }
}
