package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.ChildProcess;
import io.retel.ariproxy.fixtures.Tool;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.settings.Setting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
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

  private static final String START = "java -jar target/ari-proxy.jar";
  private static final String APP = "ari-proxy-demo";

  private static final Pattern EXPORTED = Pattern.compile("([A-Z_]+)=");

  @TempDir private Path folder;

  /** The commands of a block, without the comments behind them. */
  private record Block(List<String> lines) {

    static List<Block> ofReadme() throws IOException {
      List<Block> blocks = new ArrayList<>();
      List<String> open = null;
      for (String line : Files.readAllLines(Path.of("README.md"))) {
        if (line.equals("```shell")) {
          open = new ArrayList<>();
        } else if (line.startsWith("```") && open != null) {
          blocks.add(new Block(open));
          open = null;
        } else if (open != null) {
          open.add(line);
        }
      }
      return blocks;
    }

    static String command(String line) {
      return line.replaceFirst("\\s+# .*", "");
    }

    /** What the comment behind a command promises to be printed; between ellipses. */
    static List<String> promised(String line) {
      int comment = line.indexOf("# {");
      return comment < 0 ? List.of("") : List.of(line.substring(comment + 2).split("…"));
    }

    Stream<String> commands() {
      return lines.stream().map(Block::command);
    }
  }

  @Test
  void theProxyStartsAndIsWatchedAndOperatedAsTheReadmeSays(KafkaBroker kafka) throws IOException {
    Tool.CURL.program();
    Tool.KCAT.program();
    Tool.JQ.program();
    Block start = block(START);
    int port = ManagementClient.freePort();
    try (SimulatedAsterisk asterisk =
            SimulatedAsterisk.builder().user("ari", "ari-secret").start();
        ProxyProcess proxy =
            ProxyProcess.start(
                List.of(Tool.BASH.program().toString(), "-ec", startScript(start, asterisk, kafka)),
                Map.of(
                    "JAVA_TOOL_OPTIONS",
                    ProxyProcess.LITTLE_CPU,
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
      tryTopics(kafka);
      for (Block block : Block.ofReadme()) {
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
  private static void tryTopics(KafkaBroker kafka) throws IOException {
    List<String> commands =
        block("kcat")
            .commands()
            .map(line -> line.replace("localhost:9092", kafka.bootstrapServers()))
            .toList();
    bash(commands.get(0));
    Awaitility.await("the RESPONSE is there, and the event")
        .untilAsserted(
            () ->
                assertThat(bash(commands.get(1)))
                    .contains("try  {\"type\":\"RESPONSE\"")
                    .contains("\"status_code\":200")
                    .contains("STASIS_START"));
  }

  /**
   * Those that ask, one by one, each after what is no question and stands before it; what they ask
   * for may take a moment.
   */
  private void runCurls(Block block, UnaryOperator<String> here) {
    String before = "";
    for (String line : block.lines()) {
      String command = here.apply(Block.command(line));
      if (!command.startsWith("curl")) {
        before += command + "\n";
        continue;
      }
      String script = "set -o pipefail\n" + before + command;
      Awaitility.await(line)
          .untilAsserted(
              () ->
                  assertThat(bash(script))
                      .isNotBlank()
                      .doesNotContain("\"error\"")
                      .contains(Block.promised(line)));
    }
  }

  @Test
  void theArchiveIsUnpackedAndHelps() throws IOException {
    String environment =
        "export JAVA_TOOL_OPTIONS='%s' %s=0\n"
            .formatted(ProxyProcess.LITTLE_CPU, Setting.MANAGEMENT_PORT.environmentVariable());
    String script =
        String.join("\n", block("tar -xzf").commands().toList())
            .replace("/opt/ari-proxy", "'" + folder + "'");

    assertThat(bash("set -e\n" + environment + script)).contains("Usage:").contains("Exit codes:");
  }

  @Test
  void eachOtherCommandIsRunByTheBuild() throws IOException {
    String build = Files.readString(Path.of(".ci", "run"));
    Set<String> variables = new LinkedHashSet<>();
    for (Block block : Block.ofReadme()) {
      for (String command : block.commands().toList()) {
        if (command.startsWith("./mvnw")) {
          // options choose one test of all, and how long it takes
          String plain = command.replaceAll(" -D(it\\.test|test|surefire|chaos)\\S*", "");
          assertThat(build).contains(plain);
        } else if (command.startsWith("export")) {
          EXPORTED.matcher(command).results().forEach(name -> variables.add(name.group(1)));
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
                    || Arrays.stream(Setting.values())
                        .anyMatch(
                            setting ->
                                name.equals(setting.environmentVariable())
                                    || name.equals(setting.environmentVariable() + "_FILE")));
  }

  private static Block block(String command) throws IOException {
    return Block.ofReadme().stream()
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
        .replace(START, "exec " + START);
  }

  private static String bash(String script) {
    try {
      Process process =
          ChildProcess.of(List.of(Tool.BASH.program().toString(), "-c", script))
              .redirectErrorStream(true)
              .start();
      String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as("%s: %s", script, printed).isZero();
      return printed;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
