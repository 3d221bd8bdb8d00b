// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The number of active resources and of their call contexts. */
class ActiveCallsTest {

  private final ActiveCalls active = new ActiveCalls();

  @Test
  void countsCallOfSeveralResourcesOnce() {
    active.replace(null, mapping("call"));
    active.replace(null, mapping("call"));
    assertThat(active.calls()).isEqualTo(1);
    assertThat(active.resources()).isEqualTo(2);

    active.replace(mapping("call"), mapping("call").end());
    assertThat(active.calls()).isEqualTo(1);

    active.replace(mapping("call"), null);
    assertThat(active.calls()).isZero();
    assertThat(active.resources()).isZero();
  }

  @Test
  void doesNotCountPendingAndEndedMappings() {
    Mapping pending = Mapping.forCreation("call", "", true, 1);
    active.replace(null, pending);
    assertThat(active.calls()).isZero();

    active.replace(pending, pending.confirmed());
    assertThat(active.calls()).isEqualTo(1);

    active.replace(pending.confirmed(), pending.confirmed().end());
    active.replace(pending.end(), null);
    assertThat(active.calls()).isZero();
  }

  @Test
  void ignoresEndOfMappingThatWasNotCounted() {
    active.replace(mapping("unknown"), null);
    active.replace(null, mapping("call"));
    assertThat(active.calls()).isEqualTo(1);
    assertThat(active.resources()).isEqualTo(1);
  }

  /** The same numbers as those of a collection, while the table grows and shrinks. */
  @Test
  void countsAnyOrderOfChanges() {
    Random random = new Random(1);
    List<Mapping> mappings = new ArrayList<>();
    for (int size : List.of(3_000, 10, 1_000, 0)) {
      while (mappings.size() != size) {
        boolean grows = mappings.size() < size;
        if (random.nextInt(4) == 0 && !mappings.isEmpty()) {
          int moved = random.nextInt(mappings.size());
          replace(mappings, moved, randomMapping(random));
        } else if (grows) {
          Mapping added = randomMapping(random);
          active.replace(null, added);
          mappings.add(added);
        } else {
          int removed = random.nextInt(mappings.size());
          replace(mappings, removed, null);
        }
      }
      assertThat(active.resources()).isEqualTo(size);
      assertThat(active.calls()).isEqualTo(numberOfCalls(mappings));
    }
  }

  private void replace(List<Mapping> mappings, int index, @Nullable Mapping updated) {
    active.replace(mappings.get(index), updated);
    if (updated != null) {
      mappings.set(index, updated);
    } else {
      mappings.set(index, mappings.get(mappings.size() - 1));
      mappings.remove(mappings.size() - 1);
    }
  }

  private static int numberOfCalls(List<Mapping> mappings) {
    return new HashSet<>(mappings.stream().map(Mapping::callContext).toList()).size();
  }

  private static Mapping randomMapping(Random random) {
    return mapping("call-" + random.nextInt(2_000));
  }

  private static Mapping mapping(String callContext) {
    return Mapping.of(callContext, "", 1);
  }
}
