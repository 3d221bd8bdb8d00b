// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Pauses and resumes command consumption on behalf of an operator, and drains commands in flight.
 *
 * <p>Used before maintenance: commands in flight complete, commands on this proxy's own topic wait
 * in Kafka, and generic ones go to the other proxies. Events continue. Generic commands can also be
 * paused alone, without a state of their own.
 *
 * <p>The policies of the routes that consume commands poll {@link #update}, so a pause outlives a
 * route edit, but not the process. They are woken when an operator pauses or resumes. Thread-safe.
 *
 * <pre>
 * RUNNING ── pause ──► DRAINING ── no command in flight or pending ──► DRAINED
 *    ▲                                                                    │
 *    └──────────────────────────── resume ────────────────────────────────┘
 * </pre>
 */
public final class CommandConsumption {

  private static final Logger LOG = LoggerFactory.getLogger(CommandConsumption.class);

  /** The state of a pause. */
  public enum State {
    /** Not paused: commands are consumed while their routes run. */
    RUNNING,
    /** No new commands start; some are still in flight. */
    DRAINING,
    /** No commands are in flight. */
    DRAINED
  }

  /** The operator's pause, part of the proxy's state. */
  public interface Pause {

    /** Start of the current pause, or empty if not paused. */
    Optional<Instant> pausedSince();

    /**
     * Begins a pause.
     *
     * @param detail the cause and effect as a clause, for the log
     */
    void pause(String detail);

    /** Ends the current pause. */
    void resume();
  }

  private final IntSupplier inFlight;
  private final IntSupplier pending;
  private final Supplier<List<String>> activeRoutes;
  private final Pause pause;

  private volatile Runnable onRequest = () -> {};
  private volatile boolean genericPaused;
  private boolean resumeRequested;
  private boolean drainLogged;

  /**
   * @param inFlight number of commands being executed or waiting for their RESPONSE to be
   *     acknowledged
   * @param pending number of commands accepted but not started
   * @param activeRoutes the routes that consume commands, including those that are stopping
   * @param pause begins and ends the pause; must not call this object
   */
  public CommandConsumption(
      IntSupplier inFlight, IntSupplier pending, Supplier<List<String>> activeRoutes, Pause pause) {
    this.inFlight = inFlight;
    this.pending = pending;
    this.activeRoutes = activeRoutes;
    this.pause = pause;
  }

  /**
   * Sets the action to run when an operator has paused or resumed; call it before.
   *
   * @param action must not call this object
   */
  public void onRequest(Runnable action) {
    onRequest = action;
  }

  /** Pauses consumption. Commands in flight complete; pending ones are released to Kafka. */
  public synchronized void pause() {
    resumeRequested = false;
    if (pausedSince().isEmpty()) {
      drainLogged = false;
      pause.pause(
          "commands paused until resumed by an operator, %d in flight will complete, %d pending are released"
              .formatted(inFlight(), pending()));
    }
    onRequest.run();
  }

  /** Pauses consumption of generic commands until {@link #resume}. Those taken are executed. */
  public synchronized void pauseGeneric() {
    if (!genericPaused) {
      genericPaused = true;
      LOG.info("Generic commands paused until resumed by an operator");
    }
    onRequest.run();
  }

  /**
   * Resumes consumption once all commands from before the pause have a RESPONSE, so that none of
   * them is executed twice.
   */
  public synchronized void resume() {
    genericPaused = false;
    resumeRequested = true;
    update();
    onRequest.run();
  }

  /**
   * Applies a transition that is due, and returns the state. The policies of the routes poll it.
   */
  public synchronized State update() {
    if (state() == State.DRAINED) {
      if (!drainLogged) {
        drainLogged = true;
        LOG.info("Commands drained: none in flight");
      }
      if (resumeRequested) {
        pause.resume();
      }
    }
    return state();
  }

  /** The current state. */
  public synchronized State state() {
    if (pausedSince().isEmpty()) {
      return State.RUNNING;
    }
    return activeRoutes.get().isEmpty() && inFlight() + pending() == 0
        ? State.DRAINED
        : State.DRAINING;
  }

  /** Start of the current pause, or empty if not paused. */
  public Optional<Instant> pausedSince() {
    return pause.pausedSince();
  }

  /** Whether an operator has paused generic commands alone. */
  public boolean isGenericPaused() {
    return genericPaused;
  }

  /** Number of commands being executed or waiting for their RESPONSE to be acknowledged. */
  public int inFlight() {
    return inFlight.getAsInt();
  }

  /** Number of commands accepted but not started. */
  public int pending() {
    return pending.getAsInt();
  }

  /** The routes that consume commands now. */
  public List<String> activeRoutes() {
    return activeRoutes.get();
  }
}
