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
}
