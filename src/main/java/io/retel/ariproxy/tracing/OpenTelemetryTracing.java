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
 * OpenTelemetry for the routes: Camel makes the spans, the SDK does with them what its environment
 * variables ({@code OTEL_*}) say. Where nobody begins it, not a class of it is loaded.
 *
 * <p>A trace goes on over both seams, which Camel's tracer leaves out: {@code handover:} is a call
 * within an exchange, and over {@code lanes:} the exchange's properties go along, the span among
 * them. When the context stops, what has not been exported is, for some seconds.
 */
public final class OpenTelemetryTracing extends ServiceSupport {

  private static final String EXCLUDED_ENDPOINTS = "handover:*,lanes:*";
  private static final long EXPORT_TIMEOUT_SECONDS = 5;

  /**
   * What holds where no variable says otherwise. Baggage is no matter of Asterisk's, and goes no
   * further.
   */
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
   * Begins, before any route is made.
   *
   * @throws RuntimeException if an environment variable of OpenTelemetry's is malformed
   */
  public static void install(CamelContext context) {
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
    OpenTelemetrySdk sdk =
        AutoConfiguredOpenTelemetrySdk.builder()
            .addPropertiesSupplier(() -> DEFAULTS)
            // it would close before the last message is through
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
