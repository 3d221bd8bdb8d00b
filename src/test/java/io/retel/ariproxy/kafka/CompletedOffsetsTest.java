// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Round trip of completed offsets through commit metadata; foreign metadata is ignored. */
class CompletedOffsetsTest {

  @Test
  void roundTripsThroughMetadata() {
    BitSet bits = new BitSet();
    bits.set(1);
    bits.set(63, 66);
    CompletedOffsets written = new CompletedOffsets(1_000, bits);
    assertThat(CompletedOffsets.fromMetadata(1_000, written.toMetadata(null))).isEqualTo(written);
    assertThat(CompletedOffsets.fromMetadata(1_000, written.toMetadata(Uuid.randomUuid())))
        .isEqualTo(written);
  }

  @Test
  void metadataIdentifiesItsTopic() {
    Uuid topicId = Uuid.randomUuid();
    String metadata = CompletedOffsets.empty(5).toMetadata(topicId);
    assertThat(CompletedOffsets.isOfOtherTopic(metadata, topicId)).isFalse();
    assertThat(CompletedOffsets.isOfOtherTopic(metadata, Uuid.randomUuid())).isTrue();
  }

  /** As of an earlier version, or of Kafka's tools. */
  @ParameterizedTest
  @NullSource
  @ValueSource(strings = {"", "host-17", "ari-proxy/1:AAAA"})
  void metadataWithoutTopicIdIsOfTheCurrentTopic(String metadata) {
    assertThat(CompletedOffsets.isOfOtherTopic(metadata, Uuid.randomUuid())).isFalse();
  }

  @Test
  void emptySetHasEmptyMetadata() {
    assertThat(CompletedOffsets.empty(5).toMetadata(null)).isEmpty();
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(
      strings = {"", "host-17", "ari-proxy/1:***", "ari-proxy/2:AAAA", "ari-proxy/1:", "AAAA"})
  void foreignMetadataYieldsEmptySet(String metadata) {
    assertThat(CompletedOffsets.fromMetadata(5, metadata)).isEqualTo(CompletedOffsets.empty(5));
  }

  @Test
  void containsNothingOutsideItsWindow() {
    BitSet bits = new BitSet();
    bits.set(0, CompletedOffsets.MAX_WINDOW);
    CompletedOffsets completed = new CompletedOffsets(10, bits);
    assertThat(completed.contains(9)).isFalse();
    assertThat(completed.contains(10)).isTrue();
    assertThat(completed.contains(10 + CompletedOffsets.MAX_WINDOW)).isFalse();
    assertThat(completed.contains(10 + (1L << 32))).isFalse();
  }
}
