package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.Tool;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.settings.Setting;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What the build makes runs where it is unpacked: the tar.gz, and what the image has. */
@ExtendWith(KafkaExtension.class)
class ShippedIT {

  private static final String APP = "shipped";
  private static final Path ELSEWHERE = Path.of("/");

  private static final Pattern LINK = Pattern.compile("]\\(([^)]+)\\)");
  @TempDir private static Path folder;
  @TempDir private Path work;
  private static Shipped shipped;

  @BeforeAll
  static void unpack() {
    shipped = Shipped.unpackInto(folder);
  }

  @Test
  void theStartScriptRunsTheProxyFromAnyFolderAndThroughALink(KafkaBroker kafka)
      throws IOException {
    Path link = Files.createSymbolicLink(work.resolve("ari-proxy"), script());
    aCallFlowsUntilSigterm(
        List.of(link.toString()), List.of(link.toString(), "--health"), Map.of(), kafka);
    Files.delete(link);
  }

  /**
   * The same steps as in the image, without an engine; on the way, an archive of classes that fits
   * is used, and one that does not is left alone.
   */
  @Test
  @FullRun("jlink makes a Java")
  void theImagesEntryPointRunsTheProxyOnTheImagesJavaWithItsClassArchive(KafkaBroker kafka)
      throws IOException {
    Path java = work.resolve("jre");
    Shipped.run(
        Map.of("JAVA_TOOL_OPTIONS", ProxyProcess.LITTLE_CPU),
        "docker/jre",
        folder.toString(),
        java.toString());
    Map<String, String> onIt = Map.of("JAVA_HOME", java.toString());
    archiveClasses(onIt);
    assertIsUsed(onIt);
    Dockerfile image = Dockerfile.read(Path.of("docker", "Dockerfile"));
    Map<String, String> paths =
        Map.of("/opt/jre", java.toString(), "/opt/ari-proxy", folder.toString());
    Map<String, String> environment = new HashMap<>(Dockerfile.at(paths, image.environment()));
    // its library is native
    environment.put(Setting.CALLCONTEXT_STORE.environmentVariable(), "jdbc");
    environment.put(
        Setting.CALLCONTEXT_JDBC_URL.environmentVariable(),
        "jdbc:sqlite:" + work.resolve("call-contexts.db"));

    aCallFlowsUntilSigterm(
        Dockerfile.at(paths, image.entryPoint()),
        Dockerfile.at(paths, image.healthCheck()),
        environment,
        kafka);
    assertThat(work.resolve("call-contexts.db")).exists();
    assertIsLeftAloneAfterAnUpgrade(onIt);
  }

  private static void assertIsUsed(Map<String, String> environment) {
    assertThat(Shipped.run(showingClasses(environment), script().toString(), "--version"))
        .contains("io.retel.ariproxy.AriProxy source: shared objects file (top)");
  }

  private static void assertIsLeftAloneAfterAnUpgrade(Map<String, String> environment)
      throws IOException {
    Files.setLastModifiedTime(
        shipped.file("ari-proxy.jar"), FileTime.from(Instant.parse("2026-01-01T00:00:00Z")));
    assertThat(Shipped.run(environment, script().toString(), "--version").lines())
        .singleElement(STRING)
        .startsWith("ari-proxy 0.1.0");
    assertThat(Shipped.run(showingClasses(environment), script().toString(), "--version"))
        .containsPattern("io.retel.ariproxy.AriProxy source: (?!shared)");
  }

  private static Map<String, String> showingClasses(Map<String, String> environment) {
    Map<String, String> all = new HashMap<>(environment);
    all.put("JAVA_OPTS", "-Xlog:class+load:stdout");
    return all;
  }

