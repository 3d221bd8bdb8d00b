// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Call context and lifecycle of a resource, stored as JSON.
 *
 * @param callContext its call context
 * @param previousCallContext the call context before the last move, or null
 * @param application the Stasis application of the channel according to published events, or null
 * @param created whether a command created it, so that Asterisk reports its end to the application
 * @param pending whether the command that creates it is still running
 * @param hungUp whether it is a hung-up channel, which ends when it leaves Stasis
 * @param ended whether the resource has ended; the mapping then serves late events only
 * @param usedAt approximate time of last use, in seconds since 1970
 */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
public record Mapping(
    String callContext,
    @JsonIgnore @Nullable String previousCallContext,
    @Nullable String application,
    boolean created,
    boolean pending,
    boolean hungUp,
    @JsonIgnore boolean ended,
    long usedAt) {

  /** Creates the mapping of an existing resource. */
  public static Mapping of(String callContext, long now) {
    return new Mapping(callContext, null, null, false, false, false, false, now);
  }

  /** Creates the mapping of a resource that a command is about to create. */
  static Mapping forCreation(String callContext, boolean endIsReported, long now) {
    return new Mapping(callContext, null, null, endIsReported, true, false, false, now);
  }

  /** Moves to another call context; the resource is active. */
  Mapping moved(String newCallContext, @Nullable String previous) {
    return new Mapping(
        newCallContext, previous, application, created, pending, hungUp, false, usedAt);
  }

  /** Clears the previous call context, since an event reported the current one. */
  Mapping withoutPrevious() {
    return new Mapping(callContext, null, application, created, pending, hungUp, ended, usedAt);
  }

  Mapping hangUp() {
    return new Mapping(
        callContext, previousCallContext, application, created, pending, true, ended, usedAt);
  }

  /** Sets the application named in the published StasisStart. */
  Mapping enterStasis(String enteredApplication) {
    // a hung-up channel can enter Stasis again
    return new Mapping(
        callContext,
        previousCallContext,
        enteredApplication,
        created,
        false,
        hungUp,
        false,
        usedAt);
  }

  /**
   * Leaves Stasis: ends if hung up, otherwise the channel continues in the dialplan or another
   * application.
   */
  Mapping leaveStasis(String exitedApplication) {
    String remainingApplication = exitedApplication.equals(application) ? null : application;
    return new Mapping(
        callContext,
        previousCallContext,
        remainingApplication,
        created,
        pending,
        hungUp,
        ended || hungUp,
        usedAt);
  }

  /** Activates the mapping, even if a resource with this id has ended. */
  Mapping start() {
    return ended || pending
        ? new Mapping(
            callContext, previousCallContext, application, created, false, hungUp, false, usedAt)
        : this;
  }

  /** Records that the command that creates it has ended. */
  Mapping confirmed() {
    return pending
        ? new Mapping(
            callContext, previousCallContext, application, created, false, hungUp, ended, usedAt)
        : this;
  }

  /** Ends the mapping. A new resource can reuse the id; it is not hung up. */
  Mapping end() {
    return new Mapping(callContext, previousCallContext, null, created, false, false, true, usedAt);
  }

  Mapping usedAt(long now) {
    return new Mapping(
        callContext, previousCallContext, application, created, pending, hungUp, ended, now);
  }

  /** Returns whether both are equal except for the time of last use. */
  public boolean equalsIgnoringUse(Mapping other) {
    return usedAt(0).equals(other.usedAt(0));
  }

  /** Returns whether both have the same stored form. */
  boolean hasSameStoredForm(@Nullable Mapping other) {
    return other != null
        && ended == other.ended
        && callContext.equals(other.callContext)
        && Objects.equals(application, other.application)
        && created == other.created
        && pending == other.pending
        && hungUp == other.hungUp
        && usedAt == other.usedAt;
  }
}
