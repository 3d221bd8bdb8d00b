// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The route files as they are shipped with this version; the jar contains them. */
final class ShippedFiles {

  /** The YAML of the compiled routes, which a file of an author can replace. */
  private static final Set<String> COMPILED = Set.of("publish-missed-events", "resync");

  private ShippedFiles() {}

  /** Returns the ids of the compiled routes. */
  static Set<String> compiledRoutes() {
    return COMPILED;
  }

  /** Returns whether a route is compiled, unless a file replaces it. */
  static boolean isCompiledRoute(String id) {
    return COMPILED.contains(id);
  }

  /** Returns the ids of all steps, routes and clauses. */
  static Set<String> ids() {
    return Ids.ALL;
  }

  /**
   * Returns how a file differs from the shipped one of its name, such as {@code 3 lines added, 1
   * removed}; empty if it does not, or no such file is shipped.
   */
  static Optional<String> difference(String name, String content) {
    if (!RouteFiles.SHIPPED.contains(name)) {
      return Optional.empty();
    }
    List<String> shipped = read(name).lines().toList();
    List<String> edited = content.lines().toList();
    int added = without(edited, shipped).size();
    int removed = without(shipped, edited).size();
    return shipped.equals(edited)
        ? Optional.empty()
        : Optional.of(
            added + removed == 0
                ? "lines in another order"
                : "%d lines added, %d removed".formatted(added, removed));
  }

  /** Returns the lines that others do not have as often. */
  private static List<String> without(List<String> lines, List<String> others) {
    List<String> remaining = new ArrayList<>(lines);
    others.forEach(remaining::remove);
    return remaining;
  }

  private static String read(String name) {
    try (InputStream file =
        Objects.requireNonNull(ShippedFiles.class.getResourceAsStream("shipped/" + name), name)) {
      return new String(file.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Read when a shipped route is built, not by programs that only compare files. */
  private static final class Ids {

    static final Set<String> ALL = all();

    private static Set<String> all() {
      Set<String> ids = new HashSet<>();
      Set<String> names = new HashSet<>(RouteFiles.SHIPPED);
      COMPILED.forEach(id -> names.add(id + ".camel.yaml"));
      for (String name : names) {
        collect(new Load(LoadSettings.builder().build()).loadFromString(read(name)), ids);
      }
      return Set.copyOf(ids);
    }

    private static void collect(Object node, Set<String> ids) {
      if (node instanceof Map<?, ?> map) {
        if (map.get("id") instanceof String id) {
          ids.add(id);
        }
        map.values().forEach(child -> collect(child, ids));
      } else if (node instanceof Iterable<?> list) {
        list.forEach(child -> collect(child, ids));
      }
    }
  }
}
