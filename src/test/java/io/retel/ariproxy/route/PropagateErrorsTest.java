// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.route.FailingRoute;
import io.retel.ariproxy.fixtures.route.MockedSteps;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.Test;

/** The calling route handles errors of a route with this configuration, with mocks. */
class PropagateErrorsTest {

  @Test
  void callingRouteHandlesError() throws Exception {
    FailingRoute route = new FailingRoute(PropagateErrors.ID, new IllegalStateException());
    RouteBuilder caller =
        new RouteBuilder() {
          @Override
          public void configure() {
            onException(IllegalStateException.class).handled(true).process("handle");
            from("direct:caller").to(FailingRoute.URI).process("next");
          }
        };
    try (MockedSteps steps =
        new MockedSteps("handle", "next").add(new PropagateErrors(), route, caller).start()) {
      assertThat(steps.send("direct:caller", "any", "value").getException()).isNull();
      assertThat(steps.calls()).containsExactly("handle");
      assertThat(route.attempts()).isOne();
    }
  }
}
