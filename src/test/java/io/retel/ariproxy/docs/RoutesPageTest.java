// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The picture of the steps in {@code docs/routes.md} matches the shipped files. */
class RoutesPageTest {

  private static final Pattern SECTION = Pattern.compile("(?s)\n## Where am I\\?\n(.*?)\n## ");
  private static final Pattern BOX =
      Pattern.compile("(?s)\n *subgraph (?<file>\\S+)\n(?<steps>.*?)\n *end(?=\n)");
  private static final Pattern LABEL = Pattern.compile("\\|[^|\n]*\\|");
  private static final Pattern STEP = Pattern.compile("[a-z]+(?:-[a-z]+)*");
  private static final Pattern STEP_ID = Pattern.compile("(?m)^ {4,}(?:- )?id: (\\S+)$");
  private static final Pattern ROW = Pattern.compile("(?m)^\\| `([a-z-]+)` \\|");

  @Test
  void pictureShowsStepsOfShippedFilesInOrder() throws IOException {
    Map<String, List<String>> shipped = new HashMap<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of("routes"), "*.yaml")) {
      for (Path file : files) {
        List<String> ids = matches(STEP_ID, Files.readString(file));
        // the first one is that of the route
        shipped.put(ids.get(0), ids.subList(1, ids.size()));
      }
    }
    assertThat(pictured()).hasSize(5).isEqualTo(shipped);
  }

  @Test
  void arrowsBetweenFilesStartAndEndAtSteps() {
    String outside = LABEL.matcher(BOX.matcher(picture()).replaceAll("")).replaceAll("");
    List<String> steps = pictured().values().stream().flatMap(List::stream).toList();
    assertThat(matches(STEP, outside.replaceFirst("flowchart TB", "")))
        .isNotEmpty()
        .isSubsetOf(steps);
  }

  @Test
  void tableNamesStepsOfPicture() {
    List<String> steps = pictured().values().stream().flatMap(List::stream).toList();
    assertThat(matches(ROW, section())).hasSize(4).isSubsetOf(steps);
  }

  private static Map<String, List<String>> pictured() {
    Map<String, List<String>> steps = new HashMap<>();
    for (MatchResult box : BOX.matcher(picture()).results().toList()) {
      String text = LABEL.matcher(box.group(2)).replaceAll("");
      steps.put(box.group(1), new ArrayList<>(matches(STEP, text).stream().distinct().toList()));
    }
    return steps;
  }

  private static String picture() {
    String section = section();
    int start = section.indexOf("```mermaid\n") + "```mermaid".length();
    return section.substring(start, section.indexOf("```", start));
  }

  private static String section() {
    Matcher matcher = SECTION.matcher(MarkdownPage.read("docs/routes.md").text());
    assertThat(matcher.find()).isTrue();
    return matcher.group(1);
  }

  private static List<String> matches(Pattern pattern, String text) {
    return pattern.matcher(text).results().map(match -> match.group(match.groupCount())).toList();
  }
}
