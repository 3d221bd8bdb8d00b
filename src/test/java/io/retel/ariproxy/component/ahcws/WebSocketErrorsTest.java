// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.net.ConnectException;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WebSocketErrorsTest {

  private static final String ADDRESS = "ws://asterisk:8088/ari/events";

  @Test
  void namesReasonOfFailedConnect() {
    assertThat(unreachable(new ConnectException("Connection refused: asterisk:8088")))
        .isEqualTo(ADDRESS + " is not reachable: Connection refused: asterisk:8088");
  }

  /** A server can send another status line of 8 KB at each attempt. */
  @Test
  void abbreviatesForeignText() {
    assertThat(unreachable(new IllegalArgumentException("invalid version: " + "x".repeat(8_000))))
        .startsWith(ADDRESS + " is not reachable: invalid version: xxx")
        .endsWith("… (8017 characters)")
        .hasSizeLessThan(300);
  }

  @Test
  void cycleOfCausesEnds() {
    IllegalStateException one = new IllegalStateException("one");
    one.initCause(new IllegalStateException("two", one));
    assertTimeoutPreemptively(
        Duration.ofSeconds(10),
        () -> assertThat(WebSocketErrors.rootCauseMessage(one)).isIn("one", "two"));
  }

  private static String unreachable(Exception cause) {
    return WebSocketErrors.unreachable(ADDRESS, cause, error -> Optional.empty());
  }
}
