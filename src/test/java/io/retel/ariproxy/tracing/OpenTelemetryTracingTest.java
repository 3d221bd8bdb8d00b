// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigurationException;
import io.opentelemetry.sdk.autoconfigure.spi.internal.DefaultConfigProperties;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.text.LogText;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.CamelContext;
import org.apache.camel.impl.DefaultCamelContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The SDK quotes malformed values, which can contain a password. */
class OpenTelemetryTracingTest {

  private static final long MAX_SENT = 100_000_000;

  @ParameterizedTest
  @CsvSource({
    "OTEL_EXPORTER_OTLP_ENDPOINT, http://user:secret@localhost:4318",
    "OTEL_EXPORTER_OTLP_ENDPOINT, http://secret@localhost:4318",
    "OTEL_EXPORTER_OTLP_ENDPOINT, user:secret@localhost",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, http://user:se#cret@localhost:4318/v1/traces",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, http://user:secret%@localhost:4318/v1/traces",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, http://user:secret@localhost:4318/v1/metrics",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, http://user:secret@localhost:4318/v1/logs",
    "OTEL_EXPORTER_OTLP_HEADERS, Bearer secret",
    "OTEL_EXPORTER_OTLP_HEADERS, x-api-key=secret%0Ax",
    "OTEL_EXPORTER_OTLP_HEADERS, x-api-key=secret%zz",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS, x-api-key:secret"
  })
  void rejectsValueWithoutQuotingIt(String variable, String value) {
    assertThatThrownBy(() -> check(variable, value))
        .isInstanceOf(ConfigurationException.class)
        .hasNoCause()
        .message()
        .startsWith(variable + " must be ")
        .doesNotContain("secret");
  }

  @ParameterizedTest
  @CsvSource({
    "OTEL_EXPORTER_OTLP_ENDPOINT, http://localhost:4318",
    "OTEL_EXPORTER_OTLP_ENDPOINT, http://otel_collector:4318",
    "OTEL_EXPORTER_OTLP_ENDPOINT, https://[::1]:4318/prefix",
    "OTEL_EXPORTER_OTLP_HEADERS, 'authorization=Bearer%20secret,x-api-key=a'",
    "OTEL_TRACES_EXPORTER, none"
  })
  void acceptsValue(String variable, String value) {
    assertThatCode(() -> check(variable, value)).doesNotThrowAnyException();
  }

  /** The SDK's messages name a property, quote a value, or do neither. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "otel.bsp.schedule.delay | abc | Invalid duration property otel.bsp.schedule.delay=abc.",
        "otel.traces.sampler | foo | Unrecognized value for otel.traces.sampler: foo",
        "otel.traces.exporter | zipkin | otel.traces.exporter set to",
        "otel.propagators | foo | Unrecognized value for otel.propagators: foo.",
        "otel.resource.attributes | x | Invalid map property: otel.resource.attributes=x",
        "otel.exporter.otlp.protocol | foo | Unsupported OTLP traces protocol: foo",
        "otel.exporter.otlp.compression | foo | Unsupported compressionMethod.",
        "otel.exporter.otlp.timeout | -1 | timeout < 0",
        "otel.exporter.otlp.certificate | /none | Invalid OTLP certificate/key path: /none",
        "otel.bsp.max.queue.size | -1 | maxQueueSize must be positive.",
        "otel.span.attribute.count.limit | -5 | maxNumberOfAttributes must be non-negative",
        "otel.exporter.otlp.endpoint | http://user:secret@host | OTEL_EXPORTER_OTLP_ENDPOINT must be"
      })
  void namesWhatTheSdkRejects(String property, String value, String reason) throws Exception {
    System.setProperty(property, value);
    try (CamelContext context = new DefaultCamelContext()) {
      assertThatThrownBy(() -> OpenTelemetryTracing.install(context))
          .isInstanceOf(InvalidSettingException.class)
          .message()
          .startsWith(property + " is rejected by OpenTelemetry's SDK: " + reason)
          .doesNotContain("\n", "secret");
    } finally {
      System.clearProperty(property);
    }
  }

  @Test
  void namesAllVariablesThatTheSdkCanMean() {
    Map<String, String> configured =
        Map.of(
            "OTEL_TRACES_SAMPLER", "always_on",
            "OTEL_TRACES_SAMPLER_ARG", "x",
            "otel.bsp.export.timeout", "-1");
    assertThat(
            OpenTelemetryTracing.rejection(
                new ConfigurationException(
                    "Unexpected configuration error", new IllegalArgumentException("timeout < 0")),
                new TreeMap<>(configured)))
        .isEqualTo(
            "One of OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, otel.bsp.export.timeout is"
                + " rejected by OpenTelemetry's SDK: timeout < 0");
    assertThat(
            OpenTelemetryTracing.rejection(
                new ConfigurationException(
                    "Invalid value for property otel.traces.sampler.arg=x. Must be a double.",
                    new NumberFormatException()),
                configured))
        .startsWith("OTEL_TRACES_SAMPLER_ARG is rejected");
    assertThat(
            OpenTelemetryTracing.rejection(
                new ConfigurationException("unknown: always_on"), configured))
        .startsWith("OTEL_TRACES_SAMPLER is rejected");
  }

  @Test
  void cutsAttributesOfSpansThatWaitForTheExporter() {
    System.setProperty("otel.traces.exporter", "memory");
    AttributeKey<String> url = AttributeKey.stringKey("url.full");
    try (OpenTelemetrySdk sdk = OpenTelemetryTracing.configuredSdk()) {
      Span span = sdk.getTracer("test").spanBuilder("request").startSpan();
      span.setAttribute(url, "x".repeat(1_000_000));

      assertThat(((ReadableSpan) span).getAttribute(url)).hasSize(LogText.MAX_DETAIL_LENGTH);
    } finally {
      System.clearProperty("otel.traces.exporter");
    }
  }

  /** Any local user can listen at the collector's port while it is down. */
  @Test
  void limitsResponseOfCollector() throws IOException {
    AtomicLong sent = new AtomicLong();
    AtomicBoolean closed = new AtomicBoolean();
    HttpServer collector =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    collector.createContext(
        "/v1/traces",
        exchange -> {
          exchange.sendResponseHeaders(400, 0);
          byte[] block = new byte[65_536];
          try {
            while (sent.addAndGet(block.length) < MAX_SENT) {
              exchange.getResponseBody().write(block);
            }
          } finally {
            closed.set(true);
            exchange.close();
          }
        });
    collector.start();
    System.setProperty(
        "otel.exporter.otlp.endpoint", "http://127.0.0.1:" + collector.getAddress().getPort());
    try (OpenTelemetrySdk sdk = OpenTelemetryTracing.configuredSdk()) {
      sdk.getTracer("test").spanBuilder("request").startSpan().end();
      sdk.getSdkTracerProvider().forceFlush();
      Awaitility.await().untilTrue(closed);
      assertThat(sent.get()).isLessThan(MAX_SENT);
    } finally {
      System.clearProperty("otel.exporter.otlp.endpoint");
      collector.stop(0);
    }
  }

  private static void check(String variable, String value) {
    OpenTelemetryTracing.checkExporter(
        DefaultConfigProperties.createFromMap(
            Map.of(variable.toLowerCase(Locale.ROOT).replace('_', '.'), value)));
  }
}
