// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigurationException;
import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.text.LogText;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
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
          // of spans that wait for the exporter; those that it gets are cut as well
          "otel.attribute.value.length.limit", String.valueOf(LogText.MAX_DETAIL_LENGTH),
          "otel.propagators", "tracecontext",
          "otel.exporter.otlp.protocol", "http/protobuf",
          "otel.metrics.exporter", "none",
          "otel.logs.exporter", "none");

  private static final Pattern AUTHORITY = Pattern.compile("([^@:\\[\\]]+|\\[[^@]+])(:\\d*)?");

  private static final List<String> EXPORTERS =
      List.of(
          "otel.exporter.otlp.",
          "otel.exporter.otlp.traces.",
          "otel.exporter.otlp.metrics.",
          "otel.exporter.otlp.logs.");

  private final OpenTelemetrySdk sdk;

  private OpenTelemetryTracing(OpenTelemetrySdk sdk) {
    this.sdk = sdk;
  }

  /**
   * Installs tracing; call before routes are created.
   *
   * @throws InvalidSettingException if the SDK rejects an environment variable or system property
   */
  public static void install(CamelContext context) {
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
    OpenTelemetrySdk sdk = configuredSdk();
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

  /** Returns the SDK as configured by {@link #DEFAULTS} and the environment. */
  static OpenTelemetrySdk configuredSdk() {
    try {
      return AutoConfiguredOpenTelemetrySdk.builder()
          .addPropertiesSupplier(() -> DEFAULTS)
          .addPropertiesCustomizer(
              properties -> {
                checkExporter(properties);
                return Map.of();
              })
          .addSpanExporterCustomizer((exporter, config) -> new EscapingSpanExporter(exporter))
          // it would close before the last message is processed
          .disableShutdownHook()
          .build()
          .getOpenTelemetrySdk();
    } catch (RuntimeException e) {
      Map<String, String> configured = new TreeMap<>(System.getenv());
      System.getProperties().forEach((name, value) -> configured.put("" + name, "" + value));
      configured.keySet().removeIf(name -> !property(name).startsWith("otel."));
      throw new InvalidSettingException(rejection(e, configured));
    }
  }

  /**
   * Returns the sentence for what the SDK rejects. Its message names a property, quotes a value, or
   * does neither.
   *
   * @param configured the environment variables and system properties of OpenTelemetry
   */
  static String rejection(RuntimeException failure, Map<String, String> configured) {
    String message = ErrorMessages.singleLine(failure);
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String text = ErrorMessages.ownMessage(cause);
      Optional<String> named =
          configured.keySet().stream()
              .filter(
                  name -> text.contains(property(name)) || text.contains(variable(property(name))))
              .max(Comparator.comparingInt(String::length));
      if (named.isPresent()) {
        return rejection(named.get(), text);
      }
    }
    List<String> names = List.copyOf(configured.keySet());
    List<String> quoted =
        names.stream().filter(name -> message.contains(configured.getOrDefault(name, ""))).toList();
    List<String> possible = quoted.isEmpty() ? names : quoted;
    return rejection(
        (possible.size() == 1 ? "" : "One of ") + String.join(", ", possible), message);
  }

  private static String rejection(String variable, String reason) {
    return variable + " is rejected by OpenTelemetry's SDK: " + reason;
  }

  /**
   * Rejects values that the SDK would quote in its messages, with the password that they contain.
   *
   * @throws ConfigurationException that names the variable without its value
   */
  static void checkExporter(ConfigProperties properties) {
    for (String exporter : EXPORTERS) {
      String endpoint = properties.getString(exporter + "endpoint");
      if (endpoint != null && !isUrlWithoutUser(endpoint)) {
        throw new ConfigurationException(
            variable(exporter + "endpoint")
                + " must be a URL such as http://localhost:4318, without a user;"
                + " use OTEL_EXPORTER_OTLP_HEADERS");
      }
      if (!hasValidHeaders(properties, exporter + "headers")) {
        throw new ConfigurationException(
            variable(exporter + "headers")
                + " must be name=value, or several separated by commas, with special characters in"
                + " the value percent-encoded");
      }
    }
  }

  private static boolean isUrlWithoutUser(String endpoint) {
    try {
      // a host with an underscore is not one for java.net.URI
      String authority = new URI(endpoint).getRawAuthority();
      return authority != null && AUTHORITY.matcher(authority).matches();
    } catch (URISyntaxException e) {
      return false;
    }
  }

  private static boolean hasValidHeaders(ConfigProperties properties, String name) {
    try {
      return properties.getMap(name).values().stream()
          .allMatch(
              value ->
                  URLDecoder.decode(value, StandardCharsets.UTF_8)
                      .chars()
                      .allMatch(c -> c >= ' ' && c <= '~'));
    } catch (ConfigurationException | IllegalArgumentException e) {
      return false;
    }
  }

  /** Returns the name that the SDK uses for an environment variable or system property. */
  private static String property(String variable) {
    return variable.toLowerCase(Locale.ROOT).replace('_', '.');
  }

  private static String variable(String property) {
    return property.replace('.', '_').toUpperCase(Locale.ROOT);
  }

  @Override
  protected void doStop() {
    sdk.shutdown().join(EXPORT_TIMEOUT_SECONDS, TimeUnit.SECONDS);
  }
}
