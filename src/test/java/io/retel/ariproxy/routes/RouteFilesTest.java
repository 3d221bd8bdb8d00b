// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.app.RoutesUnderTest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.apache.camel.Route;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * Rules for every file in {@code routes/}, so that it can be read, watched and edited. They hold
 * for the YAML of the compiled routes as well.
 */
class RouteFilesTest {

  private static final String EXTENSION = ".camel.yaml";

  /** Steps that an operator can monitor, weave or trace. */
  private static final Set<String> STEPS =
      Set.of(
          "to",
          "toD",
          "process",
          "bean",
          "log",
          "choice",
          "filter",
          "split",
          "multicast",
          "wireTap");

  private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{([^}]*)}}");

  static List<Path> files() throws IOException {
    List<Path> files = new ArrayList<>(RoutesUnderTest.routeFiles());
    files.addAll(RoutesUnderTest.compiledRouteFiles());
    return files;
  }

  @Test
  void allRoutesLoad() throws Exception {
    try (RoutesUnderTest routes = RoutesUnderTest.loadWithoutStarting()) {
      assertThat(routes.context().getRoutes())
          .extracting(Route::getId)
          .containsExactlyInAnyOrderElementsOf(
              files().stream()
                  .filter(file -> body(file).containsKey("from"))
                  .map(RouteFilesTest::name)
                  .toList());
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void containsOneElementNamedLikeFile(Path file) {
    assertThat(file.getFileName().toString()).endsWith(EXTENSION);
    assertThat(entries(file)).hasSize(1);
    assertThat(entries(file).get(0).keySet()).hasSize(1).isSubsetOf("route", "routeConfiguration");
    assertThat(body(file)).containsEntry("id", name(file));
  }

  @ParameterizedTest
  @MethodSource("files")
  void hasCommentAndDescription(Path file) throws IOException {
    assertThat(Files.readString(file)).startsWith("# ");
    if (body(file).containsKey("from")) {
      assertThat((String) body(file).get("description")).endsWith(".");
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void everyStepHasId(Path file) {
    walk(
        body(file),
        (key, value) -> {
          if (STEPS.contains(key) || key.equals("from")) {
            assertThat(asMap(value)).as("%s in %s", key, file).containsKey("id");
          }
        });
  }

  @Test
  void idsAreUnique() throws IOException {
    List<Object> ids = new ArrayList<>();
    for (Path file : files()) {
      walk(
          body(file),
          (key, value) -> {
            if (key.equals("id")) {
              ids.add(value);
            }
          });
    }
    assertThat(ids).isNotEmpty().doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @MethodSource("files")
  void urisHaveNoOptions(Path file) {
    walk(
        body(file),
        (key, value) -> {
          if (key.equals("uri")) {
            assertThat((String) value).doesNotContain("?");
          }
        });
  }

  @ParameterizedTest
  @MethodSource("files")
  void isInCanonicalForm(Path file) {
    Set<String> expanded = Set.of("simple", "constant", "header", "exchangeProperty", "from");
    walk(
        body(file),
        (key, value) -> {
          if (STEPS.contains(key) || expanded.contains(key)) {
            assertThat(value).as("%s in %s", key, file).isInstanceOf(Map.class);
          }
        });
  }

  @ParameterizedTest
  @MethodSource("files")
  void placeholdersAreSettings(Path file) throws IOException {
    assertThat(PLACEHOLDER.matcher(Files.readString(file)).results().map(RouteFilesTest::key))
        .isSubsetOf(RoutesUnderTest.settings(Map.of()).placeholders().stringPropertyNames());
  }

  @ParameterizedTest
  @MethodSource("files")
  void containsNoSecret(Path file) throws IOException {
    assertThat(Files.readString(file)).doesNotContainIgnoringCase("password");
  }

  private static String key(MatchResult placeholder) {
    return placeholder.group(1);
  }

  private static String name(Path file) {
    return file.getFileName().toString().replace(EXTENSION, "");
  }

  private static Map<String, Object> body(Path file) {
    return asMap(entries(file).get(0).values().iterator().next());
  }

  @SuppressWarnings("unchecked")
  private static List<Map<String, Object>> entries(Path file) {
    try {
      return (List<Map<String, Object>>)
          new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> asMap(Object value) {
    assertThat(value).isInstanceOf(Map.class);
    return (Map<String, Object>) value;
  }

  /** Visits each key with its value, recursively; does not descend into endpoint parameters. */
  private static void walk(Object node, BiConsumer<String, Object> visitor) {
    if (node instanceof List<?> list) {
      list.forEach(item -> walk(item, visitor));
    } else if (node instanceof Map<?, ?> map) {
      map.forEach(
          (key, value) -> {
            visitor.accept((String) key, value);
            if (!key.equals("parameters")) {
              walk(value, visitor);
            }
          });
    }
  }
}
