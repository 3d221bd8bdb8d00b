// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.callcontext.store.JdbcStoreProvider;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.StoreType;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.Tool;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import io.retel.ariproxy.fixtures.docs.RouteEditExample;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import javax.tools.ToolProvider;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The tar.gz and the content of the image run from where they are unpacked. */
@ExtendWith(KafkaExtension.class)
class DistributionIT {

  private static final String APP = "shipped";
  private static final Path OTHER_DIRECTORY = Path.of("/");

  @TempDir private static Path folder;
  @TempDir private Path work;
  private static Distribution distribution;

  @BeforeAll
  static void unpack() {
    distribution = Distribution.unpack(folder);
  }

  @Test
  void startScriptRunsFromAnyFolderThroughSymlink(KafkaBroker kafka) throws IOException {
    Path link = Files.createSymbolicLink(work.resolve("ari-proxy"), script());
    assertCallFlowsUntilSigterm(
        List.of(link.toString()), List.of(link.toString(), "--health"), Map.of(), kafka);
    Files.delete(link);
  }

  /**
   * Runs the steps of the image without a container engine. Also checks that a matching class
   * archive is used and a stale one ignored.
   */
  @Test
  @FullRun("jlink creates a Java runtime")
  void imageEntryPointRunsWithJlinkedJavaAndClassArchive(KafkaBroker kafka) throws IOException {
    Path java = work.resolve("jre");
    Distribution.run(
        Map.of("JAVA_TOOL_OPTIONS", ProxyProcess.LOW_CPU_OPTIONS),
        "docker/jre",
        folder.toString(),
        java.toString());
    Map<String, String> withJava = Map.of("JAVA_HOME", java.toString());
    archiveClasses(withJava);
    assertArchiveIsUsed(withJava);
    Dockerfile image = Dockerfile.read(Path.of("docker", "Dockerfile"));
    Map<String, String> paths =
        Map.of("/opt/jre", java.toString(), "/opt/ari-proxy", folder.toString());
    Map<String, String> environment =
        new HashMap<>(Dockerfile.withPaths(paths, image.environment()));
    // its driver has a native library
    environment.put(Setting.CALLCONTEXT_STORE.environmentVariable(), "jdbc");
    environment.put(
        JdbcStoreProvider.URL.environmentVariable(),
        "jdbc:sqlite:" + work.resolve("call-contexts.db"));

    assertCallFlowsUntilSigterm(
        Dockerfile.withPaths(paths, image.entryPoint()),
        Dockerfile.withPaths(paths, image.healthCheck()),
        environment,
        kafka);
    assertThat(work.resolve("call-contexts.db")).exists();
    assertArchiveIsIgnoredAfterUpgrade(withJava);
  }

  private static void assertArchiveIsUsed(Map<String, String> environment) {
    assertThat(Distribution.run(withClassLoadLog(environment), script().toString(), "--version"))
        .contains("io.retel.ariproxy.AriProxy source: shared objects file (top)");
  }

  private static void assertArchiveIsIgnoredAfterUpgrade(Map<String, String> environment)
      throws IOException {
    Files.setLastModifiedTime(
        distribution.file("ari-proxy.jar"), FileTime.from(Instant.parse("2026-01-01T00:00:00Z")));
    assertThat(Distribution.run(environment, script().toString(), "--version").lines())
        .singleElement(STRING)
        .startsWith("ari-proxy 0.1.0");
    assertThat(Distribution.run(withClassLoadLog(environment), script().toString(), "--version"))
        .containsPattern("io.retel.ariproxy.AriProxy source: (?!shared)");
  }

  private static Map<String, String> withClassLoadLog(Map<String, String> environment) {
    Map<String, String> all = new HashMap<>(environment);
    all.put("JAVA_OPTS", "-Xlog:class+load:stdout");
    return all;
  }

  /** Archives classes while another process occupies the configured management port. */
  private static void archiveClasses(Map<String, String> environment) throws IOException {
    try (ServerSocket occupied = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      Map<String, String> all = new HashMap<>(environment);
      all.put("JAVA_TOOL_OPTIONS", ProxyProcess.LOW_CPU_OPTIONS);
      all.put(
          Setting.MANAGEMENT_PORT.environmentVariable(), Integer.toString(occupied.getLocalPort()));
      Distribution.run(all, script().toString(), "--archive-classes");
    }
    assertThat(distribution.file("ari-proxy.jsa")).exists();
  }

