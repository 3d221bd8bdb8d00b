// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import io.retel.ariproxy.fixtures.docs.MarkdownPage.CodeBlock;
import io.retel.ariproxy.fixtures.docs.RouteEditExample;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import io.retel.ariproxy.metrics.Meters;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checks examples and names in the documentation that need no running proxy. */
class DocsTest {

  private static final Map<String, String> REQUIRED =
      Map.of(
          "ARI_APP", "app",
          "ARI_USERNAME", "ari",
          "ARI_PASSWORD", "secret",
          "KAFKA_EVENTS_AND_RESPONSES_TOPIC", "events",
          "KAFKA_COMMANDS_TOPIC", "commands");

  private static final Pattern EXPORTED_VARIABLE = Pattern.compile("\\b([A-Z][A-Z_]+)=");

  /** Run by {@link DocsCommandsIT}, {@code DistributionIT} or {@code PromtoolIT}. */
  private static final String EXECUTED =
      "(curl|echo|kcat|[A-Z]+=|java -jar|install -d|cd|.*/opt/ari-proxy\\.(new|old)| +(if|fi)|done|/opt/ari-proxy/bin|promtool test).*";

  /**
   * These commands modify the machine or need something that test machines lack; the files they use
   * have tests.
   */
  private static final String NOT_EXECUTED =
      "docker/image|ari-proxy check|(docker|kubectl|systemctl|rm|install|cp|apt-get|git|mvn|promtool|docker/asterisk/asterisk) .*";

  private static final Set<String> BACKTICKED_FILE_SUFFIXES =
      Set.of("conf", "env", "jar", "json", "md", "properties", "service", "yaml");

  private static CertificateAuthority.IssuedCertificate issued;
  @TempDir private static Path folder;

  @BeforeAll
  static void issueCertificate() {
    issued = CertificateAuthority.create(folder.resolve("ca")).forClient("client");
  }

  static Stream<CodeBlock> settingsExamples() {
    return MarkdownPage.codeBlocks("properties").stream();
  }

  @ParameterizedTest
  @MethodSource("settingsExamples")
  void settingsExamplesAreValid(CodeBlock block) throws IOException {
    String example =
        block
            .text()
            .replaceAll("/run/secrets/\\S+", file("secret", "secret-of-an-example").toString())
            .replaceAll("/\\S+-ca\\.pem|/\\S+\\.crt", issued.certificate().toString())
            .replaceAll("/\\S+\\.key\\b", issued.key().toString());
    Path configuration = file("application.properties", example);

    assertThatCode(() -> Settings.read(configuration, REQUIRED))
        .as(block.text())
        .doesNotThrowAnyException();
  }

  @Test
  void startExamplesMatchAsteriskConfiguration() throws IOException {
    List<String> starts =
        MarkdownPage.codeBlocks("shell").stream()
            .map(CodeBlock::text)
            .filter(text -> text.contains(" ARI_USERNAME="))
            .toList();
    assertThat(starts).isNotEmpty();
    Path asterisk = Path.of("docker", "asterisk");
    for (String start : starts) {
      assertThat(Files.readString(asterisk.resolve("ari.conf")))
          .contains("[" + exportedValue("ARI_USERNAME", start) + "]")
          .contains("password = " + exportedValue("ARI_PASSWORD", start));
      assertThat(Files.readString(asterisk.resolve("extensions.conf")))
          .contains("exten => 1000,1,Stasis(" + exportedValue("ARI_APP", start) + ")");
    }
  }

  private static String exportedValue(String variable, String text) {
    Matcher value = Pattern.compile(" " + variable + "=(\\S+)").matcher(text);
    assertThat(value.find()).as(variable).isTrue();
    return value.group(1);
  }

