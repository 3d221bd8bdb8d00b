// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Which transactions are reported as holding back commands. */
class OpenTransactionsTest {

  private static final TopicPartition PARTITION = new TopicPartition("commands", 3);

  private long nanos;
  private final OpenTransactions transactions = new OpenTransactions(() -> nanos);

  @Test
  void reportsTransactionThatStaysOpen() {
    transactions.update(Map.of(PARTITION, 7L));
    assertThat(transactions.describe()).as("a new transaction").isEmpty();
    pass(Duration.ofSeconds(5));
    transactions.update(Map.of(PARTITION, 7L));
    assertThat(transactions.describe())
        .hasValueSatisfying(
            text ->
                assertThat(text)
                    .startsWith(
                        "An open transaction holds back the commands of commands-3 from offset 7"
                            + " since "));
    transactions.update(Map.of());
    assertThat(transactions.describe()).isEmpty();
  }

  @Test
  void ignoresShortTransactionsOneAfterTheOther() {
    for (long offset = 0; offset < 10; offset++) {
      transactions.update(Map.of(PARTITION, offset));
      pass(Duration.ofSeconds(4));
      assertThat(transactions.describe()).isEmpty();
    }
  }

  private void pass(Duration duration) {
    nanos += duration.toNanos();
  }
}