  @Test
  void checksAndTriesFoldersOfTheCaller() throws IOException {
    Path own = Files.createDirectory(work.resolve("own"));
    Files.copy(
        distribution.file("examples/routes/webhook.camel.yaml"), own.resolve("own.camel.yaml"));
    Files.copy(
        distribution.file("examples/messages/stasis-start.json"), work.resolve("event.json"));

    Distribution.Result check = inWork("check", "own");
    assertThat(check.exitCode()).as(check.output()).isZero();
    assertThat(check.output())
        .endsWith("/own/own.camel.yaml: ok, webhook\nAll 1 files would load\n");
    Distribution.Result dryRun = inWork("try", "own", "--event", "event.json");
    assertThat(dryRun.exitCode()).as(dryRun.output()).isZero();
    assertThat(dryRun.output()).endsWith("1 sent, no step failed\n");

    // not the routes of the distribution
    Distribution.Result missing = inWork("check", "routes");
    assertThat(missing.exitCode()).isEqualTo(64);
    assertThat(missing.output())
        .hasLineCount(1)
        .startsWith("ari-proxy: cannot read the folder ")
        .contains(work + "/routes");
    assertThat(inWork("try", "own", "--event", "missing.json").output())
        .hasLineCount(1)
        .contains("missing.json");
    assertThat(inWork("try", "own").exitCode()).isEqualTo(64);
  }

  /** As docs/deploy.md#merge-routes shows. */
  @Test
  void mergesEditedRouteWithShippedChange() throws IOException {
    Path before = distribution.file("share/routes/events.camel.yaml");
    assertThat(before)
        .hasSameBinaryContentAs(distribution.file("routes/events.camel.yaml"))
        .hasSameBinaryContentAs(Path.of("routes/events.camel.yaml"));
    RoutesDirectory own = RoutesDirectory.copyTo(Files.createDirectory(work.resolve("own")));
    RouteEditExample.ofSteps("drop-event-type.yaml").applyTo(own);
    Path mine = own.path().resolve("events.camel.yaml");
    Path now = work.resolve("now.yaml");
    String shipped = Files.readString(before);

    Files.writeString(now, shipped.replace("timeout: 5000", "timeout: 6000"));
    Distribution.Result merged = merge(mine, before, now);
    assertThat(merged.exitCode()).isZero();
    assertThat(merged.output()).contains("id: unwanted-event", "timeout: 6000");
    Path folder = Files.createDirectory(work.resolve("merged"));
    Files.writeString(folder.resolve("events.camel.yaml"), merged.output());
    assertThat(inWork("check", "merged").exitCode()).isZero();

    Files.writeString(
        now,
        shipped.replace(
            "            ref: resolveCallContext\n", "            ref: resolveOther\n"));
    Files.writeString(
        mine,
        shipped.replace("            ref: resolveCallContext\n", "            ref: resolveMine\n"));
    Distribution.Result conflict = merge(mine, before, now);
    assertThat(conflict.exitCode()).isOne();
    assertThat(conflict.output()).contains("<<<<<<<", ">>>>>>>");
    Files.writeString(folder.resolve("events.camel.yaml"), conflict.output());
    Distribution.Result check = inWork("check", "merged");
    assertThat(check.exitCode()).isOne();
    assertThat(check.output()).contains("events.camel.yaml:").contains("would not load");
  }

  private Distribution.Result merge(Path mine, Path before, Path now) {
    return Distribution.runToExit(
        work,
        Map.of(),
        List.of("git", "merge-file", "-p", mine.toString(), before.toString(), now.toString()));
  }

  private Distribution.Result inWork(String... arguments) {
    List<String> command = new ArrayList<>(List.of(script().toString()));
    command.addAll(List.of(arguments));
    return Distribution.runToExit(work, Map.of(), command);
  }

