package io.retel.ariproxy.command;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether commands are taken. An operator may pause that, so that all which is under way comes to
 * its end before maintenance: commands of this proxy's own topic wait in Kafka then, those of the
 * generic one go to the other proxies. Events go on.
 *
 * <p>The routes that read commands ask {@link #isRunning} again and again and run accordingly; so a
 * pause outlives the edit of a route, but not the process. Safe for use by many threads.
 */
public final class CommandConsumption {

  private static final Logger LOG = LoggerFactory.getLogger(CommandConsumption.class);

  /** How far a pause is. */
  public enum State {
    /** No pause: commands are taken while their routes run. */
    RUNNING,
    /** No more are taken, some are under way. */
    DRAINING,
    /** None is under way any more. */
    DRAINED
  }

  private final IntSupplier inFlight;
  private final IntSupplier pending;
  private final Supplier<List<String>> activeRoutes;
  private final InstantSource clock;

  private State state = State.RUNNING;
  private Instant pausedSince;
  private boolean resumeRequested;

  /**
   * @param underWay how many commands are being carried out, or answered
   * @param waiting how many have been read and wait for their turn
   * @param readers the routes that read commands now, those that are just stopping included
   * @param clock the time of day
   */
  public CommandConsumption(
      IntSupplier inFlight,
      IntSupplier pending,
      Supplier<List<String>> activeRoutes,
      InstantSource clock) {
    this.inFlight = inFlight;
    this.pending = pending;
    this.activeRoutes = activeRoutes;
    this.clock = clock;
  }

  /** Takes no more commands. What is under way is finished; what only waits goes back to Kafka. */
  public synchronized void pause() {
    resumeRequested = false;
    if (state == State.RUNNING) {
      state = State.DRAINING;
      pausedSince = clock.instant();
      LOG.info(
          "Commands are paused, none is taken until they are resumed: {} are under way, {} that wait"
              + " are given back",
          inFlight(),
          pending());
    }
  }

  /**
   * Takes commands again: as soon as those from before the pause are answered, so that none of them
   * is read and carried out a second time.
   */
  public synchronized void resume() {
    resumeRequested = true;
    isRunning();
  }

  /** Whether the routes that read commands may run. */
  public synchronized boolean isRunning() {
    if (state == State.DRAINING && activeRoutes.get().isEmpty() && inFlight() + pending() == 0) {
      state = State.DRAINED;
      LOG.info("Commands are drained: what was under way has come to its end");
    }
    if (state == State.DRAINED && resumeRequested) {
      state = State.RUNNING;
      LOG.info(
          "Commands are resumed, after {} s",
          Duration.between(pausedSince, clock.instant()).toSeconds());
      pausedSince = null;
    }
    return state == State.RUNNING;
  }

  /** How far a pause is. */
  public synchronized State state() {
    isRunning();
    return state;
  }

  /** Since when commands are paused. */
  public synchronized Optional<Instant> pausedSince() {
    return Optional.ofNullable(pausedSince);
  }

  /** How many commands are being carried out, or answered. */
  public int inFlight() {
    return inFlight.getAsInt();
  }

  /** How many commands have been read and wait for their turn. */
  public int pending() {
    return pending.getAsInt();
  }

  /** The routes that read commands now. */
  public List<String> activeRoutes() {
    return activeRoutes.get();
  }
}
