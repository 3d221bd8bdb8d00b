// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Java takes stack for each repetition of a group, unless its quantifier is possessive: a few
 * kilobytes of a foreign text end the thread.
 */
class RegularExpressionsTest {

  private static final Pattern LITERAL = Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*+\"");

  private static final Pattern REPEATED_GROUP =
      Pattern.compile("(?<!\\\\)\\)(?:[*+]|\\{\\d+,\\d*})(?!\\+)");

  /** They read settings. */
  private static final List<String> HARMLESS =
      List.of(
          "JdbcStoreProvider.java:"
              + " \"jdbc:postgresql:(//%1$s(,%1$s)*(/[^@?]*)?|(?!//)[^@?]*)(\\\\?%2$s(&%2$s)*)?\"",
          "SqliteUrl.java: \"(%[0-9a-fA-F]{2})+\"");

  @Test
  void repeatsNoGroupOfForeignText() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      assertThat(
              files
                  .filter(file -> file.toString().endsWith(".java"))
                  .flatMap(RegularExpressionsTest::repeatedGroups))
          .containsExactlyInAnyOrderElementsOf(HARMLESS);
    }
  }

  private static Stream<String> repeatedGroups(Path file) {
    try {
      return Files.readAllLines(file).stream()
          .filter(line -> !line.strip().startsWith("*"))
          .flatMap(line -> LITERAL.matcher(line).results())
          .map(literal -> literal.group())
          .filter(literal -> REPEATED_GROUP.matcher(literal).find())
          .map(literal -> file.getFileName() + ": " + literal);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void possessiveRepetitionTakesNoStack() {
    String list = "a" + ",b".repeat(500_000);
    assertThat(Pattern.matches("[ab](?:,(?:a|b)+)*+", list)).isTrue();
    assertThatThrownBy(() -> Pattern.matches("[ab](?:,(?:a|b)+)*", list))
        .isInstanceOf(StackOverflowError.class);
  }
}
