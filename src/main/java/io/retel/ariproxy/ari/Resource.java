// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import java.util.Objects;

/**
 * An object in Asterisk with an id.
 *
 * @param type its type
 * @param id its id as Asterisk writes it; the name of a recording
 */
public record Resource(ResourceType type, String id) {

  public Resource {
    Objects.requireNonNull(type);
    Objects.requireNonNull(id);
  }

  /** The key of its mapping; a snoop channel has the key of a channel. */
  public String key() {
    ResourceType keyType = type == ResourceType.SNOOPING ? ResourceType.CHANNEL : type;
    return keyType + ":" + id;
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
