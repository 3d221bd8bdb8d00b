// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.ChildProcess;
import io.retel.ariproxy.fixtures.Tool;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import io.retel.ariproxy.fixtures.docs.MarkdownPage.CodeBlock;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs the shell commands on all pages, with this test's addresses. {@link DocsTest} checks that
 * {@code .ci/run} runs the remaining ones.
 */
@ExtendWith(KafkaExtension.class)
class DocsCommandsIT {

  private static final String START_COMMAND = "java -jar target/ari-proxy.jar";
  private static final String APP = "ari-proxy-demo";

  @TempDir private Path folder;

  @Test
  void documentedCommandsStartAndOperateProxy(KafkaBroker kafka) {
    Tool.CURL.path();
    Tool.KCAT.path();
    Tool.JQ.path();
    int port = ManagementClient.freePort();
    try (SimulatedAsterisk asterisk =
            SimulatedAsterisk.builder().user("ari", "ari-secret").start();
        ProxyProcess proxy =
            ProxyProcess.start(
                List.of(Tool.BASH.path().toString(), "-ec", startScript(asterisk, kafka)),
                Map.of(
                    "JAVA_TOOL_OPTIONS",
                    ProxyProcess.LOW_CPU_OPTIONS,
                    Setting.MANAGEMENT_PORT.environmentVariable(),
                    Integer.toString(port),
                    Setting.MANAGEMENT_JOLOKIA.environmentVariable(),
                    "true"),
                Path.of("").toAbsolutePath(),
                folder.resolve("proxy.log"))) {
      asterisk.awaitConnected(APP);
      SimulatedCall call = asterisk.call(APP);
      try (ManagementClient management = new ManagementClient(port)) {
        // a call that arrives during the resync is discovered by it, so no event is counted
        Awaitility.await("an event is counted")
            .until(
                () -> {
                  asterisk.call(APP);
                  return management.metric("ari_proxy_events_total") > 0;
                });
      }
      UnaryOperator<String> localAddresses =
          command ->
              command
                  .replace("127.0.0.1:9000", "127.0.0.1:" + port)
                  .replace("localhost:9092", kafka.bootstrapServers())
                  .replace("1532965104.0", call.id());
      assertTopicCommandsWork(localAddresses);
      MarkdownPage.codeBlocks("shell").stream()
          .filter(block -> block.lines().stream().anyMatch(line -> line.startsWith("curl")))
          .forEach(block -> runCurls(block, localAddresses));
    }
  }

  /** Sends the documented command, and consumes its RESPONSE and an event. */
  private static void assertTopicCommandsWork(UnaryOperator<String> localAddresses) {
    List<String> commands =
        MarkdownPage.codeBlocks("shell").stream()
            .filter(block -> block.lines().stream().noneMatch(line -> line.startsWith("curl")))
            .flatMap(DocsCommandsIT::commands)
            .filter(command -> command.contains("kcat"))
            .map(localAddresses)
            .distinct()
            .toList();
    List<String> consuming = commands.stream().filter(command -> command.contains(" -C ")).toList();
    assertThat(consuming).isNotEmpty();
    commands.stream().filter(command -> !command.contains(" -C ")).forEach(DocsCommandsIT::runBash);
    for (String command : consuming) {
      Awaitility.await(command)
          .untilAsserted(
              () ->
                  assertThat(runBash(command))
                      .contains("try  {\"type\":\"RESPONSE\"")
                      .contains("\"status_code\":200")
                      .contains("STASIS_START"));
    }
  }

  /**
   * Runs each curl command, preceded by the lines above it that are not curl commands. The result
   * may take a moment.
   */
  private static void runCurls(CodeBlock block, UnaryOperator<String> localAddresses) {
    String setup = "";
    for (String line : block.lines()) {
      String command = localAddresses.apply(stripComment(line));
      if (!command.startsWith("curl")) {
        setup += command + "\n";
        continue;
      }
      String script = "set -o pipefail\n" + setup + command;
      Awaitility.await(block + " " + line)
          .untilAsserted(
              () ->
                  assertThat(runBash(script))
                      .isNotBlank()
                      .doesNotContain("\"error\"")
                      .contains(expectedOutput(line)));
    }
  }

  @Test
  void archiveUnpacksAndPrintsHelp() {
    String environment =
        "export JAVA_TOOL_OPTIONS='%s' %s=0\n"
            .formatted(ProxyProcess.LOW_CPU_OPTIONS, Setting.MANAGEMENT_PORT.environmentVariable());
    CodeBlock unpack =
        MarkdownPage.codeBlocks("shell").stream()
            .filter(block -> block.text().contains("tar -xzf"))
            .findFirst()
            .orElseThrow();
    String script =
        commands(unpack)
            .collect(Collectors.joining("\n"))
            .replace("/opt/ari-proxy", "'" + folder + "'");

    assertThat(runBash("set -e\n" + environment + script))
        .contains("Usage:")
        .contains("Exit codes:");
  }

  /** The first documented start; other pages must show the same commands. */
  private static String startScript(SimulatedAsterisk asterisk, KafkaBroker kafka) {
    List<List<String>> starts =
        MarkdownPage.codeBlocks("shell").stream()
            .map(block -> commands(block).toList())
            .filter(commands -> commands.contains(START_COMMAND))
            .map(
                commands ->
                    commands.stream().filter(command -> !command.startsWith("./mvnw")).toList())
            .distinct()
            .toList();
    assertThat(starts).as("start commands of all pages").hasSize(1);
    String script = String.join("\n", starts.get(0));
    assertThat(script).contains("http://127.0.0.1:8088/ari").contains("localhost:9092");
    return script
        .replace("http://127.0.0.1:8088/ari", asterisk.url())
        .replace("localhost:9092", kafka.bootstrapServers())
        .replace(START_COMMAND, "exec " + START_COMMAND);
  }

  private static Stream<String> commands(CodeBlock block) {
    return block.lines().stream().map(DocsCommandsIT::stripComment);
  }

  private static String stripComment(String line) {
    return line.replaceFirst("\\s+# .*", "");
  }

  /** The output promised by a comment after a command; fragments between ellipses. */
  private static List<String> expectedOutput(String line) {
    int comment = line.indexOf("# {");
    return comment < 0 ? List.of("") : List.of(line.substring(comment + 2).split("…"));
  }

  private static String runBash(String script) {
    try {
      Process process =
          ChildProcess.builder(List.of(Tool.BASH.path().toString(), "-c", script))
              .redirectErrorStream(true)
              .start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as("%s: %s", script, output).isZero();
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
