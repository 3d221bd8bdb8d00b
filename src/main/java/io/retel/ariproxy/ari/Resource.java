package io.retel.ariproxy.ari;

import java.util.Objects;

/**
 * Something in Asterisk that has an id.
 *
 * @param type its kind
 * @param id its id, as Asterisk writes it: for a recording its name
 */
public record Resource(ResourceType type, String id) {

  public Resource {
    Objects.requireNonNull(type);
    Objects.requireNonNull(id);
  }

  /** The key under which its call context is remembered: a snoop channel is a channel. */
  public String key() {
    ResourceType kind = type == ResourceType.SNOOPING ? ResourceType.CHANNEL : type;
    return kind + ":" + id;
  }

  /**
   * The resource of a {@link #key()}.
   *
   * @throws IllegalArgumentException if it is none
   */
  public static Resource fromKey(String key) {
    int colon = key.indexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException("it has no resource type");
    }
    return new Resource(ResourceType.valueOf(key.substring(0, colon)), key.substring(colon + 1));
  }
}
