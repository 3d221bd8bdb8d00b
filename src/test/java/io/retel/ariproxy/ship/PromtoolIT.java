// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.Tool;
import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import io.retel.ariproxy.fixtures.docs.MarkdownPage.CodeBlock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prometheus's own checks of the alert rules and of both configurations. */
class PromtoolIT {

  @Test
  void promtoolTestsPass() {
    Tool.Result result = Tool.PROMTOOL.run("test", "rules", AlertsTest.TESTS.toString());
    assertThat(result.exitCode()).as(result.output()).isZero();
  }

  @Test
  void prometheusAcceptsConfiguration() {
    Tool.Result result =
        Tool.PROMTOOL.run(
            "check", "config", PromQlQuery.ALERTS.resolveSibling("prometheus.yml").toString());
    assertThat(result.exitCode()).as(result.output()).isZero();
  }

  @Test
  void prometheusAcceptsDocumentedConfiguration(@TempDir Path folder) throws IOException {
    String documented =
        MarkdownPage.codeBlocks("yaml").stream()
            .map(CodeBlock::text)
            .filter(text -> text.startsWith("rule_files:"))
            .findFirst()
            .orElseThrow();
    Path configuration = Files.writeString(folder.resolve("prometheus.yml"), documented);
    Files.copy(PromQlQuery.ALERTS, folder.resolve("alerts.yml"));

    Tool.Result result = Tool.PROMTOOL.run("check", "config", configuration.toString());

    assertThat(result.exitCode()).as(result.output()).isZero();
    assertThat(result.output()).contains("1 rule files found");
  }
}
