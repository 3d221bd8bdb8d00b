// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyIngressRule;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.openshift.api.model.monitoring.v1.PodMonitor;
import io.fabric8.openshift.api.model.monitoring.v1.PrometheusRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The Kubernetes manifests, checked without a cluster. {@code -Dgolden.update} rewrites the alerts.
 */
class KubernetesTest {

  private static final Path FOLDER = Path.of("docker", "kubernetes");
  private static final Path BASE = FOLDER.resolve("base");
  private static final Path RULES = FOLDER.resolve("prometheus-operator/prometheus-rule.yaml");
  private static final Path DEPLOY = Path.of("docs", "deploy.md");
  private static final String KUSTOMIZATION = "kustomization.yaml";

  /** The limit of the proxy's hook. */
  private static final int HOOK_SECONDS = 10;

  /** For Asterisk to stop after its calls have ended. */
  private static final int ASTERISK_STOP_SECONDS = 20;

  private static final Map<String, Class<? extends HasMetadata>> KINDS =
      Map.of(
          "StatefulSet", StatefulSet.class,
          "Service", Service.class,
          "NetworkPolicy", NetworkPolicy.class,
          "PodDisruptionBudget", PodDisruptionBudget.class,
          "PodMonitor", PodMonitor.class,
          "PrometheusRule", PrometheusRule.class);

  private static final YAMLMapper YAML = new YAMLMapper();

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

  private static final Map<String, JsonNode> DOCUMENTS = new TreeMap<>();
  private static final Map<String, HasMetadata> OBJECTS = new TreeMap<>();
  private static final Map<Path, Kustomization> KUSTOMIZATIONS = new TreeMap<>();

  @BeforeAll
  static void read() throws IOException {
    if (System.getProperty("golden.update") != null) {
      Files.writeString(RULES, prometheusRule());
    }
    for (Path file : files()) {
      if (file.endsWith(KUSTOMIZATION)) {
        KUSTOMIZATIONS.put(file.getParent(), Kustomization.read(file.getParent()));
      } else if (file.toString().endsWith(".yaml")) {
        JsonNode document = YAML.readTree(file.toFile());
        DOCUMENTS.put(document.path("kind").asText(), document);
        OBJECTS.put(document.path("kind").asText(), parse(document));
      }
    }
  }

  @Test
  void everyFieldIsInKubernetesSchema() throws IOException {
    assertThat(OBJECTS).containsOnlyKeys(KINDS.keySet());
    assertThat(OBJECTS)
        .allSatisfy(
            (kind, object) ->
                assertThat(object.getApiVersion())
                    .isEqualTo(DOCUMENTS.get(kind).path("apiVersion").asText()));
    for (Kustomization kustomization : KUSTOMIZATIONS.values()) {
      for (Kustomization.Patch patch : kustomization.patches()) {
        assertThat(parse(patch.object())).isNotNull();
      }
    }
  }

  @Test
  void rejectsUnknownFieldAndMistypedOne() {
    ObjectNode unknown = DOCUMENTS.get("StatefulSet").deepCopy();
    ((ObjectNode) unknown.at("/spec/template/spec/initContainers/0")).putObject("readynessProbe");
    assertThatThrownBy(() -> parse(unknown))
        .isInstanceOf(UnrecognizedPropertyException.class)
        .hasMessageContaining("readynessProbe");
    ObjectNode mistyped = DOCUMENTS.get("StatefulSet").deepCopy();
    ((ObjectNode) mistyped.path("spec")).put("replicas", "several");
    assertThatThrownBy(() -> parse(mistyped)).hasMessageContaining("several");
  }

  @Test
  void everyFileIsInItsKustomizationAndEveryReferenceExists() throws IOException {
    assertThat(KUSTOMIZATIONS).hasSize(4);
    for (Map.Entry<Path, Kustomization> entry : KUSTOMIZATIONS.entrySet()) {
      Path folder = entry.getKey();
      assertThat(entry.getValue().references())
          .allSatisfy(
              reference ->
                  assertThat(
                          reference.matches(".*\\.(yaml|env)")
                              ? folder.resolve(reference)
                              : folder.resolve(reference).resolve(KUSTOMIZATION))
                      .isRegularFile())
          .as("kustomize rejects a folder within the one to which it refers")
          .noneMatch(reference -> folder.startsWith(folder.resolve(reference).normalize()));
      assertThat(
              files().stream()
                  .filter(file -> file.getParent().equals(folder) && !file.endsWith(KUSTOMIZATION)))
          .isSubsetOf(entry.getValue().references().map(folder::resolve).toList());
    }
  }

