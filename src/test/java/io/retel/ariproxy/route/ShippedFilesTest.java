// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.app.RoutesUnderTest;
import org.apache.camel.model.RouteDefinition;
import org.junit.jupiter.api.Test;

/** The shipped files and the compiled routes. */
class ShippedFilesTest {

  /** The steps of one that is missing would count as those of an author. */
  @Test
  void everyCompiledRouteIsKnown() throws Exception {
    try (RoutesUnderTest routes = RoutesUnderTest.loadWithoutStarting()) {
      assertThat(routes.context().getRouteDefinitions())
          .filteredOn(route -> route.getResource() == null)
          .extracting(RouteDefinition::getRouteId)
          .containsExactlyInAnyOrderElementsOf(ShippedFiles.compiledRoutes());
    }
  }
}
