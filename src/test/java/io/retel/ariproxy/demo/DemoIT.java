// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.ScratchDirectory;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoIT {

  @Test
  void showsTwoCompleteCalls() {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    Screen screen =
        new Screen(new PrintStream(output, false, StandardCharsets.UTF_8), false, Screen.MAX_WIDTH);
    boolean complete;
    try (ScratchDirectory folder = ScratchDirectory.create("demo-test")) {
      complete = new Demo(screen, folder.path()).run(2);
    }

    List<String> lines = output.toString(StandardCharsets.UTF_8).lines().toList();
    assertThat(complete).as(String.join("\n", lines)).isTrue();
    assertThat(linesOfCall(1, lines))
        .containsSubsequence(
            "EVENT STASIS_START", "COMMAND POST", "RESPONSE 204", "EVENT STASIS_END")
        .contains(
            "RESPONSE 201", "EVENT PLAYBACK_STARTED", "EVENT PLAYBACK_FINISHED", "COMMAND DELETE");
    // the RESPONSE to the hang-up uses another connection and can arrive last
    assertThat(linesOfCall(2, lines))
        .filteredOn(line -> !line.startsWith("RESPONSE"))
        .startsWith("EVENT STASIS_START")
        .endsWith("EVENT STASIS_END");
    assertThat(lines)
        .anyMatch(line -> line.contains("CALL_CONTEXT=ticket-4712"))
        .noneMatch(line -> line.contains("UNMAPPED"))
        .contains("  2 calls, 12 events, 6 commands, every command got a RESPONSE")
        .allMatch(line -> line.length() <= Screen.MAX_WIDTH)
        .noneMatch(line -> line.contains("\u001b"));
  }

  /**
   * Runs in a separate process, with a locale that has different upper-case rules, and without
   * /tmp.
   */
  @Test
  @FullRun("starts another JVM")
  void stopsInOrderAndCleansUp(@TempDir Path folder) throws Exception {
    Path output = folder.resolve("printed");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Duser.language=tr",
                "-Djava.io.tmpdir=" + folder.resolve("missing"),
                "-cp",
                System.getProperty("java.class.path"),
                Demo.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      await().until(() -> Files.readString(output).contains("PLAYBACK_STARTED"));
      // same as Ctrl-C: a process whose parent runs in the background cannot receive SIGINT
      process.destroy();
      assertThat(process.waitFor(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(ScratchDirectory.forProcess("demo", process.pid()).path()).doesNotExist();
    // ignores warnings that newer Java versions print
    assertThat(Files.readString(output).replaceAll("(?m)^WARNING: .*\\R", "").strip())
        .endsWith("every command got a RESPONSE")
        .doesNotContain("WARN", "ERROR", "Exception");
  }

  /** Returns the kind and first word of each line of a call. */
  private static List<String> linesOfCall(int number, List<String> lines) {
    return lines.stream()
        .map(line -> line.split("\\s+"))
        .filter(words -> words.length > 4 && words[1].equals("#" + number))
        .map(words -> words[2] + " " + words[4])
        .toList();
  }
}
