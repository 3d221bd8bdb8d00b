// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static io.retel.ariproxy.app.ProxyState.DRAINING;
import static io.retel.ariproxy.app.ProxyState.PAUSED;
import static io.retel.ariproxy.app.ProxyState.RESTORING;
import static io.retel.ariproxy.app.ProxyState.RUNNING;
import static io.retel.ariproxy.app.ProxyState.STARTING;
import static io.retel.ariproxy.app.ProxyState.STOPPED;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.time.Moment;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Transitions of the proxy's state, and their log lines. */
class LifecycleTest {

  private static final Map<ProxyState, Set<ProxyState>> ALLOWED =
      Map.of(
          STARTING, EnumSet.of(RESTORING, DRAINING, STOPPED),
          RESTORING, EnumSet.of(RUNNING, PAUSED, DRAINING, STOPPED),
          RUNNING, EnumSet.of(PAUSED, DRAINING),
          PAUSED, EnumSet.of(RUNNING, DRAINING),
          DRAINING, EnumSet.of(STOPPED),
          STOPPED, EnumSet.noneOf(ProxyState.class));

  /** A path of transitions from STARTING to each state. */
  private static final Map<ProxyState, List<ProxyState>> PATHS =
      Map.of(
          STARTING, List.of(),
          RESTORING, List.of(RESTORING),
          RUNNING, List.of(RESTORING, RUNNING),
          PAUSED, List.of(RESTORING, RUNNING, PAUSED),
          DRAINING, List.of(RESTORING, RUNNING, DRAINING),
          STOPPED, List.of(RESTORING, RUNNING, DRAINING, STOPPED));

  @AutoClose private final Closer closer = new Closer();
  private final CapturedLog log = closer.register(new CapturedLog());
  private Instant now = Instant.EPOCH;

  @ParameterizedTest
  @EnumSource
  void entersAllowedStatesOnly(ProxyState from) {
    for (ProxyState next : ProxyState.values()) {
      Lifecycle lifecycle = lifecycleIn(from);
      now = now.plusSeconds(1);
      boolean allowed = ALLOWED.get(from).contains(next);

      lifecycle.enter(next, "test");

      assertThat(lifecycle.state()).as("%s to %s", from, next).isEqualTo(allowed ? next : from);
      assertThat(lifecycle.stateSince().equals(now)).as("%s to %s", from, next).isEqualTo(allowed);
    }
  }

  @Test
  void logsEachTransitionOnce() {
    lifecycleIn(STOPPED);
    assertThat(log.lines(Level.INFO))
        .containsExactly(
            "State RESTORING: by test",
            "State RUNNING: by test",
            "State DRAINING: by test",
            "State STOPPED: by test");
  }

  @Test
  void logsIllegalTransitionOnce() {
    Lifecycle lifecycle = lifecycleIn(RUNNING);
    lifecycle.enter(RESTORING, "test");
    lifecycle.enter(RESTORING, "test");
    assertThat(log.lines(Level.ERROR))
        .containsExactly("State RESTORING rejected: not allowed after RUNNING; report this error");
  }

  @Test
  void shutdownOvertakesStartupSilently() {
    Lifecycle lifecycle = lifecycleIn(RESTORING);
    lifecycle.enter(DRAINING, "test");
    lifecycle.completeStartup();
    assertThat(lifecycle.state()).isEqualTo(DRAINING);
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  @Test
  void pauseAndResumeChangeRunningState() {
    Lifecycle lifecycle = lifecycleIn(RUNNING);
    lifecycle.pause("commands paused");
    assertThat(lifecycle.state()).isEqualTo(PAUSED);
    assertThat(lifecycle.pausedSince()).contains(Instant.EPOCH);
    now = now.plusSeconds(90);
    lifecycle.resume();
    assertThat(lifecycle.state()).isEqualTo(RUNNING);
    assertThat(lifecycle.pausedSince()).isEmpty();
    assertThat(log.lines(Level.INFO))
        .endsWith("State PAUSED: commands paused", "State RUNNING: commands resumed after 90 s");
  }

  @Test
  void pauseDuringStartupTakesEffectAfterIt() {
    Lifecycle lifecycle = lifecycleIn(RESTORING);
    lifecycle.pause("commands paused");
    assertThat(lifecycle.state()).isEqualTo(RESTORING);
    lifecycle.completeStartup();
    assertThat(lifecycle.state()).isEqualTo(PAUSED);
    lifecycle.resume();
    assertThat(lifecycle.state()).isEqualTo(RUNNING);
  }

  @Test
  void resumeDuringStartupRevokesPause() {
    Lifecycle lifecycle = lifecycleIn(RESTORING);
    lifecycle.pause("commands paused");
    lifecycle.resume();
    lifecycle.completeStartup();
    assertThat(lifecycle.state()).isEqualTo(RUNNING);
  }

  @Test
  void ignoresResumeWithoutPause() {
    Lifecycle lifecycle = lifecycleIn(RUNNING);
    List<String> transitions = log.lines(Level.INFO);
    lifecycle.resume();
    assertThat(lifecycle.state()).isEqualTo(RUNNING);
    assertThat(log.lines(Level.INFO)).isEqualTo(transitions);
  }

  @Test
  void pauseAndResumeDuringShutdownDoNotChangeState() {
    Lifecycle lifecycle = lifecycleIn(DRAINING);
    lifecycle.pause("commands paused");
    lifecycle.resume();
    assertThat(lifecycle.state()).isEqualTo(DRAINING);
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  private Lifecycle lifecycleIn(ProxyState state) {
    Lifecycle lifecycle =
        new Lifecycle(() -> new Moment(now, TimeUnit.SECONDS.toNanos(now.getEpochSecond())));
    PATHS.get(state).forEach(next -> lifecycle.enter(next, "by test"));
    assertThat(lifecycle.state()).isEqualTo(state);
    return lifecycle;
  }
}
