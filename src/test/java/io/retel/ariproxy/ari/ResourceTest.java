// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ResourceTest {

  /** A client can choose them; otherwise, a set of these takes minutes. */
  @Test
  void idsWithOneHashCodeAreFastInHashMaps() {
    Set<Resource> resources = new HashSet<>();
    for (int i = 0; i < 1 << 15; i++) {
      StringBuilder id = new StringBuilder();
      for (int bit = 0; bit < 15; bit++) {
        id.append((i >> bit & 1) == 0 ? "Aa" : "BB");
      }
      resources.add(new Resource(ResourceType.CHANNEL, id.toString()));
    }
    assertThat(resources).hasSize(1 << 15);
  }

  @Test
  void comparesByTypeAndId() {
    Resource channel = new Resource(ResourceType.CHANNEL, "b", "instance");
    assertThat(channel)
        .isEqualByComparingTo(new Resource(ResourceType.CHANNEL, "b", "other"))
        .isLessThan(new Resource(ResourceType.CHANNEL, "c"))
        .isLessThan(new Resource(ResourceType.BRIDGE, "a"));
  }
}