  @Test
  void overlaysReferToNamesOfTheBase() throws IOException {
    List<String> images =
        containers().stream().map(container -> container.getImage().replaceAll(":.*", "")).toList();
    List<String> containers = containers().stream().map(Container::getName).toList();
    Kustomization base = KUSTOMIZATIONS.get(BASE);
    for (Kustomization overlay : KUSTOMIZATIONS.values()) {
      assertThat(overlay.images()).extracting(Kustomization.Image::name).isSubsetOf(images);
      assertThat(overlay.replicas())
          .extracting(Kustomization.Replicas::name)
          .isSubsetOf(metadataName("StatefulSet"));
      assertThat(overlay.configMapGenerator())
          .extracting(Kustomization.ConfigMapGenerator::name)
          .isSubsetOf(base.configMapGenerator().get(0).name());
      for (Kustomization.Patch patch : overlay.patches()) {
        StatefulSet patched = (StatefulSet) parse(patch.object());
        assertThat(patched.getMetadata().getName())
            .isEqualTo(patch.target().get("name"))
            .isEqualTo(metadataName("StatefulSet"));
        assertThat(patched.getSpec().getTemplate().getSpec().getInitContainers())
            .extracting(Container::getName)
            .isSubsetOf(containers);
      }
    }
    assertThat(proxy().getEnvFrom())
        .extracting(source -> source.getConfigMapRef().getName())
        .containsExactly(base.configMapGenerator().get(0).name());
  }

  @Test
  void editedRoutesReplaceThoseOfTheImage() throws IOException {
    Kustomization component = KUSTOMIZATIONS.get(FOLDER.resolve("edited-routes"));
    StatefulSet patch = (StatefulSet) parse(component.patches().get(0).object());
    PodSpec pod = patch.getSpec().getTemplate().getSpec();
    VolumeMount mount = pod.getInitContainers().get(0).getVolumeMounts().get(0);
    assertThat(mount.getMountPath()).isEqualTo(workingDirectory() + "/routes");
    assertThat(mount.getSubPath()).as("is never updated").isNull();
    assertThat(pod.getVolumes()).extracting(Volume::getName).containsExactly(mount.getName());
    try (Stream<Path> routes = Files.list(Path.of("routes"))) {
      assertThat(
              Pattern.compile("- (routes/.*)\n")
                  .matcher(Files.readString(DEPLOY))
                  .results()
                  .map(file -> file.group(1)))
          .as("the documented ConfigMap, which replaces the folder")
          .containsExactlyInAnyOrderElementsOf(routes.map(Path::toString).toList());
    }
  }

  @Test
  void everyProxyVariableIsASetting() throws IOException {
    List<String> names = new ArrayList<>(settings().keySet());
    proxy().getEnv().stream()
        .map(EnvVar::getName)
        .filter(name -> !name.startsWith("POD_"))
        .forEach(names::add);
    EnvironmentVariables.assertAllAreSettings(names);
    EnvironmentVariables.assertContainsRequired(names, false);
    assertThat(
            KUSTOMIZATIONS.get(FOLDER.resolve("example")).configMapGenerator().stream()
                .flatMap(generator -> generator.literals().stream())
                .map(literal -> literal.replaceAll("=.*", "")))
        .as("replaces settings of the base")
        .isNotEmpty()
        .isSubsetOf(settings().keySet());
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
    assertThat(DOCUMENTS.get("PodMonitor").at("/spec/podMetricsEndpoints/0/path").asText())
        .isEqualTo("/observe/metrics");
  }

