// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Call context and lifecycle of a resource. Its stored form is a {@link StoredMapping}. Immutable.
 *
 * <p>There can be a million: a call context that is a UUID, and an {@link PackedInstance instance}
 * of a channel or bridge, are stored as numbers.
 */
public final class Mapping {

  /** Of a call context that is stored as numbers. */
  private static final String FORMAT = "00000000-0000-0000-0000-000000000000";

  private static final long MAX_SECONDS = 0xFFFF_FFFFL;

  /** The UUID that is the call context, unless {@link #texts} has one. */
  private final long callContextHigh;

  private final long callContextLow;

  // the instance, unless texts has one

  private final long creationTime;
  private final short creationOffset;
  private final boolean hasName;
  private final int nameHash;

  private final @Nullable String application;
  private final boolean created;
  private final MappingState state;

  /** Unsigned. */
  private final int usedAt;

  private final @Nullable Texts texts;

  /**
   * What few mappings have as text.
   *
   * @param callContext one that is not a UUID, or null
   * @param previousCallContext see {@link Mapping#previousCallContext()}
   * @param instance one in another format, even if empty, or null
   */
  private record Texts(
      @Nullable String callContext,
      @Nullable String previousCallContext,
      @Nullable String instance) {

    private static final Texts WITHOUT_INSTANCE = new Texts(null, null, "");

    static @Nullable Texts of(
        @Nullable String callContext,
        @Nullable String previousCallContext,
        @Nullable String instance) {
      if (callContext != null || previousCallContext != null) {
        return new Texts(callContext, previousCallContext, instance);
      }
      if (instance == null) {
        return null;
      }
      return instance.isEmpty() ? WITHOUT_INSTANCE : new Texts(null, null, instance);
    }

    List<String> all() {
      return Stream.of(callContext, previousCallContext, instance)
          .filter(text -> text != null && !text.isEmpty())
          .toList();
    }
  }

  /**
   * @param callContext its call context
   * @param previousCallContext the call context before the last move, or null
   * @param application the Stasis application of the channel according to published events, or null
   * @param created whether a command created it, so that Asterisk reports its end to the
   *     application
   * @param state the state of its lifecycle
   * @param usedAt approximate time of last use, in seconds since 1970, up to the year 2106
   * @param instance the {@link Resource#instance()} of the resource, empty if unknown
   */
  public Mapping(
      String callContext,
      @Nullable String previousCallContext,
      @Nullable String application,
      boolean created,
      MappingState state,
      long usedAt,
      String instance) {
    UUID uuid = uuid(callContext);
    this.callContextHigh = uuid == null ? 0 : uuid.getMostSignificantBits();
    this.callContextLow = uuid == null ? 0 : uuid.getLeastSignificantBits();
    PackedInstance packed = PackedInstance.of(instance);
    this.creationTime = packed == null ? 0 : packed.time();
    this.creationOffset = packed == null ? 0 : packed.offset();
    this.hasName = packed != null && packed.hasName();
    this.nameHash = packed == null ? 0 : packed.nameHash();
    this.application = application;
    this.created = created;
    this.state = state;
    this.usedAt = (int) Math.max(0, Math.min(usedAt, MAX_SECONDS));
    this.texts =
        Texts.of(
            uuid == null ? callContext : null,
            previousCallContext,
            packed == null ? instance : null);
  }

  /** Copies a mapping except for what changes often. */
  private Mapping(Mapping other, @Nullable String application, MappingState state, long usedAt) {
    this.callContextHigh = other.callContextHigh;
    this.callContextLow = other.callContextLow;
    this.creationTime = other.creationTime;
    this.creationOffset = other.creationOffset;
    this.hasName = other.hasName;
    this.nameHash = other.nameHash;
    this.application = application;
    this.created = other.created;
    this.state = state;
    this.usedAt = (int) Math.max(0, Math.min(usedAt, MAX_SECONDS));
    this.texts = other.texts;
  }

  /** Returns the UUID with exactly this text, or null. */
  private static @Nullable UUID uuid(String text) {
    if (text.length() != FORMAT.length()) {
      return null;
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (FORMAT.charAt(i) == '-' ? c != '-' : !PackedInstance.isLowerCaseHex(c)) {
        return null;
      }
    }
    return UUID.fromString(text);
  }

  /** Its call context. */
  public String callContext() {
    String text = callContextText();
    return text == null ? new UUID(callContextHigh, callContextLow).toString() : text;
  }

  /** The call context before the last move, or null. */
  public @Nullable String previousCallContext() {
    return texts == null ? null : texts.previousCallContext();
  }

  /** The Stasis application of the channel according to published events, or null. */
  public @Nullable String application() {
    return application;
  }