  /** The example of a compiled route, with a route file that sends to it. */
  @Test
  void loadsCompiledRouteOfLibExtra(KafkaBroker kafka) throws Exception {
    Path program = Files.createDirectory(work.resolve("with-extra"));
    Distribution.unpack(program);
    jarOfExample(Files.createDirectory(program.resolve("lib/extra")).resolve("call-counter.jar"));
    Files.writeString(
        program.resolve("routes/own.camel.yaml"),
        """
        - route:
            id: own
            from:
              uri: timer:own?repeatCount=1&delay=0
              steps:
                - setProperty:
                    name: callContext
                    constant: {expression: the-call}
                - to: seda:count-call
        """);
    Path log = work.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      Map<String, String> environment =
          new HashMap<>(ProxySettings.of(asterisk, APP, kafka).environment());
      environment.put("JAVA_OPTS", ProxyProcess.LOW_CPU_OPTIONS);
      try (ProxyProcess proxy =
          ProxyProcess.start(
              List.of(program.resolve("bin/ari-proxy").toString()), environment, work, log)) {
        asterisk.awaitConnected(APP);
        Awaitility.await("both routes run")
            .until(() -> Files.readString(log).contains("Call 1: the-call"));
        assertThat(proxy.terminate()).isEqualTo(143);
      }
    }
    assertThat(Files.readString(log))
        .contains("org.example.CallCounter loaded: [count-call]")
        .doesNotContain(" ERROR ");
  }

  private void jarOfExample(Path jar) throws IOException {
    Path example = Path.of("examples", "compiled-route", "src", "main");
    Path classes = Files.createDirectory(work.resolve("classes"));
    assertThat(
            ToolProvider.getSystemJavaCompiler()
                .run(
                    null,
                    null,
                    null,
                    "-d",
                    classes.toString(),
                    "-cp",
                    System.getProperty("java.class.path"),
                    example.resolve("java/org/example/CallCounter.java").toString()))
        .isZero();
    Path service = Path.of("META-INF", "services", "org.apache.camel.RoutesBuilder");
    Path clazz = Path.of("org", "example", "CallCounter.class");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      for (Map.Entry<Path, Path> entry :
          Map.of(service, example.resolve("resources"), clazz, classes).entrySet()) {
        out.putNextEntry(new ZipEntry(entry.getKey().toString()));
        Files.copy(entry.getValue().resolve(entry.getKey()), out);
      }
    }
  }

  /** Another build of the same commit produces identical bytes. */
  @Test
  void archiveIsReproducible() {
    String listing =
        Distribution.run(
            Map.of("TZ", "UTC"),
            "tar",
            "--numeric-owner",
            "--full-time",
            "-tvzf",
            Distribution.archive().toString());
    assertThat(listing.lines()).hasSizeGreaterThan(50).allMatch(entry -> entry.contains(" 0/0 "));
    assertThat(
            listing
                .lines()
                .map(entry -> entry.replaceAll(".* (\\S+ 00:00:00) .*", "$1"))
                .distinct())
        .as("modification times of the files")
        .hasSize(1);
  }

  /** With the same text as in the repository: pages name files of the source tree without links. */
  @Test
  void everyDocumentationLinkResolves() throws IOException {
    List<Path> pages;
    try (Stream<Path> files = Files.walk(folder)) {
      pages = files.filter(file -> file.toString().endsWith(".md")).toList();
    }
    assertThat(pages)
        .contains(
            distribution.file("README.md"),
            distribution.file("CONTRIBUTING.md"),
            distribution.file("docs/troubleshooting.md"));
    for (Path page : pages) {
      List<Path> targets =
          new MarkdownPage(page, Files.readString(page))
              .links().stream()
                  .filter(link -> !link.matches("(https?|mailto):.*") && !link.startsWith("#"))
                  .map(link -> page.resolveSibling(link.split("#")[0]))
                  .toList();
      assertThat(targets).as(page.toString()).allSatisfy(target -> assertThat(target).exists());
    }
  }

  @Test
  void prometheusAcceptsMonitoringFiles() {
    String monitoring = distribution.file("monitoring").toString();
    Tool.Result checked = Tool.PROMTOOL.run("check", "config", monitoring + "/prometheus.yml");
    assertThat(checked.output()).contains("1 rule files found");
    assertThat(checked.exitCode()).isZero();
    // PromtoolIT runs the tests of the alerts
    for (String file : List.of("alerts.yml", "alerts.test.yml")) {
      assertThat(distribution.file("monitoring/" + file))
          .hasSameBinaryContentAs(Path.of("docker", "prometheus", file));
    }
  }

  @Test
  void helpNamesEveryRequiredSetting() {
    List<String> required =
        Setting.all().stream()
            .filter(Setting::isRequired)
            .map(Setting::environmentVariable)
            .toList();
    assertThat(Distribution.run(Map.of(), script().toString(), "--help"))
        .contains("Exit codes")
        .contains(required);
  }

  /** Stores are found by a file in the jar. */
  @Test
  void containsEveryStore() {
    Map<String, String> environment = new HashMap<>();
    Setting.all().stream()
        .filter(Setting::isRequired)
        .forEach(setting -> environment.put(setting.environmentVariable(), setting.key()));
    environment.put(Setting.CALLCONTEXT_STORE.environmentVariable(), "none");
    Distribution.Result result =
        Distribution.runToExit(OTHER_DIRECTORY, environment, List.of(script().toString()));
    assertThat(result.exitCode()).as(result.output()).isEqualTo(78);
    assertThat(result.output())
        .contains(
            StoreType.all().stream()
                .map(StoreType::name)
                .collect(Collectors.joining(", ", "callcontext.store must be one of ", " (")));
  }

  @Test
  void printsBuildVersion() {
    assertThat(Distribution.run(Map.of(), script().toString(), "--version"))
        .matches("ari-proxy \\d+\\.\\d+\\.\\d+\\S*, Java \\d+.*\\n");
  }

  @Test
  void namesUnknownArgument() {
    Distribution.Result result =
        Distribution.runToExit(
            OTHER_DIRECTORY, Map.of(), List.of(script().toString(), "--verison"));
    assertThat(result.exitCode()).isEqualTo(64);
    assertThat(result.output()).hasLineCount(1).contains("'--verison'").contains("--help");
  }

  @Test
  void namesMissingJava() {
    Distribution.Result result =
        Distribution.runToExit(
            OTHER_DIRECTORY,
            Map.of("JAVA_HOME", "/no/java"),
            List.of(script().toString(), "--version"));
    assertThat(result.exitCode()).isEqualTo(78);
    assertThat(result.output()).hasLineCount(1).contains("/no/java/bin/java");
  }

  @Test
  void namesOutdatedJava() throws IOException {
    Path oldJava = Files.createDirectories(work.resolve("bin")).resolve("java");
    Files.writeString(oldJava, "#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n");
    assertThat(oldJava.toFile().setExecutable(true)).isTrue();
    Distribution.Result result =
        Distribution.runToExit(
            OTHER_DIRECTORY, Map.of("JAVA_HOME", work.toString()), List.of(script().toString()));
    assertThat(result.exitCode()).isEqualTo(78);
    assertThat(result.output()).hasLineCount(1).contains("is Java 11").contains("17 or later");
  }

  private void assertCallFlowsUntilSigterm(
      List<String> command, List<String> health, Map<String, String> environment, KafkaBroker kafka)
      throws IOException {
    Path log = work.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.MANAGEMENT_PORT, Integer.toString(ManagementClient.freePort()));
      Map<String, String> merged = new HashMap<>(settings.environment());
      merged.putAll(environment);
      merged.merge(
          "JAVA_OPTS",
          ProxyProcess.LOW_CPU_OPTIONS,
          (imageOptions, extraOptions) -> imageOptions + " " + extraOptions);
      // as systemd, Compose and Kubernetes provide it
      Path password = Files.writeString(work.resolve("ari-password"), asterisk.password() + "\n");
      merged.remove(Setting.ARI_PASSWORD.environmentVariable());
      merged.put(Setting.ARI_PASSWORD.environmentVariable() + "_FILE", password.toString());
      try (ProxyProcess proxy = ProxyProcess.start(command, merged, OTHER_DIRECTORY, log);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        SimulatedCall call = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "the-call"));
        controller.event("the-call", "STASIS_START");
        controller
            .execute("the-call", "POST", "/channels/" + call.id() + "/answer")
            .assertStatus(204);
        Distribution.Result healthWhileRunning = Distribution.runToExit(folder, merged, health);
        assertThat(healthWhileRunning.exitCode()).as(healthWhileRunning.output()).isZero();

        assertThat(proxy.terminate()).isEqualTo(143);

        Distribution.Result healthAfterExit = Distribution.runToExit(folder, merged, health);
        assertThat(healthAfterExit.exitCode()).isEqualTo(1);
        assertThat(healthAfterExit.output())
            .hasLineCount(1)
            .contains("/observe/health/live does not respond: ");
      }
    }
    assertThat(Files.readString(log)).doesNotContain(" ERROR ").doesNotContain("\tat ");
  }

  private static Path script() {
    return distribution.file("bin/ari-proxy");
  }

  /** Run instructions of a Dockerfile. */
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

    static List<String> withPaths(Map<String, String> paths, List<String> command) {
      return command.stream().map(argument -> withPaths(paths, argument)).toList();
    }

    static Map<String, String> withPaths(
        Map<String, String> paths, Map<String, String> environment) {
      return environment.entrySet().stream()
          .collect(
              Collectors.toMap(Map.Entry::getKey, entry -> withPaths(paths, entry.getValue())));
    }

    private static String withPaths(Map<String, String> paths, String text) {
      for (Map.Entry<String, String> path : paths.entrySet()) {
        text = text.replace(path.getKey(), path.getValue());
      }
      return text;
    }
  }
}