  @Test
  void gracePeriodIsDrainAndStops() throws IOException {
    long seconds = drainSeconds() + ASTERISK_STOP_SECONDS + ShutdownTimes.maxDuration().toSeconds();
    assertThat(pod().getTerminationGracePeriodSeconds()).isEqualTo(seconds);
    assertThat(Files.readString(DEPLOY))
        .contains(
            "`DRAIN_SECONDS`, %d s.".formatted(drainSeconds()),
            "is the sum, %d s,".formatted(seconds));
  }

  /** It does not wait for calls, which continue in Asterisk. */
  @Test
  void hungProxyIsKilledAfterItsOwnTimeouts() {
    assertThat(Stream.of(proxy().getStartupProbe(), proxy().getLivenessProbe()))
        .extracting(Probe::getTerminationGracePeriodSeconds)
        .containsOnly(HOOK_SECONDS + ShutdownTimes.maxDuration().toSeconds());
  }

  @Test
  void proxyPausesGenericCommandsBeforeItEnds() throws IOException {
    List<String> hook = hook(proxy());
    assertThat(hook).startsWith("timeout", Integer.toString(HOOK_SECONDS), "bash", "-c");
    assertThat(hook.get(4))
        .contains("\"operation\": \"pauseGeneric\"", "/observe/jolokia", "/9000\n");
    assertThat(settings()).containsEntry("MANAGEMENT_JOLOKIA", "true");
  }

  /** An Asterisk whose console fails, responds with nothing and hangs before the call ends. */
  @Test
  void asteriskDrainsUntilItReportsNoChannel(@TempDir Path work) throws Exception {
    fakeAsterisk(
        work,
        "exit 1",
        "",
        "exec sleep 60",
        "echo 1 active channel",
        "echo 10 active channels",
        "echo 0 active channels");
    assertThat(drain(work, 30)).isEqualTo(0);
    // a busy machine can make a call last too long
    assertThat(work.resolve("calls")).content().matches("\\.{6,}");
  }

  @Test
  void asteriskThatHangsDrainsForLimitedTime(@TempDir Path work) throws Exception {
    fakeAsterisk(work, "exec sleep 60");
    assertThat(drain(work, 1)).isEqualTo(0);
  }

  /**
   * Writes a program {@code asterisk} that counts its calls.
   *
   * @param commands of the first call and so on; the last one also of all later ones
   */
  private static void fakeAsterisk(Path work, String... commands) throws IOException {
    StringBuilder script =
        new StringBuilder(
            "#!/bin/bash\ncd %s\nprintf . >>calls\ncase $(cat calls) in\n".formatted(work));
    for (int i = 1; i < commands.length; i++) {
      script.append("%s) %s;;\n".formatted(".".repeat(i), commands[i - 1]));
    }
    script.append("*) %s;;\nesac\n".formatted(commands[commands.length - 1]));
    Path program = Files.writeString(work.resolve("asterisk"), script);
    assertThat(program.toFile().setExecutable(true)).isTrue();
  }

