// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The tests that {@code docs/threat-model.md} names exist. */
class ThreatModelTest {

  private static final Pattern TEST = Pattern.compile("`(\\w+(?:Test|IT|Contract))(?:#(\\w+))?`");

  static List<String> tests() {
    return TEST.matcher(MarkdownPage.read("docs/threat-model.md").text())
        .results()
        .map(test -> test.group(1) + "#" + (test.group(2) == null ? "" : test.group(2)))
        .distinct()
        .toList();
  }

  @ParameterizedTest
  @MethodSource("tests")
  void testExists(String test) throws IOException {
    String[] parts = test.split("#", -1);
    try (Stream<Path> files = Files.walk(Path.of("src", "test", "java"))) {
      List<Path> found = files.filter(file -> file.endsWith(parts[0] + ".java")).toList();
      assertThat(found).as("class %s", parts[0]).hasSize(1);
      if (!parts[1].isEmpty()) {
        assertThat(Files.readString(found.get(0)))
            .as("%s", test)
            .contains("void " + parts[1] + "(");
      }
    }
  }
}
