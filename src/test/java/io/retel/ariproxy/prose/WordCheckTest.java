// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.prose;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Checks prose and identifiers against {@code prose/words.tsv}, so that old habits do not return.
 */
class WordCheckTest {

  private static final Path WORDS = Path.of("src", "test", "resources", "prose", "words.tsv");
  private static final Pattern TEXT_FILE =
      Pattern.compile(
          ".*\\.(java|md|ya?ml|properties|xml|sh|json|service|conf|txt)|.*/(Dockerfile|run|ari-proxy|migrate|jre|image|asterisk|verify|demo|bare-debian|pod|debian-package|postinst|prerm|postrm)");
  private static final Pattern SKIPPED =
      Pattern.compile(
          "(target|\\.git|\\.idea|\\.mvn/wrapper)/.*|LICENSE|mvnw.*|src/test/resources/(ari|asyncapi|compose|golden|prose|schema)/.*"
              + "|src/test/java/io/retel/ariproxy/prose/.*");

  private static final Pattern COMMENT_OR_STRING =
      Pattern.compile(
          "/\\*.*?\\*/|//[^\n]*|\"\"\".*?\"\"\"|\"(?:[^\"\\\\\n]|\\\\.)*\"", Pattern.DOTALL);
  private static final Pattern MARKDOWN_CODE =
      Pattern.compile("^```.*?^```|`[^`\n]*`", Pattern.DOTALL | Pattern.MULTILINE);
  private static final Pattern JAVADOC_CODE = Pattern.compile("\\{@(code|link)[^}]*}");
  private static final Pattern IDENTIFIER = Pattern.compile("[A-Za-z_$][A-Za-z0-9_$]+");

  /** Between two words: blanks, or a line break in a comment or a concatenation of strings. */
  private static final String WORD_GAP = "[\\s*/#\"+]{1,60}";

  private record Rule(Pattern pattern, String instead) {

    static Rule parse(String line) {
      String[] parts = line.split("\t");
      return new Rule(pattern(parts[0].replace(" ", WORD_GAP)), parts[1]);
    }

    static Pattern pattern(String words) {
      return Pattern.compile("\\b(?:" + words + ")\\b", Pattern.CASE_INSENSITIVE);
    }
  }

  /**
   * @param any matches where one of the rules does; one search for all of them is much faster
   */
  private record Rules(List<Rule> rules, Pattern any) {

    static Rules parse(List<String> lines) {
      List<Rule> rules = lines.stream().map(Rule::parse).toList();
      return new Rules(
          rules,
          Rule.pattern(
              rules.stream().map(rule -> rule.pattern.pattern()).collect(Collectors.joining("|"))));
    }
  }

  private record Violation(Path file, int line, String found, String instead) {

    @Override
    public String toString() {
      return file + ":" + line + ": \"" + found + "\", write: " + instead;
    }
  }

  @Test
  void proseUsesStandardTerms() throws IOException {
    Rules rules = rules().get(0);
    List<Violation> violations = new ArrayList<>();
    for (Path file : textFiles()) {
      check(file, prose(file), rules, violations);
    }
    assertThat(violations).isEmpty();
  }

  @Test
  void identifiersUseStandardTerms() throws IOException {
    Rules rules = rules().get(1);
    List<Violation> violations = new ArrayList<>();
    for (Path file : textFiles()) {
      if (file.toString().endsWith(".java")) {
        String code = blank(Files.readString(file), COMMENT_OR_STRING);
        check(file, splitIdentifiers(code), rules, violations);
      }
    }
    assertThat(violations).isEmpty();
  }

  private static void check(Path file, String text, Rules rules, List<Violation> violations) {
    if (!rules.any.matcher(text).find()) {
      return;
    }
    for (Rule rule : rules.rules) {
      Matcher found = rule.pattern.matcher(text);
      while (found.find()) {
        int line = (int) text.substring(0, found.start()).chars().filter(c -> c == '\n').count();
        violations.add(new Violation(file, line + 1, found.group(), rule.instead));
      }
    }
  }

  /** The prose of a file, with everything else blanked, so that line numbers are preserved. */
  private static String prose(Path file) throws IOException {
    String text = Files.readString(file);
    String name = file.toString();
    if (name.endsWith(".java")) {
      return blank(retain(text, COMMENT_OR_STRING), JAVADOC_CODE);
    }
    return name.endsWith(".md") ? blank(text, MARKDOWN_CODE) : text;
  }

  private static String retain(String text, Pattern pattern) {
    StringBuilder retained = new StringBuilder(blank(text));
    Matcher matcher = pattern.matcher(text);
    while (matcher.find()) {
      retained.replace(matcher.start(), matcher.end(), matcher.group());
    }
    return retained.toString();
  }

  private static String blank(String text, Pattern pattern) {
    return pattern.matcher(text).replaceAll(match -> blank(match.group()));
  }

  /** Replaces all but line breaks with spaces; much faster than a regular expression. */
  private static String blank(String text) {
    StringBuilder blank = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      blank.append(text.charAt(i) == '\n' ? '\n' : ' ');
    }
    return blank.toString();
  }

  /** Identifiers as words: {@code whatIsKept} becomes "what is kept". */
  private static String splitIdentifiers(String code) {
    return IDENTIFIER
        .matcher(code)
        .replaceAll(
            match ->
                match
                    .group()
                    .replaceAll("(?<=[a-z0-9])(?=[A-Z])|_|\\$", " ")
                    .toLowerCase(Locale.ROOT));
  }

  private static List<Rules> rules() throws IOException {
    List<String> lines =
        Files.readAllLines(WORDS).stream()
            .filter(line -> !line.startsWith("#") && !line.isBlank())
            .toList();
    int identifiers = lines.indexOf("identifiers");
    return List.of(
        Rules.parse(lines.subList(0, identifiers)),
        Rules.parse(lines.subList(identifiers + 1, lines.size())));
  }

  private static List<Path> textFiles() throws IOException {
    List<Path> textFiles = new ArrayList<>();
    Files.walkFileTree(
        Path.of(""),
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            // other tests write to target
            return SKIPPED.matcher(directory + "/").matches()
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (attributes.isRegularFile()
                && TEXT_FILE.matcher("/" + file).matches()
                && !SKIPPED.matcher(file.toString()).matches()) {
              textFiles.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    textFiles.sort(null);
    return textFiles;
  }
}
