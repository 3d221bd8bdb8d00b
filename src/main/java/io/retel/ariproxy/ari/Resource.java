// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import java.util.Objects;
import java.util.Optional;

/**
 * An object in Asterisk with an id. Resources with the same type and id are equal.
 *
 * @param type its type
 * @param id its id as Asterisk writes it; the name of a recording
 * @param instance distinguishes resources that use the same id one after the other, or at once: the
 *     creation time of a bridge, {@link #channelInstance} of a channel, the target of a playback or
 *     recording; empty if unknown or longer than {@link #MAX_ID_LENGTH}
 */
public record Resource(ResourceType type, String id, String instance)
    implements Comparable<Resource> {

  /**
   * Maximum length of an id or call context of a mapping (docs/contract.md#long-ids): many times
   * those of Asterisk, and small enough for a record of each store, even if all is escaped.
   */
  public static final int MAX_ID_LENGTH = 4_096;

  public Resource {
    Objects.requireNonNull(type);
    Objects.requireNonNull(id);
    instance = isTooLong(instance) ? "" : instance;
  }

  /** A resource whose instance is unknown. */
  public Resource(ResourceType type, String id) {
    this(type, id, "");
  }

  /**
   * Returns the instance of a channel. A redirect changes the creation time, but not the name; the
   * name alone is used again after a restart of Asterisk. The hash of the name takes less heap.
   */
  public static String channelInstance(String creationTime, String name) {
    return creationTime.isEmpty() || name.isEmpty()
        ? creationTime
        : creationTime + ' ' + Integer.toHexString(name.hashCode());
  }

  /** Returns the hash of the name in a {@link #channelInstance}; empty if it has none. */
  public static String channelNameHash(String instance) {
    int space = instance.indexOf(' ');
    return space < 0 ? "" : instance.substring(space + 1);
  }

  /**
   * Returns the target of a playback or recording on a channel or bridge, as in its {@code
   * target_uri}.
   */
  public static String target(Resource channelOrBridge) {
    return (channelOrBridge.type() == ResourceType.BRIDGE ? "bridge:" : "channel:")
        + channelOrBridge.id();
  }

  /** Returns the channel or bridge of a {@link #target}; empty for any other text. */
  public static Optional<Resource> ofTarget(String target) {
    int colon = target.indexOf(':');
    return switch (target.substring(0, Math.max(colon, 0))) {
      case "bridge" -> Optional.of(new Resource(ResourceType.BRIDGE, target.substring(colon + 1)));
      case "channel" ->
          Optional.of(new Resource(ResourceType.CHANNEL, target.substring(colon + 1)));
      default -> Optional.empty();
    };
  }

  /** Whether an id or call context is longer than {@link #MAX_ID_LENGTH}. */
  public static boolean isTooLong(String text) {
    return text.length() > MAX_ID_LENGTH;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Resource that && type == that.type && id.equals(that.id);
  }

  @Override
  public int hashCode() {
    return 31 * type.hashCode() + id.hashCode();
  }

  /** As {@link #equals}: hash maps take linear time for ids with one hash code without it. */
  @Override
  public int compareTo(Resource other) {
    int byType = type.compareTo(other.type);
    return byType != 0 ? byType : id.compareTo(other.id);
  }

  /** The key of its mapping; a snoop channel has the key of a channel. */
  public String key() {
    ResourceType keyType = type == ResourceType.SNOOPING ? ResourceType.CHANNEL : type;
    return keyType + ":" + id;
  }

  /** The key without an address, for lines and tracers. */
  @Override
  public String toString() {
    return type.isAddress() ? type + ":***" : key();
  }

  /**
   * Returns the resource of a {@link #key()}.
   *
   * @throws IllegalArgumentException if the key is malformed
   */
  public static Resource fromKey(String key) {
    int colon = key.indexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException("resource type is missing");
    }
    return new Resource(ResourceType.valueOf(key.substring(0, colon)), key.substring(colon + 1));
  }
}
