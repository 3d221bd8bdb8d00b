package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The commit's metadata is read back as it was written, and what others wrote is nothing. */
class AnsweredOffsetsTest {

  @Test
  void isReadBackAsItWasWritten() {
    BitSet bits = new BitSet();
    bits.set(1);
    bits.set(63, 66);
    AnsweredOffsets written = new AnsweredOffsets(1_000, bits);
    assertThat(AnsweredOffsets.fromMetadata(1_000, written.toMetadata())).isEqualTo(written);
  }

  @Test
  void anEmptySetHasNoMetadata() {
    assertThat(AnsweredOffsets.none(5).toMetadata()).isEmpty();
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(
      strings = {"", "host-17", "ari-proxy/1:***", "ari-proxy/2:AAAA", "ari-proxy/1:", "AAAA"})
  void foreignMetadataIsNothing(String metadata) {
    assertThat(AnsweredOffsets.fromMetadata(5, metadata)).isEqualTo(AnsweredOffsets.none(5));
  }

  @Test
  void containsNothingOutsideOfItsWindow() {
    BitSet bits = new BitSet();
    bits.set(0, AnsweredOffsets.MAX_WINDOW);
    AnsweredOffsets answered = new AnsweredOffsets(10, bits);
    assertThat(answered.contains(9)).isFalse();
    assertThat(answered.contains(10)).isTrue();
    assertThat(answered.contains(10 + AnsweredOffsets.MAX_WINDOW)).isFalse();
    assertThat(answered.contains(10 + (1L << 32))).isFalse();
  }
}