  /** Runs the hook of Asterisk, with shorter times, and returns its exit code. */
  private static int drain(Path work, int drainSeconds) throws Exception {
    String hook = hook(pod().getContainers().get(0)).get(2);
    Map<String, String> shorter =
        Map.of("sleep 5\n", "", "timeout 5 ", "timeout 0.5 ", "sleep 1\n", "sleep 0.1\n");
    for (Map.Entry<String, String> entry : shorter.entrySet()) {
      assertThat(hook).contains(entry.getKey());
      hook = hook.replace(entry.getKey(), entry.getValue());
    }
    ProcessBuilder shell = new ProcessBuilder("sh", "-c", hook).redirectErrorStream(true);
    shell.environment().put("PATH", work + ":" + System.getenv("PATH"));
    shell.environment().put("DRAIN_SECONDS", Integer.toString(drainSeconds));
    Process process = shell.redirectOutput(work.resolve("output").toFile()).start();
    try {
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).as("the hook ends").isTrue();
      return process.exitValue();
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  /** Numbers: the proxy is an init container, where a network plugin may not look up names. */
  @Test
  void networkPolicyOpensThePortsOfThePod() {
    List<NetworkPolicyIngressRule> rules =
        ((NetworkPolicy) OBJECTS.get("NetworkPolicy")).getSpec().getIngress();
    assertThat(rules.stream().flatMap(rule -> rule.getPorts().stream()))
        .filteredOn(port -> port.getEndPort() == null)
        .extracting(port -> port.getProtocol() + " " + port.getPort().getValue())
        .containsExactlyInAnyOrderElementsOf(
            containers().stream()
                .flatMap(container -> container.getPorts().stream())
                .map(
                    port ->
                        Objects.requireNonNullElse(port.getProtocol(), "TCP")
                            + " "
                            + port.getContainerPort())
                .toList());
    // in one entry, or each alone would be enough
    assertThat(rules)
        .filteredOn(rule -> !rule.getFrom().isEmpty())
        .singleElement()
        .satisfies(
            rule ->
                assertThat(rule.getFrom())
                    .singleElement()
                    .hasNoNullFieldsOrPropertiesExcept("ipBlock", "additionalProperties"));
  }

  @Test
  void podIsReplacedOnlyByAnOperatorAndOneAtATime() {
    assertThat(statefulSet().getSpec().getUpdateStrategy().getType()).isEqualTo("OnDelete");
    assertThat(
            ((PodDisruptionBudget) OBJECTS.get("PodDisruptionBudget"))
                .getSpec()
                .getMaxUnavailable()
                .getIntVal())
        .isOne();
  }

  @Test
  void everySelectorMatchesThePod() {
    Map<String, String> labels = statefulSet().getSpec().getTemplate().getMetadata().getLabels();
    assertThat(
            Stream.of(
                DOCUMENTS.get("StatefulSet").at("/spec/selector/matchLabels"),
                DOCUMENTS
                    .get("StatefulSet")
                    .at(
                        "/spec/template/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/0"
                            + "/podAffinityTerm/labelSelector/matchLabels"),
                DOCUMENTS.get("Service").at("/spec/selector"),
                DOCUMENTS.get("NetworkPolicy").at("/spec/podSelector/matchLabels"),
                DOCUMENTS.get("PodDisruptionBudget").at("/spec/selector/matchLabels"),
                DOCUMENTS.get("PodMonitor").at("/spec/selector/matchLabels")))
        .allSatisfy(selector -> assertThat(selector).isEqualTo(YAML.valueToTree(labels)));
    assertThat(statefulSet().getSpec().getServiceName()).isEqualTo(metadataName("Service"));
  }

  @Test
  void proxyRunsAsUserOfTheImageWithoutRights() throws IOException {
    String user =
        proxy().getSecurityContext().getRunAsUser()
            + ":"
            + proxy().getSecurityContext().getRunAsGroup();
    assertThat(Files.readString(Path.of("docker", "Dockerfile"))).contains("\nUSER " + user + "\n");
    assertThat(proxy().getSecurityContext().getReadOnlyRootFilesystem()).isTrue();
    assertThat(containers())
        .allSatisfy(
            container -> {
              assertThat(container.getSecurityContext().getAllowPrivilegeEscalation()).isFalse();
              assertThat(container.getSecurityContext().getCapabilities().getDrop())
                  .containsExactly("ALL");
            });
    assertThat(pod().getSecurityContext().getRunAsNonRoot()).isTrue();
  }

  @Test
  void proxyCanReadSecretsAndOthersCannot() {
    Volume secrets =
        pod().getVolumes().stream()
            .filter(volume -> volume.getSecret() != null)
            .findAny()
            .orElseThrow();
    assertThat(secrets.getSecret().getDefaultMode()).isEqualTo(0440);
    assertThat(pod().getSecurityContext().getFsGroup())
        .isEqualTo(proxy().getSecurityContext().getRunAsGroup());
    String mountPath =
        proxy().getVolumeMounts().stream()
            .filter(mount -> mount.getName().equals(secrets.getName()))
            .findAny()
            .orElseThrow()
            .getMountPath();
    assertThat(pod().getContainers())
        .as("the group applies to all containers: others do not mount it")
        .flatExtracting(Container::getVolumeMounts)
        .extracting(VolumeMount::getName)
        .doesNotContain(secrets.getName());
    assertThat(proxy().getEnv())
        .filteredOn(variable -> variable.getName().endsWith("_FILE"))
        .isNotEmpty()
        .allMatch(variable -> variable.getValue().startsWith(mountPath + "/"));
  }

  @Test
  void everyMountedVolumeExists() {
    assertThat(pod().getVolumes())
        .extracting(Volume::getName)
        .containsAll(proxy().getVolumeMounts().stream().map(VolumeMount::getName).toList());
  }

  @Test
  void imageHasVersionOfTheBuild() throws IOException {
    String version =
        Files.readString(Path.of("pom.xml"))
            .lines()
            .filter(line -> line.startsWith("  <version>"))
            .map(line -> line.replaceAll("</?version>", "").strip())
            .findFirst()
            .orElseThrow();
    assertThat(proxy().getImage()).isEqualTo("ari-proxy:" + version);
    assertThat(
            Pattern.compile("ari-proxy:(\\d[\\w.-]*)").matcher(Files.readString(DEPLOY)).results())
        .extracting(tag -> tag.group(1))
        .isNotEmpty()
        .containsOnly(version);
  }

  /** Nodes would otherwise continue with an older image of the same tag. */
  @Test
  void exampleNamesTheCommitOfTheImage() {
    assertThat(KUSTOMIZATIONS.get(FOLDER.resolve("example")).images())
        .filteredOn(image -> image.name().equals("ari-proxy"))
        .singleElement()
        .satisfies(image -> assertThat(image.newTag()).matches("[0-9a-f]{8}"));
  }

  @Test
  void alertsAreThoseOfPrometheus() throws IOException {
    assertThat(Files.readString(RULES))
        .as("%s; -Dgolden.update rewrites it", RULES)
        .isEqualTo(prometheusRule());
    assertThat(DOCUMENTS.get("PrometheusRule").path("spec"))
        .isEqualTo(YAML.readTree(PromQlQuery.ALERTS.toFile()));
  }

  private static String prometheusRule() throws IOException {
    String header =
        """
        # Written by ./mvnw test -Dtest=KubernetesTest -Dgolden.update from docker/prometheus/alerts.yml
        apiVersion: monitoring.coreos.com/v1
        kind: PrometheusRule
        metadata:
          name: ari-proxy
        spec:
        """;
    return Files.readString(PromQlQuery.ALERTS)
        .lines()
        .dropWhile(line -> line.startsWith("#"))
        .map(line -> line.isEmpty() ? line : "  " + line)
        .collect(Collectors.joining("\n", header, "\n"));
  }

  private static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.walk(FOLDER)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private static HasMetadata parse(JsonNode document) throws IOException {
    return STRICT.treeToValue(document, KINDS.get(document.path("kind").asText()));
  }

  private static Map<String, String> settings() throws IOException {
    return Files.readString(BASE.resolve("settings.env"))
        .lines()
        .filter(line -> !line.startsWith("#"))
        .map(line -> line.split("=", 2))
        .collect(Collectors.toMap(variable -> variable[0], variable -> variable[1]));
  }

  private static String workingDirectory() throws IOException {
    return Files.readString(Path.of("docker", "Dockerfile"))
        .lines()
        .filter(line -> line.startsWith("WORKDIR "))
        .map(line -> line.replace("WORKDIR ", ""))
        .reduce((first, last) -> last)
        .orElseThrow();
  }

  private static String metadataName(String kind) {
    return OBJECTS.get(kind).getMetadata().getName();
  }

  private static StatefulSet statefulSet() {
    return (StatefulSet) OBJECTS.get("StatefulSet");
  }

  private static PodSpec pod() {
    return statefulSet().getSpec().getTemplate().getSpec();
  }

  private static List<Container> containers() {
    return Stream.of(pod().getInitContainers(), pod().getContainers())
        .flatMap(List::stream)
        .toList();
  }

  private static Container proxy() {
    return pod().getInitContainers().get(0);
  }

  private static List<String> hook(Container container) {
    return container.getLifecycle().getPreStop().getExec().getCommand();
  }

  private static int drainSeconds() {
    return pod().getContainers().get(0).getEnv().stream()
        .filter(variable -> variable.getName().equals("DRAIN_SECONDS"))
        .mapToInt(variable -> Integer.parseInt(variable.getValue()))
        .findAny()
        .orElseThrow();
  }

  private static String path(Probe probe) {
    return probe.getHttpGet().getPath();
  }
}
