// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShippedRoutesCollectorTest {

  @TempDir private Path folder;

  /** Such as a link from the folder of the program to {@code /etc}. */
  @ParameterizedTest
  @ValueSource(strings = {"", "/"})
  void findsFilesOfLinkedFolder(String end) throws IOException {
    Path target = Files.createDirectory(folder.resolve("target"));
    RoutesDirectory.copyTo(target);
    Files.writeString(target.resolve("own.camel.yaml"), "- beans: []\n");
    Path link = Files.createSymbolicLink(folder.resolve("routes"), target);

    assertThat(find(link + end))
        .containsExactlyElementsOf(
            RouteFiles.list(link).stream().filter(RouteFiles::isShipped).toList())
        .hasSize(5);
  }

  private static Collection<Path> find(String routes) throws IOException {
    try (DefaultCamelContext context = new DefaultCamelContext()) {
      return new ShippedRoutesCollector(Path.of(routes))
          .findRouteResourcesFromDirectory(context, null, "file:" + routes + "/*.yaml").stream()
              .map(ActiveRoutes::toPath)
              .sorted()
              .toList();
    }
  }
}
