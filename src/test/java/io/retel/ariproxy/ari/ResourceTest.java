// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.EqualHashes;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ResourceTest {

  /** A client can choose them; otherwise, a set of these takes minutes. */
  @Test
  void idsWithOneHashCodeAreFastInHashMaps() {
    Set<Resource> resources = new HashSet<>();
    EqualHashes.texts(15).forEach(id -> resources.add(new Resource(ResourceType.CHANNEL, id)));
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
