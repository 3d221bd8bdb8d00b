// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/architecture.md matches the layers of {@link ArchitectureTest}, class names and state. */
class ArchitecturePageTest {

  private static final Path PAGE = Path.of("docs", "architecture.md");
  private static final Path SOURCES = Path.of("src", "main", "java", "io", "retel", "ariproxy");

  private static final Pattern LAYER =
      Pattern.compile("(?m)^\\| \\d \\| (root|`\\w+`(?:, `\\w+`)*) \\|");
  private static final Pattern PACKAGE = Pattern.compile("`(\\w+)`");
  private static final Pattern QUALIFIED_CLASS = Pattern.compile("`((?:[a-z]+\\.)+[A-Z]\\w+)`");
  private static final Pattern DIAGRAM = Pattern.compile("(?s)```text\n(.*?)```");
  private static final Pattern CLASS = Pattern.compile("\\b(?:[A-Z][a-z]+){2,}\\b");

  /** A field with a mutable collection or cache, or a volatile one. */
  private static final Pattern MUTABLE_FIELD =
      Pattern.compile(
          "(?m)^ {2}private (?:final )?(?:volatile |.*\\bCache<|.* = (?:new (?!.*Lock\\(\\))\\w*(?:Map|Set|Deque|List|Atomic\\w+)\\b|ConcurrentHashMap\\.newKeySet))");

  private static final Set<String> NOT_CLASSES_OF_THE_PROXY =
      Set.of("ApplicationReplaced", "KafkaConsumer");

  /** Filled at startup only, or part of another state. */
  private static final Map<String, String> NOT_ON_PAGE =
      Map.ofEntries(
          Map.entry("AriOperations", "constants"),
          Map.entry("Setting", "constants"),
          Map.entry("Settings", "filled when they are read"),
          Map.entry("CompiledRoutes", "filled at startup"),
          Map.entry("Gauges", "filled at startup"),
          Map.entry("ManagedBeans", "filled at startup"),
          Map.entry("EventReader", "one event"),
          Map.entry("MessageUnitOfWork", "one message"),
          Map.entry("Reconciler", "one resync"),
          Map.entry("AhcWsConsumer", "its connection, see WebSocketConnection"),
          Map.entry("AckExecutor", "its thread"),
          Map.entry("LogTracer", "the backlog tracer's filter, parsed"),
          Map.entry("CassandraStore", "its client"),
          Map.entry("RedisStore", "its client"),
          Map.entry("JdbcStore", "its connection"),
          Map.entry("KafkaStore", "its client"),
          Map.entry("KafkaProbe", "its client"));

  @Test
  void tableListsEnforcedLayers() throws IOException {
    List<List<String>> layers = new ArrayList<>();
    for (MatchResult row : LAYER.matcher(Files.readString(PAGE)).results().toList()) {
      layers.add(
          row.group(1).equals("root")
              ? List.of("")
              : PACKAGE.matcher(row.group(1)).results().map(name -> name.group(1)).toList());
    }
    Collections.reverse(layers);
    assertThat(layers).isEqualTo(ArchitectureTest.LAYERS);
  }

  @Test
  void ownersOfStateExist() throws IOException {
    List<String> owners =
        QUALIFIED_CLASS
            .matcher(Files.readString(PAGE))
            .results()
            .map(owner -> owner.group(1))
            .toList();
    assertThat(owners)
        .hasSizeGreaterThan(30)
        .allSatisfy(
            owner -> assertThat(SOURCES.resolve(owner.replace('.', '/') + ".java")).exists());
  }

  @Test
  void classesInDiagramsExist() throws IOException {
    Set<String> named =
        DIAGRAM
            .matcher(Files.readString(PAGE))
            .results()
            .flatMap(diagram -> CLASS.matcher(diagram.group(1)).results())
            .map(MatchResult::group)
            .collect(Collectors.toCollection(TreeSet::new));
    named.removeAll(NOT_CLASSES_OF_THE_PROXY);
    assertThat(named).hasSizeGreaterThan(40);
    assertThat(sources().keySet()).containsAll(named);
  }

  @Test
  void pageNamesEveryOwnerOfMutableState() throws IOException {
    String page = Files.readString(PAGE);
    Set<String> missing =
        sources().entrySet().stream()
            .filter(source -> MUTABLE_FIELD.matcher(source.getValue()).find())
            .map(Map.Entry::getKey)
            .filter(owner -> !NOT_ON_PAGE.containsKey(owner))
            .filter(owner -> !page.contains("." + owner + "`"))
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(missing).as("classes with mutable state that the page does not name").isEmpty();
  }

  /** The text of each main class, by its name. */
  private static Map<String, String> sources() throws IOException {
    try (Stream<Path> files = Files.walk(SOURCES)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .filter(file -> !file.endsWith("package-info.java"))
          .collect(
              Collectors.toMap(
                  file -> file.getFileName().toString().replace(".java", ""),
                  ArchitecturePageTest::read));
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
