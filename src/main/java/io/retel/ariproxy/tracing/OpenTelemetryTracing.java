// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.opentelemetry2.OpenTelemetryTracer;
import org.apache.camel.support.service.ServiceSupport;
import org.slf4j.bridge.SLF4JBridgeHandler;

/**
 * OpenTelemetry for the routes: Camel creates spans, the SDK exports them as configured by
 * environment variables ({@code OTEL_*}). Without {@link #install}, its classes are never loaded.
 *
 * <p>Camel's tracer excludes {@code handover:} and {@code lanes:}; traces still continue across
 * both. {@code handover:} is a call within an exchange, and {@code lanes:} copies the exchange's
 * properties, including the span. When the context stops, remaining spans are exported for at most
 * 5 s.
 */
public final class OpenTelemetryTracing extends ServiceSupport {

  private static final String EXCLUDED_ENDPOINTS = "handover:*,lanes:*";
  private static final long EXPORT_TIMEOUT_SECONDS = 5;

  /** Defaults for unset variables. Baggage is not propagated: it does not concern Asterisk. */
  private static final Map<String, String> DEFAULTS =
      Map.of(
          "otel.service.name", "ari-proxy",
          "otel.propagators", "tracecontext",
          "otel.exporter.otlp.protocol", "http/protobuf",
          "otel.metrics.exporter", "none",
          "otel.logs.exporter", "none");

  private final OpenTelemetrySdk sdk;

  private OpenTelemetryTracing(OpenTelemetrySdk sdk) {
    this.sdk = sdk;
  }

  /**
   * Installs tracing; call before routes are created.
   *
   * @throws RuntimeException if an OpenTelemetry environment variable is malformed
   */
  public static void install(CamelContext context) {
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
    OpenTelemetrySdk sdk =
        AutoConfiguredOpenTelemetrySdk.builder()
            .addPropertiesSupplier(() -> DEFAULTS)
            .addSpanExporterCustomizer((exporter, config) -> new EscapingSpanExporter(exporter))
            // it would close before the last message is processed
            .disableShutdownHook()
            .build()
            .getOpenTelemetrySdk();
    context.getRegistry().bind("openTelemetryTracer", sdk.getTracer("ari-proxy"));
    context.getRegistry().bind("contextPropagators", sdk.getPropagators());
    try {
      context.addService(new OpenTelemetryTracing(sdk));
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    OpenTelemetryTracer tracer = new OpenTelemetryTracer();
    tracer.setCamelContext(context);
    tracer.setExcludePatterns(EXCLUDED_ENDPOINTS);
    tracer.init(context);
  }

  @Override
  protected void doStop() {
    sdk.shutdown().join(EXPORT_TIMEOUT_SECONDS, TimeUnit.SECONDS);
  }
}
