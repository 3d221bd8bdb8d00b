package io.retel.ariproxy.tracing;

import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.traces.ConfigurableSpanExporterProvider;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.List;

/** The exporter that {@code otel.traces.exporter = memory} names: a test sees each span. */
public final class InMemorySpanExporterProvider implements ConfigurableSpanExporterProvider {

  /** Of the proxy that was started last; at its end it forgets them. */
  private static volatile InMemorySpanExporter exporter = InMemorySpanExporter.create();

  /** The spans of a trace that have ended so far. */
  static List<SpanData> forTrace(String traceId) {
    return exporter.getFinishedSpanItems().stream()
        .filter(span -> span.getTraceId().equals(traceId))
        .toList();
  }

  @Override
  public SpanExporter createExporter(ConfigProperties config) {
    exporter = InMemorySpanExporter.create();
    return exporter;
  }

  @Override
  public String getName() {
    return "memory";
  }
}
