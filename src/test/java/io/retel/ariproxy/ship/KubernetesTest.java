// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.openshift.api.model.monitoring.v1.PodMonitor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The Kubernetes manifests, checked without a cluster. */
class KubernetesTest {

  private static final Path FOLDER = Path.of("docker", "kubernetes");
  private static final List<String> FILES =
      List.of("asterisk-with-ari-proxy.yaml", "pod-monitor.yaml");

  private static final Map<String, Class<? extends HasMetadata>> KINDS =
      Map.of(
          "StatefulSet", StatefulSet.class,
          "Service", Service.class,
          "NetworkPolicy", NetworkPolicy.class,
          "PodMonitor", PodMonitor.class);

  /** Rejects fields that Kubernetes does not define. */
  private static final ObjectMapper STRICT =
      new ObjectMapper()
          .setAnnotationIntrospector(
              new JacksonAnnotationIntrospector() {
                @Override
                public Boolean hasAnySetter(Annotated annotated) {
                  return false;
                }
              });

  private static final List<JsonNode> DOCUMENTS = new ArrayList<>();
  private static final List<HasMetadata> OBJECTS = new ArrayList<>();

  @BeforeAll
  static void read() throws IOException {
    YAMLMapper yaml = new YAMLMapper();
    for (String file : FILES) {
      try (JsonParser documents = yaml.createParser(FOLDER.resolve(file).toFile())) {
        yaml.<JsonNode>readValues(documents, JsonNode.class).forEachRemaining(DOCUMENTS::add);
      }
    }
    for (JsonNode document : DOCUMENTS) {
      OBJECTS.add(STRICT.treeToValue(document, KINDS.get(document.path("kind").asText())));
    }
  }

  @Test
  void everyFieldIsInKubernetesSchema() {
    assertThat(OBJECTS).hasSize(DOCUMENTS.size()).hasSize(4);
    assertThat(OBJECTS)
        .zipSatisfy(
            DOCUMENTS,
            (object, document) ->
                assertThat(object.getApiVersion()).isEqualTo(document.path("apiVersion").asText()));
  }

  @Test
  void rejectsUnknownField() {
    ObjectNode invalid = DOCUMENTS.get(0).deepCopy();
    ((ObjectNode) invalid.at("/spec/template/spec/initContainers/0")).putObject("readynessProbe");
    assertThatThrownBy(() -> STRICT.treeToValue(invalid, StatefulSet.class))
        .isInstanceOf(UnrecognizedPropertyException.class)
        .hasMessageContaining("readynessProbe");
  }

  @Test
  void everyProxyVariableIsASetting() {
    List<String> names =
        proxy().getEnv().stream()
            .map(EnvVar::getName)
            .filter(name -> !name.startsWith("POD_"))
            .toList();
    EnvironmentVariables.assertAllAreSettings(names);
    EnvironmentVariables.assertContainsRequired(names, false);
  }

  @Test
  void proxyIsRestartableInitContainer() {
    assertThat(pod().getInitContainers()).containsExactly(proxy());
    assertThat(proxy().getRestartPolicy()).isEqualTo("Always");
    assertThat(proxy().getStartupProbe()).isNotNull();
  }

  @Test
  void probesUseManagementPaths() {
    assertThat(Stream.of(proxy().getStartupProbe(), proxy().getLivenessProbe()))
        .extracting(KubernetesTest::path)
        .containsOnly("/observe/health/live");
    assertThat(path(proxy().getReadinessProbe())).isEqualTo("/observe/health/ready");
    assertThat(proxy().getPorts())
        .extracting(port -> port.getName() + " " + port.getContainerPort())
        .containsExactly("management 9000");
    assertThat(DOCUMENTS.get(3).at("/spec/podMetricsEndpoints/0/path").asText())
        .isEqualTo("/observe/metrics");
  }

  @Test
  void gracePeriodCoversShutdownTimeout() {
    assertThat(pod().getTerminationGracePeriodSeconds())
        .isGreaterThanOrEqualTo(ShutdownTimes.maxDuration().toSeconds() + 5);
  }

  @Test
  void everyMountedVolumeExists() {
    assertThat(pod().getVolumes())
        .extracting(volume -> volume.getName())
        .containsAll(proxy().getVolumeMounts().stream().map(mount -> mount.getName()).toList());
  }

  private static PodSpec pod() {
    return ((StatefulSet) OBJECTS.get(0)).getSpec().getTemplate().getSpec();
  }

  private static Container proxy() {
    return pod().getInitContainers().get(0);
  }

  private static String path(Probe probe) {
    return probe.getHttpGet().getPath();
  }
}
