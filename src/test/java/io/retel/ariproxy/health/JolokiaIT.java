// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.Tool;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import io.retel.ariproxy.fixtures.kafka.FreePort;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** JMX over HTTP, with the commands of {@code docs/jmx.md}. */
@ExtendWith(KafkaExtension.class)
class JolokiaIT {

  private static final String APP = "jolokia";

  @Test
  void executesDocumentedCommands(KafkaBroker kafka) throws Exception {
    List<String> lines =
        MarkdownPage.read("docs/jmx.md").codeBlocks().get(0).lines().stream()
            .filter(line -> line.startsWith("curl -s \"$JMX/"))
            .toList();
    assertThat(lines).hasSize(4);
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      String port = Integer.toString(FreePort.find());
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.MANAGEMENT_PORT, port)
              .with(Setting.MANAGEMENT_JOLOKIA, "true");
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        String channel = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "mine")).id();
        controller.event("mine", "STASIS_START");
        String context = proxy.context().getManagementName();

        assertThat(run(lines.get(0), port, context, channel).path("status").asInt()).isEqualTo(200);
        Awaitility.await("commands are drained")
            .until(
                () -> run(lines.get(1), port, context, channel).path("value").asText(),
                "DRAINED"::equals);
        assertThat(run(lines.get(2), port, context, channel).at("/value/callContext").asText())
            .isEqualTo("mine");
        run(lines.get(3), port, context, channel);
        assertThat(proxy.managedBean("Commands").getAttribute("State")).isEqualTo("RUNNING");
        assertThat(controller.execute("mine", "GET", "/asterisk/ping")).isNotNull();
      }
    }
  }

  @Test
  void isDisabledByDefault(KafkaBroker kafka) throws Exception {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      String port = Integer.toString(FreePort.find());
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.MANAGEMENT_PORT, port);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        assertThat(proxy.context().getManagementName()).isNotEmpty();
        assertThat(
                shell(
                    "curl -s -o /dev/null -w '%{http_code}' localhost:"
                        + port
                        + "/observe/jolokia"))
            .isEqualTo("404");
      }
    }
  }

  private static JsonNode run(String line, String port, String context, String channel)
      throws IOException, InterruptedException {
    return new ObjectMapper()
        .readTree(
            shell(
                "JMX=localhost:%s/observe/jolokia; ".formatted(port)
                    + line.replace("context=ari-proxy", "context=" + context)
                        .replace("1532965104.0", channel)));
  }

  private static String shell(String line) throws IOException, InterruptedException {
    Tool.CURL.path();
    Process shell = new ProcessBuilder("sh", "-c", line).redirectErrorStream(true).start();
    String output = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(shell.waitFor()).as(output).isZero();
    return output;
  }
}
