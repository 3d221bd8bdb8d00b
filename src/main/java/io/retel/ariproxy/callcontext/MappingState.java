// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

/**
 * The lifecycle of a mapping.
 *
 * <p>Each column is an event of the resource or its command; a dot means that the state does not
 * change.
 *
 * <pre>
 * state            start    confirm        hangup           StasisEnd      end    move
 * ───────────────  ───────  ─────────────  ───────────────  ─────────────  ─────  ───────────────
 * PENDING          ACTIVE   ACTIVE         PENDING_HUNG_UP  ·              ENDED  ·
 * PENDING_HUNG_UP  HUNG_UP  HUNG_UP        ·                PENDING_ENDED  ENDED  ·
 * PENDING_ENDED    HUNG_UP  ENDED_HUNG_UP  ·                ·              ENDED  PENDING_HUNG_UP
 * UNCONFIRMED      ACTIVE   ACTIVE         HUNG_UP          ACTIVE         ENDED  ACTIVE
 * ACTIVE           ·        ·              HUNG_UP          ·              ENDED  ·
 * HUNG_UP          ·        ·              ·                ENDED_HUNG_UP  ENDED  ·
 * ENDED            ACTIVE   ·              ENDED_HUNG_UP    ·              ·      ACTIVE
 * ENDED_HUNG_UP    HUNG_UP  ·              ·                ·              ENDED  HUNG_UP
 * </pre>
 *
 * <p>A command with an unknown outcome confirms as well, but PENDING becomes UNCONFIRMED. Any event
 * of the resource makes that ACTIVE.
 *
 * <p>The first state is PENDING if a command creates the resource, otherwise ACTIVE. A rollback
 * removes the mapping or restores the previous one. The idle timeout removes mappings that are not
 * used, and the grace period removes ended ones.
 */
public enum MappingState {
  /** The command that creates the resource is still running. */
  PENDING,
  /** Like {@link #PENDING}, but the new channel is already hung up. */
  PENDING_HUNG_UP,
  /** Like {@link #PENDING}, but the new channel has already ended, and the mapping as well. */
  PENDING_ENDED,
  /** The outcome of the command is unknown, and no event has shown the resource. */
  UNCONFIRMED,
  /** The resource exists. */
  ACTIVE,
  /** The channel is hung up and ends when it leaves Stasis. */
  HUNG_UP,
  /** The resource has ended; the mapping serves late events only. */
  ENDED,
  /** Like {@link #ENDED}, but a channel that enters Stasis again is still hung up. */
  ENDED_HUNG_UP;

  /** Returns the state of a stored mapping; ended mappings are not stored. */
  static MappingState ofStored(boolean pending, boolean hungUp, boolean unconfirmed) {
    if (unconfirmed) {
      return UNCONFIRMED;
    }
    if (pending) {
      return hungUp ? PENDING_HUNG_UP : PENDING;
    }
    return hungUp ? HUNG_UP : ACTIVE;
  }

  /** Whether the command that creates the resource is still running. */
  boolean isPending() {
    return this == PENDING || this == PENDING_HUNG_UP || this == PENDING_ENDED;
  }

  /** Whether the resource exists, or is being created, and is a hung-up channel. */
  boolean isHungUp() {
    return this == PENDING_HUNG_UP || this == HUNG_UP;
  }

  /** Whether the resource has ended. */
  boolean isEnded() {
    return this == PENDING_ENDED || this == ENDED || this == ENDED_HUNG_UP;
  }

  /** An event shows that the resource exists, even if one with this id has ended. */
  MappingState afterStart() {
    return switch (this) {
      case PENDING, UNCONFIRMED, ACTIVE, ENDED -> ACTIVE;
      case PENDING_HUNG_UP, PENDING_ENDED, HUNG_UP, ENDED_HUNG_UP -> HUNG_UP;
    };
  }

  /** The command that creates the resource has ended. */
  MappingState afterConfirmation() {
    return switch (this) {
      case PENDING, UNCONFIRMED -> ACTIVE;
      case PENDING_HUNG_UP -> HUNG_UP;
      case PENDING_ENDED -> ENDED_HUNG_UP;
      case ACTIVE, HUNG_UP, ENDED, ENDED_HUNG_UP -> this;
    };
  }

  /** The command that creates the resource has ended, and its outcome is unknown. */
  MappingState afterUnknownOutcome() {
    return this == PENDING || this == UNCONFIRMED ? UNCONFIRMED : afterConfirmation();
  }

  /** An event shows that the resource exists or existed. */
  MappingState afterEvent() {
    return this == UNCONFIRMED ? ACTIVE : this;
  }

  /** The channel is hung up. */
  MappingState afterHangup() {
    return switch (this) {
      case PENDING -> PENDING_HUNG_UP;
      case UNCONFIRMED, ACTIVE -> HUNG_UP;
      case ENDED -> ENDED_HUNG_UP;
      case PENDING_HUNG_UP, PENDING_ENDED, HUNG_UP, ENDED_HUNG_UP -> this;
    };
  }

  /** The channel has left Stasis; unless it is hung up, it continues elsewhere and can return. */
  MappingState afterStasisEnd() {
    return switch (this) {
      case PENDING_HUNG_UP -> PENDING_ENDED;
      case HUNG_UP -> ENDED_HUNG_UP;
      case UNCONFIRMED -> ACTIVE;
      case PENDING, PENDING_ENDED, ACTIVE, ENDED, ENDED_HUNG_UP -> this;
    };
  }

  /** An event moves the resource to another call context, so it exists. */
  MappingState afterMove() {
    return switch (this) {
      case PENDING_ENDED -> PENDING_HUNG_UP;
      case UNCONFIRMED, ENDED -> ACTIVE;
      case ENDED_HUNG_UP -> HUNG_UP;
      case PENDING, PENDING_HUNG_UP, ACTIVE, HUNG_UP -> this;
    };
  }
}
