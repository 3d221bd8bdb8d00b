// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import com.fasterxml.jackson.databind.JsonNode;
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
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

  /** An expression with several is a choice. A new one is checked with the library's own text. */
  private static final Set<String> LICENSES =
      Set.of(
          "Apache-2.0",
          "Apache-2.0 OR EPL-1.0",
          "Apache-2.0 OR EPL-2.0",
          "BSD-2-Clause",
          "BSD-2-Clause OR CC0-1.0",
          "BSD-3-Clause",
          "CC0-1.0",
          "(EPL-2.0 OR GPL-2.0-only WITH Classpath-exception-2.0) AND Apache-2.0",
          "EPL-2.0 OR LGPL-2.1-only",
          "MIT",
          "MIT-0");

  private static final String CLASS_FROM_ARCHIVE =
      "io.retel.ariproxy.AriProxy source: shared objects file (top)";

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
        .contains(CLASS_FROM_ARCHIVE);
  }

  private static void assertArchiveIsIgnoredAfterUpgrade(Map<String, String> environment)
      throws IOException {
    Files.setLastModifiedTime(
        distribution.file("ari-proxy.jar"), FileTime.from(Instant.parse("2026-01-01T00:00:00Z")));
    assertThat(Distribution.run(environment, script().toString(), "--version").lines())
        .singleElement(STRING)
        .startsWith("ari-proxy ");
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
    assertThat(folder.toFile().list((home, name) -> name.matches("ari-proxy-.*\\.jsa"))).hasSize(1);
  }

  @Test
  @FullRun("starts Java with the sizes of each limit")
  void javaStartsWithSizesOfMemoryLimit() throws IOException {
    KernelFiles kernel = new KernelFiles(work);
    Path limited = folder.resolve("bin/limited");
    kernel.writeScript(limited);
    for (int megabytes : List.of(192, 1_024, 32_768)) {
      kernel.limit("/sys/fs/cgroup/memory.max", megabytes);
      assertThat(
              Distribution.run(
                      Map.of("JAVA_OPTS", "-XX:+PrintCommandLineFlags"),
                      limited.toString(),
                      "--version")
                  .lines())
          .hasSize(2)
          .first(STRING)
          .contains("-XX:MaxHeapSize=");
    }
  }

  @Test
  @FullRun("archives classes")
  void startCreatesClassArchiveForTheNextStart() throws IOException {
    Path program = Files.createDirectory(work.resolve("program"));
    Distribution.unpack(program);
    Path state = Files.createDirectory(work.resolve("state"));
    Files.setPosixFilePermissions(state, PosixFilePermissions.fromString("rwx------"));
    Map<String, String> environment = Map.of("STATE_DIRECTORY", state.toString());

    Distribution.Result start =
        Distribution.runToExit(
            work, environment, List.of(program.resolve("bin/ari-proxy").toString()));
    assertThat(start.exitCode()).as("settings are missing").isEqualTo(78);
    assertThat(start.output()).contains("ari-proxy: created " + state);
    assertThat(
            Distribution.run(
                withClassLoadLog(environment),
                program.resolve("bin/ari-proxy").toString(),
                "--version"))
        .contains(CLASS_FROM_ARCHIVE);
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

  /** As docs/deploy.md#upgrade shows. */
  @Test
  @FullRun("unpacks the archive four times")
  void upgradesAndRollbackKeepEdits() throws IOException {
    Tool.DIFF3.path();
    Path program = Files.createDirectory(work.resolve("ari-proxy"));
    Distribution.unpack(program);
    // what the older version shipped, then an edit
    Path shipped = program.resolve("share/routes/events.camel.yaml");
    Files.writeString(shipped, Files.readString(shipped).replace("timeout: 5000", "timeout: 4000"));
    String edited = Files.readString(shipped) + "# mine\n";
    Path route = Files.writeString(program.resolve("routes/events.camel.yaml"), edited);
    Files.writeString(program.resolve("routes/own.camel.yaml"), "- beans: []\n");
    Path removed = program.resolve("routes/no-longer-shipped.camel.yaml");
    Files.writeString(removed, "- beans: []\n");
    Files.copy(removed, program.resolve("share/routes/no-longer-shipped.camel.yaml"));
    Path settings = program.resolve("config/application.properties");
    Files.writeString(settings, "webhook = 1\n", StandardOpenOption.APPEND);
    Files.setPosixFilePermissions(settings, PosixFilePermissions.fromString("rw-------"));
    List<String> steps =
        MarkdownPage.read("docs/deploy.md").codeBlocks().stream()
            .filter(block -> block.language().equals("shell"))
            .map(MarkdownPage.CodeBlock::text)
            .filter(text -> text.contains("ari-proxy.new"))
            .toList();
    assertThat(steps).as("unpack, merge, check, replace, roll back").hasSize(5);
    List<String> upgrade = steps.subList(0, 4);

    upgrade.forEach(this::runWithoutSystemd);
    assertThat(route).content().contains("timeout: 5000").endsWith("# mine\n");
    runWithoutSystemd(steps.get(4));
    assertThat(route).hasContent(edited);
    upgrade.forEach(this::runWithoutSystemd);
    upgrade.forEach(this::runWithoutSystemd);

    assertThat(route).content().contains("timeout: 5000").endsWith("# mine\n");
    assertThat(program.resolve("routes/own.camel.yaml")).exists();
    assertThat(removed).doesNotExist();
    assertThat(settings).content().contains("webhook = 1");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(settings)))
        .isEqualTo("rw-------");
  }

  private void runWithoutSystemd(String commands) {
    String script =
        commands
            .lines()
            .filter(line -> !line.contains("systemctl") && !line.contains("/etc/systemd"))
            // the shell does not split its value at spaces
            .collect(Collectors.joining("\n", "IFS=\n", ""))
            .replace("/opt/", "$work/");
    Distribution.run(Map.of("work", work.toString()), "bash", "-c", script);
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
  void sbomAndNoticesNameEveryLibrary() throws IOException {
    JsonNode sbom = new ObjectMapper().readTree(distribution.file("ari-proxy-sbom.json").toFile());
    String notices = Files.readString(distribution.file("THIRD-PARTY.txt"));
    assertThat(sbom.path("components"))
        .extracting(library -> "%s-%s.jar".formatted(text(library, "name"), version(library)))
        .containsExactlyInAnyOrder(distribution.file("lib").toFile().list());
    assertThat(sbom.path("components"))
        .allSatisfy(
            library -> {
              assertThat(licenses(library)).isNotEmpty().allMatch(LICENSES::contains);
              assertThat(text(library, "purl"))
                  .isEqualTo(
                      "pkg:maven/%s/%s@%s"
                          .formatted(
                              text(library, "group"), text(library, "name"), version(library)));
              assertThat(notices).contains(text(library, "name") + ":" + version(library) + " ");
            });
  }

  @Test
  void sbomNamesTheProxyAndIsReproducible() throws IOException {
    Path file = distribution.file("ari-proxy-sbom.json");
    JsonNode sbom = new ObjectMapper().readTree(file.toFile());
    JsonNode proxy = sbom.at("/metadata/component");
    assertThat(text(proxy, "type")).isEqualTo("application");
    assertThat(text(proxy, "name")).isEqualTo("ari-proxy");
    assertThat(Distribution.run(Map.of(), script().toString(), "--version"))
        .startsWith("ari-proxy " + version(proxy) + ",");
    assertThat(text(proxy, "purl"))
        .isEqualTo("pkg:maven/%s/ari-proxy@%s".formatted(text(proxy, "group"), version(proxy)));
    assertThat(sbom.path("components"))
        .extracting(library -> text(library, "group") + " " + text(library, "name"))
        .isSorted();
    assertThat(Files.readString(file))
        .doesNotContain(Path.of("").toAbsolutePath().toString(), System.getProperty("user.home"))
        .doesNotContain("timestamp", "serialNumber")
        .doesNotContainPattern("20\\d\\d-\\d\\d-\\d\\d");
  }

  /** The licenses of a library as SPDX ids or one SPDX expression. */
  private static List<String> licenses(JsonNode library) {
    List<String> licenses = new ArrayList<>();
    for (JsonNode license : library.path("licenses")) {
      licenses.add(license.at("/license/id").asText(text(license, "expression")));
    }
    return licenses;
  }

  private static String version(JsonNode library) {
    return text(library, "version");
  }

  private static String text(JsonNode node, String field) {
    return node.path(field).asText();
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
  void optionsOfTheUserReplaceDefaults() {
    assertThat(flags(""))
        .containsPattern("UseSerialGC += true")
        .containsPattern("InitialHeapSize += " + (24 << 20) + " ");
    assertThat(flags("-Xmx24m -XX:+UseParallelGC"))
        .containsPattern("UseSerialGC += false")
        .containsPattern("MaxHeapSize += " + (24 << 20) + " ");
  }

  private static String flags(String options) {
    return Distribution.run(
        Map.of("JAVA_OPTS", options + " -XX:TieredStopAtLevel=1 -XX:+PrintFlagsFinal"),
        script().toString(),
        "--version");
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
        assertCheckLeavesPlaceToProxy(merged, asterisk);
        controller.execute("the-call", "GET", "/asterisk/ping").assertStatus(200);

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

  /** With the settings of a running proxy, whose place a connection would take. */
  private static void assertCheckLeavesPlaceToProxy(
      Map<String, String> environment, SimulatedAsterisk asterisk) {
    int connections = asterisk.totalWebsocketCount();
    Distribution.Result check =
        Distribution.runToExit(folder, environment, List.of(script().toString(), "check"));
    assertThat(check.exitCode()).as(check.output()).isZero();
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(connections);
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
