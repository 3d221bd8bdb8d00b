// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import io.retel.ariproxy.AriProxy;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Units;
import io.retel.ariproxy.error.FatalErrors;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kafka.server.KafkaConfig;
import org.apache.kafka.raft.QuorumConfig;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The compose file, checked without a container engine. */
class ComposeTest {

  private static final Path FILE = Path.of("docker", "compose.yaml");

  private static JsonNode compose;

  @BeforeAll
  static void read() throws IOException {
    compose = new YAMLMapper().readTree(FILE.toFile());
  }

  @Test
  void conformsToComposeSchema() throws IOException {
    // this version of the schema does not have it
    ObjectNode withoutName = ((ObjectNode) compose.deepCopy()).without("name");
    try (InputStream schema =
        ComposeTest.class.getResourceAsStream("/compose/compose-spec.schema.json")) {
      assertThat(
              JsonSchemaFactory.getInstance(VersionFlag.V201909)
                  .getSchema(schema)
                  .validate(withoutName))
          .isEmpty();
    }
  }

  @Test
  void everyPortBindsToLoopback() {
    List<String> ports =
        services()
            .flatMap(service -> service.path("ports").valueStream())
            .map(JsonNode::asText)
            .toList();
    assertThat(ports).isNotEmpty().allMatch(port -> port.startsWith("127.0.0.1:"));
  }

  /** Its admin has a known password. */
  @Test
  void dashboardsAcceptNoLogin() {
    JsonNode grafana = compose.at("/services/grafana/environment");
    assertThat(grafana.path("GF_AUTH_ANONYMOUS_ENABLED").asText()).isEqualTo("true");
    assertThat(grafana.path("GF_AUTH_BASIC_ENABLED").asText()).isEqualTo("false");
  }

  @Test
  void everyReferencedFileExists() {
    Stream<String> referenced =
        Stream.of(
                services().map(service -> service.path("build")).map(ComposeTest::buildContext),
                services()
                    .flatMap(service -> service.path("volumes").valueStream())
                    .map(volume -> volume.asText().replaceAll(":.*", "")),
                compose.path("secrets").valueStream().map(secret -> secret.path("file").asText()))
            .flatMap(paths -> paths)
            .filter(path -> !path.isEmpty());
    assertThat(referenced)
        .isNotEmpty()
        .allSatisfy(path -> assertThat(FILE.resolveSibling(path)).exists());
    assertThat(
            FILE.resolveSibling(proxy().at("/build/context").asText())
                .resolve(proxy().at("/build/dockerfile").asText()))
        .isRegularFile();
  }

  @Test
  void everyProxyVariableIsASetting() {
    List<String> names =
        environment().keySet().stream()
            .filter(name -> !name.equals(AriProxy.EXIT_CODE_WITHOUT_RESTART))
            .toList();
    EnvironmentVariables.assertAllAreSettings(names);
    EnvironmentVariables.assertContainsRequired(names, false);
  }

  @Test
  void proxyAndAsteriskShareSecret() throws IOException {
    String password =
        Files.readString(FILE.resolveSibling(compose.at("/secrets/ari-password/file").asText()))
            .strip();
    assertThat(Files.readString(Path.of("docker", "asterisk", "ari.conf")))
        .contains("password = " + password);
    assertThat(Files.readString(FILE).lines().filter(line -> !line.startsWith("#")))
        .noneMatch(line -> line.contains(password));
  }

  /** A limit of restarts would count over the life of the container. */
  @Test
  void restartsAfterEachCrashAndOnlyThen() {
    assertThat(proxy().path("restart").asText()).isEqualTo("on-failure");
    for (int code : new int[] {AriProxy.EXIT_REPLACED, AriProxy.EXIT_INVALID_SETTING}) {
      assertThat(AriProxy.forSupervisor(code, environment())).isZero();
    }
    for (int code : new int[] {AriProxy.EXIT_START_FAILED, FatalErrors.EXIT_OUT_OF_MEMORY, 143}) {
      assertThat(AriProxy.forSupervisor(code, environment())).isEqualTo(code);
    }
  }

  @Test
  void stopGracePeriodCoversShutdownTimeout() {
    assertThat(Long.parseLong(proxy().path("stop_grace_period").asText().replace("s", "")))
        .isGreaterThanOrEqualTo(ShutdownTimes.maxDuration().toSeconds());
  }

  @Test
  void proxyHasReadOnlyFilesAndNoCapabilities() throws IOException {
    assertThat(proxy().path("read_only").asBoolean()).isTrue();
    assertThat(proxy().path("cap_drop").valueStream().map(JsonNode::asText)).containsExactly("ALL");
    assertThat(proxy().path("security_opt").valueStream().map(JsonNode::asText))
        .containsExactly("no-new-privileges:true");
    assertThat(proxy().path("tmpfs").valueStream().map(JsonNode::asText))
        .singleElement()
        .asString()
        .startsWith("/tmp:");
    assertThat(Files.readString(Path.of("docker", "Dockerfile")))
        .contains("\nUSER " + proxy().path("user").asText() + "\n");
  }

  @Test
  void memoryLimitCoversBuffers() {
    long heap = (long) (0.7 * (1L << 30));
    assertThat(proxy().path("mem_limit").asText()).isEqualTo("1g");
    assertThat(
            Stream.of(
                    Setting.KAFKA_MAX_IN_FLIGHT_BYTES,
                    Setting.ARI_BUFFER_SIZE,
                    Setting.ARI_RESPONSE_BUFFER_SIZE,
                    Setting.COMMANDS_DEDUP_CACHE_SIZE)
                .mapToLong(setting -> Units.bytes(setting.defaultText()))
                .sum())
        .isLessThan(heap * 2 / 3);
  }

  /** The image converts variables to server.properties: KAFKA_NODE_ID is node.id. */
  @Test
  void kafkaAcceptsSettings() {
    Map<String, String> properties =
        compose.at("/services/kafka/environment").properties().stream()
            .collect(
                Collectors.toMap(
                    variable ->
                        variable
                            .getKey()
                            .replaceFirst("^KAFKA_", "")
                            .toLowerCase(Locale.ROOT)
                            .replace('_', '.'),
                    variable -> variable.getValue().asText()));

    KafkaConfig config = new KafkaConfig(properties, false);

    assertThat(properties.keySet())
        .allMatch(
            name -> KafkaConfig.configNames().contains(name) || name.startsWith("controller."));
    assertThat(QuorumConfig.parseVoterConnections(config.quorumConfig().voters())).hasSize(1);
    assertThat(config.effectiveAdvertisedBrokerListeners().mkString(","))
        .contains("host='kafka', port=19092")
        .contains("host='localhost', port=9092");
    assertThat(proxy().at("/environment/KAFKA_BROKERS").asText()).isEqualTo("kafka:19092");
  }

  private static Stream<JsonNode> services() {
    return compose.path("services").valueStream();
  }

  private static Map<String, String> environment() {
    return proxy().path("environment").properties().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, variable -> variable.getValue().asText()));
  }

  private static JsonNode proxy() {
    return compose.at("/services/ari-proxy");
  }

  private static String buildContext(JsonNode build) {
    return build.isTextual() ? build.asText() : build.path("context").asText();
  }
}
