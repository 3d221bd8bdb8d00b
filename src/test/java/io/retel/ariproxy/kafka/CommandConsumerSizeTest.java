// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

/** Commands in flight count with the heap that they can take. */
class CommandConsumerSizeTest {

  @Test
  void textCountsWithTwoBytesOfEachCharacter() {
    assertThat(size(10, 100, new byte[100])).isEqualTo(20 + 100);
    assertThat(size(1 << 20, 100, new byte[100])).isEqualTo(2 * 65_536 + 100);
    assertThat(size(-1, 100, "reduced")).isEqualTo(200);
    assertThat(size(-1, 1 << 30, "reduced")).isEqualTo(2 * 4 * 65_536);
  }

  private static int size(int keySize, int valueSize, Object value) {
    return CommandConsumer.size(
        new ConsumerRecord<>(
            "commands",
            0,
            0,
            0,
            TimestampType.CREATE_TIME,
            keySize,
            valueSize,
            "key",
            value,
            new RecordHeaders(),
            Optional.empty()));
  }
}