  /** Whether a command created it, so that Asterisk reports its end to the application. */
  public boolean created() {
    return created;
  }

  /** The state of its lifecycle. */
  public MappingState state() {
    return state;
  }

  /** Approximate time of last use, in seconds since 1970. */
  public long usedAt() {
    return Integer.toUnsignedLong(usedAt);
  }

  /** The {@link Resource#instance()} of the resource, empty if unknown. */
  public String instance() {
    return texts == null || texts.instance() == null
        ? new PackedInstance(creationTime, creationOffset, hasName, nameHash).text()
        : texts.instance();
  }

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
    return resource.instance().isEmpty() || resource.instance().equals(instance());
  }

  /**
   * Whether it is known to be the mapping of another resource with the same id, or of the same
   * channel before a redirect.
   */
  public boolean isOfOther(Resource resource) {
    return !isOf(resource) && !instance().isEmpty();
  }

  /** Whether it is the mapping of another resource with the same id, even after a redirect. */
  public boolean isCertainlyOfOther(Resource resource) {
    if (!isOfOther(resource) || resource.type() != ResourceType.CHANNEL) {
      return isOfOther(resource);
    }
    String name = Resource.channelNameHash(instance());
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

  /** Whether the resource exists, as far as is known, and is not being created. */
  public boolean isActive() {
    return !ended() && !pending();
  }

  /** Moves to another call context; the resource is active. */
  Mapping moved(String newCallContext, @Nullable String previous) {
    return new Mapping(
        newCallContext, previous, application, created, state.afterMove(), usedAt(), instance());
  }

  /** Clears the previous call context, since an event reported the current one. */
  Mapping withoutPrevious() {
    return new Mapping(
        callContext(), null, application, created, state.afterEvent(), usedAt(), instance());
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
    return new Mapping(this, application, state, now);
  }

  /** Sets the instance, which an event or a response shows. */
  Mapping withInstance(String knownInstance) {
    return new Mapping(
        callContext(),
        previousCallContext(),
        application,
        created,
        state.afterEvent(),
        usedAt(),
        knownInstance);
  }

  private Mapping with(@Nullable String newApplication, MappingState newState) {
    return new Mapping(this, newApplication, newState, usedAt());
  }

  /** Returns whether both are equal except for the time of last use. */
  public boolean equalsIgnoringUse(@Nullable Mapping other) {
    return other != null
        && callContextHigh == other.callContextHigh
        && callContextLow == other.callContextLow
        && creationTime == other.creationTime
        && creationOffset == other.creationOffset
        && hasName == other.hasName
        && nameHash == other.nameHash
        && created == other.created
        && state == other.state
        && Objects.equals(application, other.application)
        && Objects.equals(texts, other.texts);
  }

  /** Returns whether both have the same stored form. */
  boolean hasSameStoredForm(@Nullable Mapping other) {
    return other != null
        && usedAt == other.usedAt
        && created == other.created
        && state == other.state
        && Objects.equals(application, other.application)
        && callContext().equals(other.callContext())
        && instance().equals(other.instance());
  }

  boolean hasCallContextOf(Mapping other) {
    return callContextHigh == other.callContextHigh
        && callContextLow == other.callContextLow
        && Objects.equals(callContextText(), other.callContextText());
  }

  /** The call context if it is stored as text, or null. */
  private @Nullable String callContextText() {
    return texts == null ? null : texts.callContext();
  }

  /**
   * Returns a hash of the call context.
   *
   * @param multiplier an odd number
   */
  long callContextHash(long multiplier) {
    long hash = mix((callContextHigh + 1) * multiplier) + callContextLow;
    String text = callContextText();
    if (text != null) {
      for (int i = 0; i < text.length(); i++) {
        hash = mix((hash + text.charAt(i) + 1) * multiplier);
      }
    }
    return mix(hash * multiplier);
  }

  private static long mix(long hash) {
    return hash ^ (hash >>> 29);
  }

  /** Returns what it contains as text, without the application, which mappings share. */
  List<String> texts() {
    return texts == null ? List.of() : texts.all();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Mapping that && usedAt == that.usedAt && equalsIgnoringUse(that);
  }

  @Override
  public int hashCode() {
    return Objects.hash(callContextHigh, callContextLow, creationTime, state, usedAt, texts);
  }

  @Override
  public String toString() {
    return "Mapping[callContext=%s, previousCallContext=%s, application=%s, created=%s, state=%s, usedAt=%d, instance=%s]"
        .formatted(
            callContext(),
            previousCallContext(),
            application,
            created,
            state,
            usedAt(),
            instance());
  }
}
