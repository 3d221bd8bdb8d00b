// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** FIFO order with a soft limit. */
class MessageBufferTest {

  private static final WebSocketMessage HUNDRED_BYTES = new WebSocketMessage.Text("x".repeat(100));

  @Test
  void reportsFullAndHasRoom() {
    MessageBuffer buffer = new MessageBuffer(1_000);
    assertThat(buffer.hasRoom()).isTrue();
    IntStream.range(0, 4).forEach(i -> buffer.put(HUNDRED_BYTES));
    assertThat(buffer.isFull()).isFalse();
    assertThat(buffer.hasRoom()).isFalse();
    IntStream.range(0, 2).forEach(i -> buffer.put(HUNDRED_BYTES));
    assertThat(buffer.isFull()).isTrue();
    IntStream.range(0, 4).forEach(i -> buffer.poll());
    assertThat(buffer.isFull()).isFalse();
    assertThat(buffer.hasRoom()).isTrue();
  }

  @Test
  void reportsZeroBytesAfterEmptying() {
    MessageBuffer buffer = new MessageBuffer(1_000);
    buffer.put(HUNDRED_BYTES);
    buffer.put(new WebSocketMessage.Binary(new byte[50]));
    buffer.put(new WebSocketMessage.ConnectionEvent(AhcWsConstants.CONNECTED, Instant.EPOCH, 0));
    assertThat(buffer.size()).isEqualTo(3);
    assertThat(buffer.bytes()).isGreaterThan(150);
    IntStream.range(0, 3).forEach(i -> assertThat(buffer.poll()).isNotNull());
    assertThat(buffer.poll()).isNull();
    assertThat(buffer.bytes()).isZero();
  }

  /** Java has two bytes for each character, if one of them is outside Latin-1. */
  @Test
  void countsHeapOfLongTexts() {
    MessageBuffer buffer = new MessageBuffer(1_000);
    buffer.put(new WebSocketMessage.Text("\u20ac".repeat(1_000_000)));
    assertThat(buffer.bytes()).isBetween(1_950_000L, 2_050_000L);
  }

  @Test
  void awaitsMessage() throws Exception {
    MessageBuffer buffer = new MessageBuffer(1_000);
    assertThat(buffer.awaitMessage(0)).isFalse();
    CompletableFuture<Boolean> waiting =
        Async.supply(
            () -> {
              try {
                return buffer.awaitMessage(TimeUnit.SECONDS.toMillis(20));
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    buffer.put(HUNDRED_BYTES);
    assertThat(waiting.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(buffer.size()).isEqualTo(1);
  }

  @Test
  void drainsToOtherBufferInOrder() {
    MessageBuffer from = new MessageBuffer(1_000);
    MessageBuffer to = new MessageBuffer(10);
    IntStream.range(0, 3).forEach(i -> from.put(new WebSocketMessage.Text("message " + i)));
    from.drainTo(to);
    assertThat(from.size()).isZero();
    assertThat(from.bytes()).isZero();
    assertThat(to.poll()).isEqualTo(new WebSocketMessage.Text("message 0"));
    assertThat(to.size()).isEqualTo(2);
    assertThat(to.isFull()).isTrue();
  }
}
