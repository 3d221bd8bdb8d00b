// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link ManagementAccessIT} attacks the same over HTTP. */
class JmxAccessTest {

  private final JmxAccess access = new JmxAccess(new RefusedRequests(new SimpleMeterRegistry()));

  @ParameterizedTest
  @ValueSource(strings = {"", "*", "events", "execute-command*", "events,publish*, a.b-c_d", "*,*"})
  void allowsTracePatternsOfIds(String pattern) {
    assertThat(isAllowed(pattern)).isTrue();
  }

  /** Camel matches them as regular expressions at each step, on the threads of all routes. */
  @ParameterizedTest
  @ValueSource(strings = {".*.*x", ".*", "a.*", "a*b*c", "a**", "events,.*.*.*x", "(a", "a|b", ","})
  void deniesTracePatternsThatBacktrack(String pattern) {
    assertThat(isAllowed(pattern)).isFalse();
  }

  @Test
  void boundsTracePatterns() {
    assertThat(isAllowed("x".repeat(1_000))).isTrue();
    assertThat(isAllowed("x".repeat(1_001))).isFalse();
    assertThat(isAllowed("x,".repeat(499) + "x.")).isFalse();
  }

  private boolean isAllowed(String pattern) {
    ObjectNode request = new ObjectMapper().createObjectNode();
    return access.isValueAllowed(request.put("attribute", "TracePattern").put("value", pattern));
  }
}
