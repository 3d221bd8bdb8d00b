// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.component.lanes.GroupActivity;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When commands that hang are a fault of the proxy. */
class HangingCommandsTest {

  private static final Duration LIMIT = Duration.ofSeconds(70);

  @Test
  void commandWithinItsTimeoutsIsNoFault() {
    HangingCommands commands = hanging(Duration.ofSeconds(70));

    assertThat(commands.downReason()).isEmpty();
    assertThat(commands.oldest()).hasSeconds(70);
  }

  @Test
  void commandBeyondAllTimeoutsIsFault() {
    assertThat(hanging(Duration.ofSeconds(71)).downReason())
        .contains(
            "A command hangs for 71 s, beyond all timeouts (70 s): GET /channels (1 for up to 1.0 s,"
                + " 0 waiting), POST /bridges (1 for up to 71.0 s, 0 waiting)");
  }

  @Test
  void withoutCommandsNoneIsOld() {
    HangingCommands commands = new HangingCommands(List::of, () -> false, LIMIT);

    assertThat(commands.downReason()).isEmpty();
    assertThat(commands.oldest()).isZero();
  }

  private static HangingCommands hanging(Duration oldest) {
    return new HangingCommands(
        () ->
            List.of(
                new GroupActivity("GET /channels", 1, Duration.ofSeconds(1), 0),
                new GroupActivity("POST /bridges", 1, oldest, 0)),
        () -> false,
        LIMIT);
  }
}