  /** While a proxy has the management port that is set. */
  private static void archiveClasses(Map<String, String> environment) throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      Map<String, String> all = new HashMap<>(environment);
      all.put("JAVA_TOOL_OPTIONS", ProxyProcess.LITTLE_CPU);
      all.put(
          Setting.MANAGEMENT_PORT.environmentVariable(), Integer.toString(taken.getLocalPort()));
      Shipped.run(all, script().toString(), "--archive-classes");
    }
    assertThat(shipped.file("ari-proxy.jsa")).exists();
  }

  /** Built again, it has the same bytes. */
  @Test
  void theTarGzTellsNothingOfWhoHasBuiltItAndWhen() {
    String listed =
        Shipped.run(
            Map.of("TZ", "UTC"),
            "tar",
            "--numeric-owner",
            "--full-time",
            "-tvzf",
            Shipped.archive().toString());
    assertThat(listed.lines()).hasSizeGreaterThan(50).allMatch(entry -> entry.contains(" 0/0 "));
    assertThat(
            listed.lines().map(entry -> entry.replaceAll(".* (\\S+ 00:00:00) .*", "$1")).distinct())
        .as("times of the files")
        .hasSize(1);
  }

  @Test
  void everyLinkOfItsReadmeLeadsSomewhereInIt() throws IOException {
    List<String> links =
        LINK.matcher(Files.readString(shipped.file("README.md")))
            .results()
            .map(link -> link.group(1))
            .filter(link -> !link.startsWith("http") && !link.startsWith("#"))
            .toList();
    assertThat(links)
        .contains("monitoring/alerts.yml", "monitoring/ari-proxy.json", "api/asyncapi.yaml")
        .allSatisfy(link -> assertThat(shipped.file(link)).exists());
  }

  @Test
  void prometheusTakesWhatIsUnderMonitoring() {
    String monitoring = shipped.file("monitoring").toString();
    Tool.Result checked = Tool.PROMTOOL.run("check", "config", monitoring + "/prometheus.yml");
    assertThat(checked.printed()).contains("1 rule files found");
    assertThat(checked.exitCode()).isZero();
    Tool.Result tested = Tool.PROMTOOL.run("test", "rules", monitoring + "/alerts.test.yml");
    assertThat(tested.exitCode()).as(tested.printed()).isZero();
  }

  @Test
  void helpNamesEverySettingThatIsRequired() {
    List<String> required =
        Arrays.stream(Setting.values())
            .filter(setting -> setting.defaultValue() == null)
            .map(Setting::environmentVariable)
            .toList();
    assertThat(Shipped.run(Map.of(), script().toString(), "--help"))
        .contains("Exit codes")
        .contains(required);
  }

  @Test
  void versionIsThatOfTheBuild() {
    assertThat(Shipped.run(Map.of(), script().toString(), "--version"))
        .matches("ari-proxy \\d+\\.\\d+\\.\\d+\\S*, Java \\d+.*\\n");
  }

  @Test
  void anArgumentThatIsNoneIsNamed() {
    Shipped.Ended ended =
        Shipped.runToItsEnd(ELSEWHERE, Map.of(), List.of(script().toString(), "--verison"));
    assertThat(ended.exitCode()).isEqualTo(64);
    assertThat(ended.printed()).hasLineCount(1).contains("'--verison'").contains("--help");
  }

  @Test
  void aJavaThatIsMissingIsNamed() {
    Shipped.Ended ended =
        Shipped.runToItsEnd(
            ELSEWHERE, Map.of("JAVA_HOME", "/no/java"), List.of(script().toString(), "--version"));
    assertThat(ended.exitCode()).isEqualTo(78);
    assertThat(ended.printed()).hasLineCount(1).contains("/no/java/bin/java");
  }

  @Test
  void aJavaThatIsTooOldIsNamed() throws IOException {
    Path old = Files.createDirectories(work.resolve("bin")).resolve("java");
    Files.writeString(old, "#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n");
    assertThat(old.toFile().setExecutable(true)).isTrue();
    Shipped.Ended ended =
        Shipped.runToItsEnd(
            ELSEWHERE, Map.of("JAVA_HOME", work.toString()), List.of(script().toString()));
    assertThat(ended.exitCode()).isEqualTo(78);
    assertThat(ended.printed()).hasLineCount(1).contains("is Java 11").contains("17 or later");
  }

  private void aCallFlowsUntilSigterm(
      List<String> command, List<String> health, Map<String, String> environment, KafkaBroker kafka)
      throws IOException {
    Path log = work.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.MANAGEMENT_PORT, Integer.toString(ManagementClient.freePort()));
      Map<String, String> all = new HashMap<>(settings.environment());
      all.putAll(environment);
      all.merge("JAVA_OPTS", ProxyProcess.LITTLE_CPU, (ofImage, more) -> ofImage + " " + more);
      // as systemd, Compose and Kubernetes hand it over
      Path password = Files.writeString(work.resolve("ari-password"), asterisk.password() + "\n");
      all.remove(Setting.ARI_PASSWORD.environmentVariable());
      all.put(Setting.ARI_PASSWORD.environmentVariable() + "_FILE", password.toString());
      try (ProxyProcess proxy = ProxyProcess.start(command, all, ELSEWHERE, log);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        SimulatedCall call = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "the-call"));
        controller.event("the-call", "STASIS_START", payload -> true);
        assertThat(
                controller
                    .ask("the-call", "POST", "/channels/" + call.id() + "/answer")
                    .path("status_code")
                    .asInt())
            .isEqualTo(204);
        Shipped.Ended alive = Shipped.runToItsEnd(folder, all, health);
        assertThat(alive.exitCode()).as(alive.printed()).isZero();

        assertThat(proxy.terminate()).isEqualTo(143);

        Shipped.Ended gone = Shipped.runToItsEnd(folder, all, health);
        assertThat(gone.exitCode()).isEqualTo(1);
        assertThat(gone.printed())
            .hasLineCount(1)
            .contains("/observe/health/live does not answer: ");
      }
    }
    assertThat(Files.readString(log)).doesNotContain(" ERROR ").doesNotContain("\tat ");
  }

  private static Path script() {
    return shipped.file("bin/ari-proxy");
  }

  /** What a Dockerfile says of how its image runs. */
  private record Dockerfile(
      List<String> entryPoint, List<String> healthCheck, Map<String, String> environment) {

    static Dockerfile read(Path file) throws IOException {
      List<String> lines = Files.readAllLines(file);
      return new Dockerfile(
          command(argumentOf("ENTRYPOINT", lines)),
          // the second line of HEALTHCHECK
          command(argumentOf("    CMD", lines)),
          argumentOf("ENV", lines).stream()
              .map(variable -> variable.split("=", 2))
              .collect(Collectors.toMap(variable -> variable[0], variable -> variable[1])));
    }

    private static List<String> command(List<String> execForm) throws IOException {
      assertThat(execForm).hasSize(1);
      return List.of(new ObjectMapper().readValue(execForm.get(0), String[].class));
    }

    private static List<String> argumentOf(String instruction, List<String> lines) {
      return lines.stream()
          .filter(line -> line.startsWith(instruction + " "))
          .map(line -> line.substring(instruction.length()).strip())
          .toList();
    }

    static List<String> at(Map<String, String> paths, List<String> command) {
      return command.stream().map(argument -> at(paths, argument)).toList();
    }

    static Map<String, String> at(Map<String, String> paths, Map<String, String> environment) {
      return environment.entrySet().stream()
          .collect(Collectors.toMap(Map.Entry::getKey, entry -> at(paths, entry.getValue())));
    }

    private static String at(Map<String, String> paths, String text) {
      for (Map.Entry<String, String> path : paths.entrySet()) {
        text = text.replace(path.getKey(), path.getValue());
      }
      return text;
    }
  }
}
