// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static io.retel.ariproxy.command.CommandConsumption.State.DRAINED;
import static io.retel.ariproxy.command.CommandConsumption.State.DRAINING;
import static io.retel.ariproxy.command.CommandConsumption.State.RUNNING;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CommandConsumptionTest {

  private int inFlight = 1;
  private int pending = 1;
  private List<String> activeRoutes = List.of("commands");

  private final List<String> pauses = new ArrayList<>();

  private final CommandConsumption consumption =
      new CommandConsumption(() -> inFlight, () -> pending, () -> activeRoutes, new FakePause());

  @Test
  void drainsUntilNothingIsInFlightOrPendingAndRoutesHaveStopped() {
    assertThat(consumption.state()).isEqualTo(RUNNING);
    consumption.pause();
    assertThat(consumption.update()).isEqualTo(DRAINING);
    inFlight = 0;
    assertThat(consumption.update()).isEqualTo(DRAINING);
    pending = 0;
    assertThat(consumption.update()).isEqualTo(DRAINING);
    activeRoutes = List.of();
    assertThat(consumption.update()).isEqualTo(DRAINED);
    assertThat(consumption.pausedSince()).isPresent();
  }

  @Test
  void resumesOnlyOnceDrained() {
    consumption.pause();
    consumption.resume();
    assertThat(consumption.update()).isEqualTo(DRAINING);
    drain();
    assertThat(consumption.update()).isEqualTo(RUNNING);
    assertThat(consumption.pausedSince()).isEmpty();
  }

  @Test
  void pauseRevokesRequestedResume() {
    consumption.pause();
    consumption.resume();
    consumption.pause();
    drain();
    assertThat(consumption.update()).isEqualTo(DRAINED);
    consumption.resume();
    assertThat(consumption.state()).isEqualTo(RUNNING);
  }

  @Test
  void stateIsQueryOnly() {
    consumption.pause();
    consumption.resume();
    drain();
    assertThat(consumption.state()).isEqualTo(DRAINED);
    assertThat(consumption.state()).isEqualTo(DRAINED);
    assertThat(consumption.update()).isEqualTo(RUNNING);
  }

  @Test
  void pauseOfGenericCommandsIsNoStateAndEndsOnResume() {
    consumption.pauseGeneric();
    consumption.pauseGeneric();
    assertThat(consumption.isGenericPaused()).isTrue();
    assertThat(consumption.update()).isEqualTo(RUNNING);
    consumption.resume();
    assertThat(consumption.isGenericPaused()).isFalse();
  }

  @Test
  void pauseDescribesEffectOnCommands() {
    pending = 2;
    consumption.pause();
    consumption.pause();
    assertThat(pauses)
        .containsExactly(
            "commands paused until resumed by an operator, 1 in flight will complete, 2 pending are"
                + " released");
  }

  private void drain() {
    inFlight = 0;
    pending = 0;
    activeRoutes = List.of();
  }

  private final class FakePause implements CommandConsumption.Pause {

    private Instant since;

    @Override
    public Optional<Instant> pausedSince() {
      return Optional.ofNullable(since);
    }

    @Override
    public void pause(String detail) {
      since = Instant.EPOCH;
      pauses.add(detail);
    }

    @Override
    public void resume() {
      since = null;
    }
  }
}
