// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.route.FailingRoute;
import io.retel.ariproxy.fixtures.route.MockedSteps;
import org.junit.jupiter.api.Test;

/** Outcome of a failed resync, with mocks. */
class ResyncErrorsTest {

  @Test
  void handlesFailureWithoutRetry() throws Exception {
    assertAttempts(new IllegalStateException("unexpected"), 1);
  }

  private static void assertAttempts(Exception failure, int expected) throws Exception {
    FailingRoute route = new FailingRoute(ResyncErrors.ID, failure);
    try (MockedSteps steps =
        new MockedSteps("handleResyncFailure").add(new ResyncErrors(), route).start()) {
      assertThat(steps.send(FailingRoute.URI, "any", "value").getException()).isNull();
      assertThat(route.attempts()).isEqualTo(expected);
      assertThat(steps.calls()).containsExactly("handleResyncFailure");
    }
  }
}
