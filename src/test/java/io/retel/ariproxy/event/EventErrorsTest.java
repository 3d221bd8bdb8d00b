// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.ari.MalformedEventException;
import io.retel.ariproxy.fixtures.route.FailingRoute;
import io.retel.ariproxy.fixtures.route.MockedSteps;
import org.junit.jupiter.api.Test;

/** Which step handles which failed event, with mocks. */
class EventErrorsTest {

  @Test
  void countsMalformedEvent() throws Exception {
    assertHandledBy("handleMalformedEvent", new MalformedEventException("no JSON"), "any");
  }

  @Test
  void retriesResyncLaterIfItsRouteIsUnavailable() throws Exception {
    assertHandledBy("handleResyncFailure", new IllegalStateException(), "CamelAhcWsEvent");
  }

  @Test
  void countsLostEventWithoutRetry() throws Exception {
    assertHandledBy("handleLostEvent", new IllegalStateException(), "any");
  }

  private static void assertHandledBy(String step, Exception failure, String header)
      throws Exception {
    FailingRoute route = new FailingRoute(EventErrors.ID, failure);
    try (MockedSteps steps =
        new MockedSteps("handleMalformedEvent", "handleResyncFailure", "handleLostEvent")
            .add(new EventErrors(), route)
            .start()) {
      assertThat(steps.send(FailingRoute.URI, header, "CONNECTED").getException()).isNull();
      assertThat(route.attempts()).isOne();
      assertThat(steps.calls()).containsExactly(step);
    }
  }
}
