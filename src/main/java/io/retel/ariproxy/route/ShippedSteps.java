// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The ids in the route files as they are shipped, which the jar contains as well. */
final class ShippedSteps {

  private static final Set<String> IDS = read();

  private ShippedSteps() {}

  static Set<String> ids() {
    return IDS;
  }

  private static Set<String> read() {
    Set<String> ids = new HashSet<>();
    for (String name : RouteFiles.SHIPPED) {
      try (InputStream file =
          Objects.requireNonNull(ShippedSteps.class.getResourceAsStream("shipped/" + name), name)) {
        collect(new Load(LoadSettings.builder().build()).loadFromInputStream(file), ids);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
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
