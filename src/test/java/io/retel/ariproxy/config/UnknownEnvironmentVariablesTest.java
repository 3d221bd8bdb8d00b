// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.camel.main.MainHelper;
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
    "ARI_PASS, ARI_PASS (ARI_PASSWORD?)",
    "KAFKA_BROKER, KAFKA_BROKER (KAFKA_BROKERS?)",
    "ARI_USERNAME_FILE, ARI_USERNAME_FILE (ARI_USERNAME?)",
    "ARI_PASWORD_FILE, ARI_PASWORD_FILE (ARI_PASSWORD_FILE?)",
    "ARI_PROXY_ROUTE, ARI_PROXY_ROUTE (ARI_PROXY_ROUTES_DIRECTORY?)",
    "TRACING_ZIPKIN, TRACING_ZIPKIN"
  })
  void suggestsClosestSettingWithoutValue(String variable, String expected) {
    assertThat(UnknownEnvironmentVariables.warnings(Map.of(variable, "secret")))
        .containsExactly(PREFIX + expected);
  }

  @Test
  void namesSeveralInOneLine() {
    assertThat(UnknownEnvironmentVariables.warnings(Map.of("METRICS_TAG", "x", "ARI_COLOR", "y")))
        .containsExactly(PREFIX + "ARI_COLOR, METRICS_TAG (METRICS_TAGS?)");
  }

  @Test
  void namesOptionsOfComponentsThatCamelIgnores() {
    assertThat(
            UnknownEnvironmentVariables.warnings(
                Map.of(
                    "CAMEL_COMPONENT_KAFKA_SASL_JAAS_CONFIG", "s3cret",
                    "CAMEL_COMPONENT_KAFKA_GROUP_ID", "g",
                    "CAMEL_MAIN_NAME", "n")))
        .containsExactly(
            "Environment variables have no effect, since Camel ignores them:"
                + " CAMEL_COMPONENT_KAFKA_GROUP_ID, CAMEL_COMPONENT_KAFKA_SASL_JAAS_CONFIG; set"
                + " camel.component.… in config/application.properties");
  }

  /**
   * Camel 4.18.0 does not convert the prefix to upper case. If this fails, Camel applies {@code
   * CAMEL_COMPONENT_} variables: remove the warning.
   */
  @Test
  void camelIgnoresVariablesOfComponents() {
    assertThat(System.getenv()).containsKey("PATH");
    assertThat(MainHelper.filterEnvVariables(new String[] {"PATH"})).containsKey("PATH");
    assertThat(MainHelper.filterEnvVariables(new String[] {"path"})).isEmpty();
  }

  @Test
  void acceptsSettingsAndSecretFiles() {
    Map<String, String> all =
        Setting.all().stream()
            .map(Setting::environmentVariable)
            .collect(Collectors.toMap(Function.identity(), name -> "x"));
    all.put("ARI_PASSWORD_FILE", "/run/secrets/ari");
    assertThat(UnknownEnvironmentVariables.warnings(all)).isEmpty();
  }

  @Test
  void ignoresForeignVariables() {
    assertThat(
            UnknownEnvironmentVariables.warnings(
                Map.of("PATH", "x", "JAVA_OPTS", "x", "OTEL_SDK", "x")))
        .isEmpty();
  }

  @Test
  void ignoresKubernetesServiceLinks() {
    assertThat(
            UnknownEnvironmentVariables.warnings(
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
