// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Environment variables that match no setting are reported, with the most similar setting. */
class UnknownEnvironmentVariablesTest {

  private static final String PREFIX = "Environment variables resemble settings but are unknown: ";

  @ParameterizedTest
  @CsvSource({
    "KAFKA_COMMAND_TOPIC, KAFKA_COMMAND_TOPIC (KAFKA_COMMANDS_TOPIC?)",
    "KAFKA_USER, KAFKA_USER (KAFKA_USERNAME?)",
    "ARI_USERNAME_FILE, ARI_USERNAME_FILE (ARI_USERNAME?)",
    "ARI_PASWORD_FILE, ARI_PASWORD_FILE (ARI_PASSWORD_FILE?)",
    "ARI_PROXY_ROUTE, ARI_PROXY_ROUTE (ARI_PROXY_ROUTES_DIRECTORY?)",
    "TRACING_ZIPKIN, TRACING_ZIPKIN"
  })
  void suggestsClosestSettingWithoutValue(String variable, String expected) {
    assertThat(UnknownEnvironmentVariables.warning(Map.of(variable, "secret")))
        .contains(PREFIX + expected);
  }

  @Test
  void namesSeveralInOneLine() {
    assertThat(UnknownEnvironmentVariables.warning(Map.of("METRICS_TAG", "x", "ARI_COLOR", "y")))
        .contains(PREFIX + "ARI_COLOR, METRICS_TAG (METRICS_TAGS?)");
  }

  @Test
  void acceptsSettingsAndSecretFiles() {
    Map<String, String> all =
        Setting.all().stream()
            .map(Setting::environmentVariable)
            .collect(Collectors.toMap(Function.identity(), name -> "x"));
    all.put("ARI_PASSWORD_FILE", "/run/secrets/ari");
    assertThat(UnknownEnvironmentVariables.warning(all)).isEmpty();
  }

  @Test
  void ignoresForeignVariables() {
    assertThat(
            UnknownEnvironmentVariables.warning(
                Map.of("PATH", "x", "JAVA_OPTS", "x", "OTEL_SDK", "x")))
        .isEmpty();
  }

  @Test
  void ignoresKubernetesServiceLinks() {
    assertThat(
            UnknownEnvironmentVariables.warning(
                Map.of(
                    "KAFKA_SERVICE_HOST", "10.0.0.1",
                    "KAFKA_SERVICE_PORT", "9092",
                    "KAFKA_SERVICE_PORT_CLIENTS", "9092",
                    "KAFKA_PORT", "tcp://10.0.0.1:9092",
                    "KAFKA_PORT_9092_TCP", "tcp://10.0.0.1:9092",
                    "KAFKA_PORT_9092_TCP_ADDR", "10.0.0.1")))
        .isEmpty();
  }
}
