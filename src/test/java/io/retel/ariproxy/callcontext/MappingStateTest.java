// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The transitions of a mapping: the table in the Javadoc of {@link MappingState}. */
class MappingStateTest {

  /** State, then the state after start, confirm, hangup, StasisEnd, end and move. */
  private static final String TRANSITIONS =
      """
      PENDING         | ACTIVE  | ACTIVE        | PENDING_HUNG_UP | PENDING       | ENDED | PENDING
      PENDING_HUNG_UP | HUNG_UP | HUNG_UP       | PENDING_HUNG_UP | PENDING_ENDED | ENDED | PENDING_HUNG_UP
      PENDING_ENDED   | HUNG_UP | ENDED_HUNG_UP | PENDING_ENDED   | PENDING_ENDED | ENDED | PENDING_HUNG_UP
      UNCONFIRMED     | ACTIVE  | ACTIVE        | HUNG_UP         | ACTIVE        | ENDED | ACTIVE
      ACTIVE          | ACTIVE  | ACTIVE        | HUNG_UP         | ACTIVE        | ENDED | ACTIVE
      HUNG_UP         | HUNG_UP | HUNG_UP       | HUNG_UP         | ENDED_HUNG_UP | ENDED | HUNG_UP
      ENDED           | ACTIVE  | ENDED         | ENDED_HUNG_UP   | ENDED         | ENDED | ACTIVE
      ENDED_HUNG_UP   | HUNG_UP | ENDED_HUNG_UP | ENDED_HUNG_UP   | ENDED_HUNG_UP | ENDED | HUNG_UP
      """;

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = TRANSITIONS)
  void followsTransitionTable(
      MappingState state,
      MappingState afterStart,
      MappingState afterConfirmation,
      MappingState afterHangup,
      MappingState afterStasisEnd,
      MappingState afterEnd,
      MappingState afterMove) {
    Mapping mapping = new Mapping("call", null, "app", true, state, 1, "");
    assertThat(mapping.start().state()).as("start").isEqualTo(afterStart);
    assertThat(mapping.enterStasis("app").state()).as("StasisStart").isEqualTo(afterStart);
    assertThat(mapping.confirmed().state()).as("confirm").isEqualTo(afterConfirmation);
    assertThat(mapping.hangUp().state()).as("hangup").isEqualTo(afterHangup);
    assertThat(mapping.leaveStasis("app").state()).as("StasisEnd").isEqualTo(afterStasisEnd);
    assertThat(mapping.end().state()).as("end").isEqualTo(afterEnd);
    assertThat(mapping.moved("other", null).state()).as("move").isEqualTo(afterMove);
  }

  @ParameterizedTest
  @EnumSource
  void onlyPendingMappingBecomesUnconfirmed(MappingState state) {
    Mapping mapping = new Mapping("call", null, "app", true, state, 1, "");
    boolean isUnconfirmed = state == MappingState.PENDING || state == MappingState.UNCONFIRMED;
    assertThat(mapping.unknownOutcome().state())
        .isEqualTo(isUnconfirmed ? MappingState.UNCONFIRMED : mapping.confirmed().state());
    assertThat(mapping.unknownOutcome().withInstance("1").state())
        .isEqualTo(mapping.confirmed().state());
  }

  @Test
  void transitionTableListsEveryState() {
    assertThat(TRANSITIONS.lines().map(line -> MappingState.valueOf(line.split("\\|")[0].strip())))
        .containsExactly(MappingState.values());
  }

  @Test
  void newMappingIsPendingOrActive() {
    assertThat(Mapping.forCreation("call", "", true, 1).state()).isEqualTo(MappingState.PENDING);
    assertThat(Mapping.of("call", "", 1).state()).isEqualTo(MappingState.ACTIVE);
  }

  @ParameterizedTest
  @EnumSource(
      names = {"PENDING_ENDED", "ENDED", "ENDED_HUNG_UP"},
      mode = EnumSource.Mode.EXCLUDE)
  void storedFormPreservesState(MappingState state) {
    Mapping mapping = new Mapping("call", null, "app", true, state, 1, "");
    assertThat(mapping.ended()).isFalse();
    assertThat(StoredMapping.of(mapping).toMapping(application -> application)).isEqualTo(mapping);
  }

  @ParameterizedTest
  @EnumSource(names = {"PENDING_ENDED", "ENDED", "ENDED_HUNG_UP"})
  void endedMappingIsEnded(MappingState state) {
    assertThat(new Mapping("call", null, "app", true, state, 1, "").ended()).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void pendingMappingIsPending(MappingState state) {
    assertThat(new Mapping("call", null, "app", true, state, 1, "").pending())
        .isEqualTo(state.name().startsWith("PENDING"));
  }
}
