// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Call context and lifecycle of a resource. Its stored form is a {@link StoredMapping}.
 *
 * @param callContext its call context
 * @param previousCallContext the call context before the last move, or null
 * @param application the Stasis application of the channel according to published events, or null
 * @param created whether a command created it, so that Asterisk reports its end to the application
 * @param state the state of its lifecycle
 * @param usedAt approximate time of last use, in seconds since 1970
 * @param instance the {@link Resource#instance()} of the resource, empty if unknown
 */
public record Mapping(
    String callContext,
    @Nullable String previousCallContext,
    @Nullable String application,
    boolean created,
    MappingState state,
    long usedAt,
    String instance) {

  /** Creates the mapping of an existing resource. */
  public static Mapping of(String callContext, String instance, long now) {
    return new Mapping(callContext, null, null, false, MappingState.ACTIVE, now, instance);
  }

  /** Creates the mapping of a resource that a command is about to create or claim. */
  static Mapping forCreation(String callContext, String instance, boolean endIsReported, long now) {
    return new Mapping(callContext, null, null, endIsReported, MappingState.PENDING, now, instance);
  }

  /** Whether it is known to be the mapping of this resource, or the resource is not specific. */
  boolean isOf(Resource resource) {
    return resource.instance().isEmpty() || resource.instance().equals(instance);
  }

  /**
   * Whether it is known to be the mapping of another resource with the same id, or of the same
   * channel before a redirect.
   */
  public boolean isOfOther(Resource resource) {
    return !instance.isEmpty() && !isOf(resource);
  }

  /** Whether it is the mapping of another resource with the same id, even after a redirect. */
  public boolean isCertainlyOfOther(Resource resource) {
    if (!isOfOther(resource) || resource.type() != ResourceType.CHANNEL) {
      return isOfOther(resource);
    }
    String name = Resource.channelNameHash(instance);
    String otherName = Resource.channelNameHash(resource.instance());
    return !name.isEmpty() && !otherName.isEmpty() && !name.equals(otherName);
  }

  /** Whether the command that creates it is still running. */
  public boolean pending() {
    return state.isPending();
  }

  /** Whether neither a response nor an event has shown the resource that a command creates. */
  public boolean unconfirmed() {
    return state == MappingState.UNCONFIRMED;
  }

  /** Whether the resource has ended; the mapping then serves late events only. */
  public boolean ended() {
    return state.isEnded();
  }

  /** Moves to another call context; the resource is active. */
  Mapping moved(String newCallContext, @Nullable String previous) {
    return new Mapping(
        newCallContext, previous, application, created, state.afterMove(), usedAt, instance);
  }

  /** Clears the previous call context, since an event reported the current one. */
  Mapping withoutPrevious() {
    return new Mapping(
        callContext, null, application, created, state.afterEvent(), usedAt, instance);
  }

  Mapping hangUp() {
    return with(application, state.afterHangup());
  }

  /** Sets the application named in the published StasisStart. */
  Mapping enterStasis(String enteredApplication) {
    return with(enteredApplication, state.afterStart());
  }

  /**
   * Leaves Stasis: ends if hung up, otherwise the channel continues in the dialplan or another
   * application.
   */
  Mapping leaveStasis(String exitedApplication) {
    return with(exitedApplication.equals(application) ? null : application, state.afterStasisEnd());
  }

  /** Activates the mapping, even if a resource with this id has ended. */
  Mapping start() {
    return with(application, state.afterStart());
  }

  /** Records that the command that creates it has ended. */
  Mapping confirmed() {
    return with(application, state.afterConfirmation());
  }

  /** Records that the command that creates it has ended with an unknown outcome. */
  Mapping unknownOutcome() {
    return with(application, state.afterUnknownOutcome());
  }

  /** Ends the mapping. A new resource can reuse the id; it is not hung up. */
  Mapping end() {
    return with(null, MappingState.ENDED);
  }

  Mapping usedAt(long now) {
    return new Mapping(
        callContext, previousCallContext, application, created, state, now, instance);
  }

  /** Sets the instance, which an event or a response shows. */
  Mapping withInstance(String knownInstance) {
    return new Mapping(
        callContext,
        previousCallContext,
        application,
        created,
        state.afterEvent(),
        usedAt,
        knownInstance);
  }

  private Mapping with(@Nullable String newApplication, MappingState newState) {
    return new Mapping(
        callContext, previousCallContext, newApplication, created, newState, usedAt, instance);
  }

  /** Returns whether both are equal except for the time of last use. */
  public boolean equalsIgnoringUse(@Nullable Mapping other) {
    return other != null && usedAt(0).equals(other.usedAt(0));
  }

  /** Returns whether both have the same stored form. */
  boolean hasSameStoredForm(@Nullable Mapping other) {
    return other != null
        && state == other.state
        && callContext.equals(other.callContext)
        && Objects.equals(application, other.application)
        && created == other.created
        && usedAt == other.usedAt
        && instance.equals(other.instance);
  }
}
