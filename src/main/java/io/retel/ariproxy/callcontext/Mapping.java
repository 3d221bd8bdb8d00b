package io.retel.ariproxy.callcontext;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Objects;

/**
 * What is remembered of a resource. Its JSON is what a store keeps of it.
 *
 * @param callContext its call context
 * @param left the call context that it has just left, or null
 * @param application the Stasis application that it is in, as controllers have been told, or null
 * @param created whether a command has created it, so that Asterisk tells its end to the
 *     application
 * @param pending whether the command that creates it is under way
 * @param hungUp whether it is a channel that is hung up, and so ends when it leaves Stasis
 * @param ended whether the resource has ended, so that only late events may still ask
 * @param usedAt when it was last asked for, roughly, in seconds since 1970
 */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
public record Mapping(
    String callContext,
    @JsonIgnore String previousCallContext,
    String application,
    boolean created,
    boolean pending,
    boolean hungUp,
    @JsonIgnore boolean ended,
    long usedAt) {

  /** A resource that is there. */
  public static Mapping of(String callContext, long now) {
    return new Mapping(callContext, null, null, false, false, false, false, now);
  }

  /** A resource that a command is about to create. */
  static Mapping forCreation(String callContext, boolean endIsReported, long now) {
    return new Mapping(callContext, null, null, endIsReported, true, false, false, now);
  }

  /** The resource is in another call context; it lives there. */
  Mapping moved(String newCallContext, String previous) {
    return new Mapping(
        newCallContext, previous, application, created, pending, hungUp, false, usedAt);
  }

  /** It is shown where it is remembered. */
  Mapping withoutPrevious() {
    return new Mapping(callContext, null, application, created, pending, hungUp, ended, usedAt);
  }

  Mapping hangUp() {
    return new Mapping(
        callContext, previousCallContext, application, created, pending, true, ended, usedAt);
  }

  /** Controllers are told that the channel is in that application. */
  Mapping enterStasis(String enteredApplication) {
    // a hung up channel may enter Stasis again
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

  /** A channel has left Stasis: whether it goes on in the dialplan, or is hung up. */
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

  /** What starts lives, even if its id has ended once. */
  Mapping start() {
    return ended || pending
        ? new Mapping(
            callContext, previousCallContext, application, created, false, hungUp, false, usedAt)
        : this;
  }

  /** The command that creates it has come to its end. */
  Mapping confirmed() {
    return pending
        ? new Mapping(
            callContext, previousCallContext, application, created, false, hungUp, ended, usedAt)
        : this;
  }

  /** Who has this id from now on is another one, and not hung up. */
  Mapping end() {
    return new Mapping(callContext, previousCallContext, null, created, false, false, true, usedAt);
  }

  Mapping usedAt(long now) {
    return new Mapping(
        callContext, previousCallContext, application, created, pending, hungUp, ended, now);
  }

  /** Whether it is the same as another one but for the time of its last use. */
  public boolean equalsIgnoringUse(Mapping other) {
    return usedAt(0).equals(other.usedAt(0));
  }

  /** Whether it is kept in the same form as another one. */
  boolean hasSameStoredForm(Mapping other) {
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
