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
 * <p>The routes that read commands ask {@link #isOpen} again and again and run accordingly; so a
 * pause outlives the edit of a route, but not the process. Safe for use by many threads.
 */
public final class CommandIntake {

  private static final Logger LOG = LoggerFactory.getLogger(CommandIntake.class);

  /** How far a pause is. */
  public enum State {
    /** No pause: commands are taken while their routes run. */
    RUNNING,
    /** No more are taken, some are under way. */
    DRAINING,
    /** None is under way any more. */
    DRAINED
  }

  private final IntSupplier underWay;
  private final IntSupplier waiting;
  private final Supplier<List<String>> readers;
  private final InstantSource clock;

  private State state = State.RUNNING;
  private Instant pausedSince;
  private boolean resumeAsked;

  /**
   * @param underWay how many commands are being carried out, or answered
   * @param waiting how many have been read and wait for their turn
   * @param readers the routes that read commands now, those that are just stopping included
   * @param clock the time of day
   */
  public CommandIntake(
      IntSupplier underWay,
      IntSupplier waiting,
      Supplier<List<String>> readers,
      InstantSource clock) {
    this.underWay = underWay;
    this.waiting = waiting;
    this.readers = readers;
    this.clock = clock;
  }

  /** Takes no more commands. What is under way is finished; what only waits goes back to Kafka. */
  public synchronized void pause() {
    resumeAsked = false;
    if (state == State.RUNNING) {
      state = State.DRAINING;
      pausedSince = clock.instant();
      LOG.info(
          "Commands are paused, none is taken until they are resumed: {} are under way, {} that wait"
              + " are given back",
          underWay(),
          waiting());
    }
  }

  /**
   * Takes commands again: as soon as those from before the pause are answered, so that none of them
   * is read and carried out a second time.
   */
  public synchronized void resume() {
    resumeAsked = true;
    isOpen();
  }

  /** Whether the routes that read commands may run. */
  public synchronized boolean isOpen() {
    if (state == State.DRAINING && readers.get().isEmpty() && underWay() + waiting() == 0) {
      state = State.DRAINED;
      LOG.info("Commands are drained: what was under way has come to its end");
    }
    if (state == State.DRAINED && resumeAsked) {
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
    isOpen();
    return state;
  }

  /** Since when commands are paused. */
  public synchronized Optional<Instant> pausedSince() {
    return Optional.ofNullable(pausedSince);
  }

  /** How many commands are being carried out, or answered. */
  public int underWay() {
    return underWay.getAsInt();
  }

  /** How many commands have been read and wait for their turn. */
  public int waiting() {
    return waiting.getAsInt();
  }

  /** The routes that read commands now. */
  public List<String> readers() {
    return readers.get();
  }
}