  /** {@link DocsRouteEditsIT} applies them to a running proxy. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Drop an event type",
        "Add a header to every record",
        "Copy recording events to another topic"
      })
  void routeEditMatchesRouteFile(String heading, @TempDir Path directory) {
    RouteEditExample example = RouteEditExample.find(heading);

    RoutesDirectory routes = RoutesDirectory.copyTo(directory);
    example.applyTo(routes);

    assertThat(routes.read(example.file())).contains(example.yaml());
  }

  @Test
  void everyShellCommandIsExecuted() throws IOException {
    String buildScript = Files.readString(Path.of(".ci", "run"));
    for (CodeBlock block : MarkdownPage.codeBlocks("shell")) {
      for (String line : block.lines()) {
        String command = line.replaceFirst("\\s+# .*", "");
        if (command.startsWith("./mvnw")) {
          // the profile and options select one test and its duration
          String withoutTestOptions =
              command.replaceAll(" -(Pfull|D(it\\.test|test|surefire|chaos|golden)\\S*)", "");
          assertThat(buildScript.contains(withoutTestOptions.replace("mvnw test", "mvnw verify")))
              .as("%s: .ci/run runs %s", block, command)
              .isTrue();
        } else if (!command.isBlank() && !command.startsWith("export")) {
          assertThat(command)
              .as(block.toString())
              .matches("(" + EXECUTED + ")|(" + NOT_EXECUTED + ")");
        }
      }
    }
  }

  @Test
  void everyExportedVariableExists() throws IOException {
    Set<String> known = new LinkedHashSet<>();
    for (String key : settingKeys()) {
      String variable = key.toUpperCase(Locale.ROOT).replaceAll("[.-]", "_");
      known.add(variable);
      known.add(variable + "_FILE");
    }
    Set<String> exported = new TreeSet<>();
    for (CodeBlock block : MarkdownPage.codeBlocks("shell")) {
      block.lines().stream()
          .filter(line -> line.startsWith("export"))
          .flatMap(line -> EXPORTED_VARIABLE.matcher(line).results())
          .map(variable -> variable.group(1))
          .filter(variable -> !variable.startsWith("OTEL_"))
          .forEach(exported::add);
    }
    assertThat(exported).isNotEmpty().isSubsetOf(known);
  }

  /** A key in code that starts like a setting must be a setting. */
  @Test
  void everyNamedSettingExists() throws IOException {
    Set<String> known = new TreeSet<>();
    for (String key : settingKeys()) {
      known.add(key);
      known.add(key + "-file");
    }
    String prefixes =
        String.join(
            "|", known.stream().map(key -> key.substring(0, key.indexOf('.'))).distinct().toList());
    Pattern key =
        Pattern.compile("`((?:" + prefixes + ")\\.[a-z][a-z0-9.-]*[a-z0-9])(?: = [^`]*)?`");
    Set<String> meters =
        Stream.of(Meters.values()).map(Meters::meterName).collect(Collectors.toSet());
    for (MarkdownPage page : MarkdownPage.all()) {
      if (page.file().getFileName().toString().equals("CHANGELOG.md")) {
        continue;
      }
      key.matcher(page.text())
          .results()
          .map(name -> name.group(1))
          .filter(name -> !meters.contains(name))
          .filter(
              name -> !BACKTICKED_FILE_SUFFIXES.contains(name.substring(name.lastIndexOf('.') + 1)))
          .forEach(
              name ->
                  assertThat(known.contains(name))
                      .as("%s: setting %s", page.file(), name)
                      .isTrue());
    }
  }

  /** Clients try its IPv6 address first, at which another user of the host can listen. */
  @Test
  void noExampleConnectsToLocalhost() {
    for (MarkdownPage page : MarkdownPage.all()) {
      assertThat(page.text())
          .as("%s", page.file())
          .doesNotContain("localhost:8088", "localhost:9000");
    }
  }

  private static Set<String> settingKeys() throws IOException {
    Properties file = new Properties();
    try (Reader reader = Files.newBufferedReader(Path.of("config", "application.properties"))) {
      file.load(reader);
    }
    Set<String> keys = new TreeSet<>(file.stringPropertyNames());
    keys.removeIf(name -> name.startsWith("camel."));
    return keys;
  }

  private static Path file(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }
}
