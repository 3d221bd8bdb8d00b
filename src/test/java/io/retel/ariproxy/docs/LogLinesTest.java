// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Log lines quoted in {@code docs/troubleshooting.md} exist in the code. */
class LogLinesTest {

  private static final Path PAGE = Path.of("docs", "troubleshooting.md");
  private static final Pattern FIRST_CELL = Pattern.compile("\\| (`[^|]*`) \\|.*");
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  /** Matches the code between two literals of one text. */
  private static final Pattern CONCATENATION = Pattern.compile("\"\\s*\\+\\s*\"");

  private static String code;

  @BeforeAll
  static void readCode() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src", "main", "java"))) {
      code =
          files
              .filter(file -> file.toString().endsWith(".java"))
              .sorted()
              .map(LogLinesTest::read)
              .collect(Collectors.joining("\n"));
    }
    code = CONCATENATION.matcher(code).replaceAll("");
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Stream<String> quotedLines() {
    String page = MarkdownPage.read(PAGE.toString()).text();
    return page.substring(page.indexOf("\n## Log lines\n"))
        .lines()
        .map(FIRST_CELL::matcher)
        .filter(row -> row.matches())
        .flatMap(row -> CODE.matcher(row.group(1)).results())
        .map(quote -> quote.group(1));
  }

  @ParameterizedTest
  @MethodSource("quotedLines")
  void everyFragmentIsInTheCode(String line) {
    assertThat(
            Arrays.stream(line.split("…|\\b\\d+\\b"))
                .flatMap(fragment -> Arrays.stream(fragment.split("(?<=[:;.])$|^[:;.]+")))
                .map(String::strip)
                .filter(fragment -> fragment.length() > 3))
        .allMatch(fragment -> code.contains(fragment));
  }
}
