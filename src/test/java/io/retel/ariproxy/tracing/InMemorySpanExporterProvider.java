// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.traces.ConfigurableSpanExporterProvider;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.List;

/** The exporter of {@code otel.traces.exporter = memory}, which exposes spans to tests. */
public final class InMemorySpanExporterProvider implements ConfigurableSpanExporterProvider {

  /** The exporter of the most recently started proxy; cleared when it stops. */
  private static volatile InMemorySpanExporter exporter = InMemorySpanExporter.create();

  /** Returns all ended spans. */
  public static List<SpanData> all() {
    return exporter.getFinishedSpanItems();
  }

  /** Returns the ended spans of a trace. */
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
