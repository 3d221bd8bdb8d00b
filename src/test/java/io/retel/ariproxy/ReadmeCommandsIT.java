package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.ChildProcess;
import io.retel.ariproxy.fixtures.Tool;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Each command of the README runs: here, at the addresses that this test has, or in {@code
 * .ci/run}.
 */
@ExtendWith(KafkaExtension.class)
class ReadmeCommandsIT {

  private static final String START_COMMAND = "java -jar target/ari-proxy.jar";
  private static final String APP = "ari-proxy-demo";

  private static final Pattern EXPORTED_VARIABLE = Pattern.compile("([A-Z_]+)=");

  @TempDir private Path folder;

  /** The commands of a block, without the comments behind them. */
  private record Block(List<String> lines) {

    static List<Block> readAll() throws IOException {
      List<Block> blocks = new ArrayList<>();
      List<String> current = null;
      for (String line : Files.readAllLines(Path.of("README.md"))) {
        if (line.equals("```shell")) {
          current = new ArrayList<>();
        } else if (line.startsWith("```") && current != null) {
          blocks.add(new Block(current));
          current = null;
        } else if (current != null) {
          current.add(line);
        }
      }
      return blocks;
    }

    static String stripComment(String line) {
      return line.replaceFirst("\\s+# .*", "");
    }

    /** What the comment behind a command promises to be printed; between ellipses. */
    static List<String> expectedOutput(String line) {
      int comment = line.indexOf("# {");
      return comment < 0 ? List.of("") : List.of(line.substring(comment + 2).split("…"));
    }

    Stream<String> commands() {
      return lines.stream().map(Block::stripComment);
    }
  }

  @Test
  void documentedCommandsStartAndOperateProxy(KafkaBroker kafka) throws IOException {
    Tool.CURL.path();
    Tool.KCAT.path();
    Tool.JQ.path();
    Block start = findBlock(START_COMMAND);
    int port = ManagementClient.freePort();
    try (SimulatedAsterisk asterisk =
            SimulatedAsterisk.builder().user("ari", "ari-secret").start();
        ProxyProcess proxy =
            ProxyProcess.start(
                List.of(Tool.BASH.path().toString(), "-ec", startScript(start, asterisk, kafka)),
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
        // calls that come while Asterisk is asked what is there are made up for, and not counted as
        // sent
        Awaitility.await("an event is counted")
            .until(
                () -> {
                  asterisk.call(APP);
                  return management.metric("ari_proxy_events_total") > 0;
                });
      }
      assertTopicCommandsWork(kafka);
      for (Block block : Block.readAll()) {
        if (block.commands().anyMatch(line -> line.startsWith("curl"))) {
          runCurls(
              block,
              command ->
                  command
                      .replace("localhost:9000", "localhost:" + port)
                      .replace("localhost:9092", kafka.bootstrapServers())
                      .replace("1532965104.0", call.id()));
        }
      }
    }
  }

  /** A command by hand, and all that was published so far. */
  private static void assertTopicCommandsWork(KafkaBroker kafka) throws IOException {
    List<String> commands =
        findBlock("kcat")
            .commands()
            .map(line -> line.replace("localhost:9092", kafka.bootstrapServers()))
            .toList();
    runBash(commands.get(0));
    Awaitility.await("the RESPONSE is there, and the event")
        .untilAsserted(
            () ->
                assertThat(runBash(commands.get(1)))
                    .contains("try  {\"type\":\"RESPONSE\"")
                    .contains("\"status_code\":200")
                    .contains("STASIS_START"));
  }

  /**
   * Those that ask, one by one, each after what is no question and stands before it; what they ask
   * for may take a moment.
   */
  private void runCurls(Block block, UnaryOperator<String> localAddresses) {
    String setup = "";
    for (String line : block.lines()) {
      String command = localAddresses.apply(Block.stripComment(line));
      if (!command.startsWith("curl")) {
        setup += command + "\n";
        continue;
      }
      String script = "set -o pipefail\n" + setup + command;
      Awaitility.await(line)
          .untilAsserted(
              () ->
                  assertThat(runBash(script))
                      .isNotBlank()
                      .doesNotContain("\"error\"")
                      .contains(Block.expectedOutput(line)));
    }
  }

  @Test
  void archiveUnpacksAndPrintsHelp() throws IOException {
    String environment =
        "export JAVA_TOOL_OPTIONS='%s' %s=0\n"
            .formatted(ProxyProcess.LOW_CPU_OPTIONS, Setting.MANAGEMENT_PORT.environmentVariable());
    String script =
        String.join("\n", findBlock("tar -xzf").commands().toList())
            .replace("/opt/ari-proxy", "'" + folder + "'");

    assertThat(runBash("set -e\n" + environment + script))
        .contains("Usage:")
        .contains("Exit codes:");
  }

  @Test
  void buildRunsRemainingCommands() throws IOException {
    String buildScript = Files.readString(Path.of(".ci", "run"));
    Set<String> variables = new LinkedHashSet<>();
    for (Block block : Block.readAll()) {
      for (String command : block.commands().toList()) {
        if (command.startsWith("./mvnw")) {
          // options choose one test of all, and how long it takes
          String withoutTestOptions =
              command.replaceAll(" -D(it\\.test|test|surefire|chaos)\\S*", "");
          assertThat(buildScript).contains(withoutTestOptions);
        } else if (command.startsWith("export")) {
          EXPORTED_VARIABLE
              .matcher(command)
              .results()
              .forEach(name -> variables.add(name.group(1)));
        } else {
          assertThat(command)
              .matches("(curl|echo|kcat|[A-Z]+=|java -jar|mkdir|/opt/ari-proxy/bin).*");
        }
      }
    }
    assertThat(variables)
        .isNotEmpty()
        .allMatch(
            name ->
                name.startsWith("OTEL_")
                    || Setting.all().stream()
                        .anyMatch(
                            setting ->
                                name.equals(setting.environmentVariable())
                                    || name.equals(setting.environmentVariable() + "_FILE")));
  }

  private static Block findBlock(String command) throws IOException {
    return Block.readAll().stream()
        .filter(block -> block.commands().anyMatch(line -> line.contains(command)))
        .findFirst()
        .orElseThrow();
  }

  private static String startScript(Block start, SimulatedAsterisk asterisk, KafkaBroker kafka) {
    String script =
        String.join("\n", start.commands().filter(line -> !line.startsWith("./mvnw")).toList());
    assertThat(script).contains("http://localhost:8088/ari").contains("localhost:9092");
    return script
        .replace("http://localhost:8088/ari", asterisk.url())
        .replace("localhost:9092", kafka.bootstrapServers())
        .replace(START_COMMAND, "exec " + START_COMMAND);
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
