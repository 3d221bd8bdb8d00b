// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A mapping returns the texts that it was created with, however it stores them. */
class MappingTest {

  private static final String UUID = "0b4d8c2e-8d0a-4b3e-9f57-1c2d3e4f5a6b";
  private static final String TIME = "2026-11-30T05:50:42.123+0000";

  @ParameterizedTest
  @ValueSource(
      strings = {
        UUID,
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "0B4D8C2E-8D0A-4B3E-9F57-1C2D3E4F5A6B",
        "0b4d8c2e-8d0a-4b3e-9f57-1c2d3e4f5a6",
        "0b4d8c2e-8d0a-4b3e-9f57-1c2d3e4f5a6g",
        "0b4d8c2e-8d0a-4b3e-9f57-1c2d3e4f5a6b ",
        "0b4d8c2e-8d0a-4b3e9-f57-1c2d3e4f5a6b",
        "0b4d8c2e+8d0a-4b3e-9f57-1c2d3e4f5a6b",
        "----8---------------------------0123",
        "call",
        "0123456789012345678901234567890123456789",
        "",
      })
  void callContextIsUnchanged(String callContext) {
    Mapping mapping = Mapping.of(callContext, "", 1);
    assertThat(mapping.callContext()).isEqualTo(callContext);
    assertThat(mapping.start().end().usedAt(2).withInstance(TIME).callContext())
        .isEqualTo(callContext);
    assertThat(Mapping.of(UUID, "", 1).moved(callContext, UUID))
        .isEqualTo(new Mapping(callContext, UUID, null, false, MappingState.ACTIVE, 1, ""))
        .isNotEqualTo(mapping);
    assertThat(mapping.moved(UUID, callContext).previousCallContext()).isEqualTo(callContext);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        TIME,
        "2026-11-30T05:50:42.123-0000",
        "2026-11-30T05:50:42.123-0330",
        "2026-11-30T05:50:42.123+1400",
        "0000-00-00T00:00:00.000+0000",
        "9999-99-99T99:99:99.999-9999",
        TIME + " 0",
        TIME + " 7f3a",
        TIME + " 7fffffff",
        TIME + " 80000000",
        TIME + " ffffffff",
        TIME + " 00",
        TIME + " 07f3a",
        TIME + " 7F3A",
        TIME + " g",
        TIME + " 123456789",
        TIME + " ",
        TIME + "x7f3a",
        TIME + "Z",
        "2026-11-30T05:50:42.12:+0000",
        "2026-11-30T05:50:42.\u0661\u0661\u0661+0000",
        "2026-11-30 05:50:42.123+0000",
        "2026-11-30T05:50:42.123 0000",
        "2026-11-30T05:50:42.123+00:00",
        "-026-11-30T05:50:42.123+0000",
        "channel:1764000000.1",
        "now",
        "",
      })
  void instanceIsUnchanged(String instance) {
    Mapping mapping = Mapping.of(UUID, instance, 1);
    assertThat(mapping.instance()).isEqualTo(instance);
    assertThat(mapping.start().end().usedAt(2).moved("call", UUID).instance()).isEqualTo(instance);
    assertThat(Mapping.of("call", TIME, 1).withInstance(instance))
        .isEqualTo(Mapping.of("call", instance, 1));
    assertThat(mapping.isOf(new Resource(ResourceType.CHANNEL, "c", instance))).isTrue();
    assertThat(mapping.isOf(new Resource(ResourceType.CHANNEL, "c", "another"))).isFalse();
  }

  @Test
  void mappingsThatDifferAreNotEqual() {
    List<Mapping> mappings =
        List.of(
            new Mapping(UUID, null, "app", true, MappingState.ACTIVE, 1, TIME),
            new Mapping("call", null, "app", true, MappingState.ACTIVE, 1, TIME),
            new Mapping(UUID.replace('6', '7'), null, "app", true, MappingState.ACTIVE, 1, TIME),
            new Mapping(UUID, "call", "app", true, MappingState.ACTIVE, 1, TIME),
            new Mapping(UUID, null, "other", true, MappingState.ACTIVE, 1, TIME),
            new Mapping(UUID, null, null, true, MappingState.ACTIVE, 1, TIME),
            new Mapping(UUID, null, "app", false, MappingState.ACTIVE, 1, TIME),
            new Mapping(UUID, null, "app", true, MappingState.HUNG_UP, 1, TIME),
            new Mapping(UUID, null, "app", true, MappingState.ACTIVE, 2, TIME),
            new Mapping(UUID, null, "app", true, MappingState.ACTIVE, 1, ""),
            new Mapping(UUID, null, "app", true, MappingState.ACTIVE, 1, TIME + " 0"),
            new Mapping(UUID, null, "app", true, MappingState.ACTIVE, 1, TIME + " 1"),
            new Mapping(UUID, null, "app", true, MappingState.ACTIVE, 1, TIME.replace('+', '-')),
            new Mapping(UUID, null, "app", true, MappingState.ACTIVE, 1, TIME.replace('3', '4')));
    assertThat(mappings).doesNotHaveDuplicates();
    assertThat(mappings.stream().map(Mapping::toString)).doesNotHaveDuplicates();
    assertThat(mappings)
        .allSatisfy(
            mapping -> {
              Mapping copy =
                  new Mapping(
                      mapping.callContext(),
                      mapping.previousCallContext(),
                      mapping.application(),
                      mapping.created(),
                      mapping.state(),
                      mapping.usedAt(),
                      mapping.instance());
              assertThat(copy).isEqualTo(mapping).hasSameHashCodeAs(mapping);
              assertThat(copy.hasSameStoredForm(mapping)).isTrue();
              assertThat(copy.usedAt(9).equalsIgnoringUse(mapping)).isTrue();
            });
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 1_764_000_000, 4_294_967_295L})
  void timeOfUseIsUnchanged(long usedAt) {
    assertThat(Mapping.of("call", "", usedAt).usedAt()).isEqualTo(usedAt);
  }

  @Test
  void timeOfUseIsLimited() {
    assertThat(Mapping.of("call", "", Long.MAX_VALUE).usedAt()).isEqualTo(4_294_967_295L);
    assertThat(Mapping.of("call", "", -1).usedAt()).isZero();
  }
}
