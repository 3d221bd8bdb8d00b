// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.opentelemetry.sdk.autoconfigure.spi.ConfigurationException;
import io.opentelemetry.sdk.autoconfigure.spi.internal.DefaultConfigProperties;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The SDK quotes malformed values, which can contain a password. */
class OpenTelemetryTracingTest {

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

  private static void check(String variable, String value) {
    OpenTelemetryTracing.checkExporter(
        DefaultConfigProperties.createFromMap(
            Map.of(variable.toLowerCase(Locale.ROOT).replace('_', '.'), value)));
  }
}
