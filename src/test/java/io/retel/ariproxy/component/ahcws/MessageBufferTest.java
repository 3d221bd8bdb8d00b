package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.Patience;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** First in, first out, with a bound that is told and not enforced. */
class MessageBufferTest {

  private static final WebSocketMessage HUNDRED = new WebSocketMessage.Text("x".repeat(100));

  @Test
  void tellsWhenItIsFullAndWhenThereIsRoom() {
    MessageBuffer buffer = new MessageBuffer(1_000);
    assertThat(buffer.hasRoom()).isTrue();
    IntStream.range(0, 4).forEach(i -> buffer.put(HUNDRED));
    assertThat(buffer.full()).isFalse();
    assertThat(buffer.hasRoom()).isFalse();
    IntStream.range(0, 2).forEach(i -> buffer.put(HUNDRED));
    assertThat(buffer.full()).isTrue();
    IntStream.range(0, 4).forEach(i -> buffer.poll());
    assertThat(buffer.full()).isFalse();
    assertThat(buffer.hasRoom()).isTrue();
  }

  @Test
  void weighsNothingWhenItIsEmptyAgain() {
    MessageBuffer buffer = new MessageBuffer(1_000);
    buffer.put(HUNDRED);
    buffer.put(new WebSocketMessage.Binary(new byte[50]));
    buffer.put(new WebSocketMessage.ConnectionEvent(AhcWsConstants.CONNECTED, Instant.EPOCH));
    assertThat(buffer.size()).isEqualTo(3);
    assertThat(buffer.bytes()).isGreaterThan(150);
    IntStream.range(0, 3).forEach(i -> assertThat(buffer.poll()).isNotNull());
    assertThat(buffer.poll()).isNull();
    assertThat(buffer.bytes()).isZero();
  }

  @Test
  void waitsForAMessage() throws Exception {
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
    buffer.put(HUNDRED);
    assertThat(waiting.get(Patience.SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(buffer.size()).isEqualTo(1);
  }

  @Test
  void movesItsMessagesInOrder() {
    MessageBuffer from = new MessageBuffer(1_000);
    MessageBuffer to = new MessageBuffer(10);
    IntStream.range(0, 3).forEach(i -> from.put(new WebSocketMessage.Text("message " + i)));
    from.drainTo(to);
    assertThat(from.size()).isZero();
    assertThat(from.bytes()).isZero();
    assertThat(to.poll()).isEqualTo(new WebSocketMessage.Text("message 0"));
    assertThat(to.size()).isEqualTo(2);
    assertThat(to.full()).isTrue();
  }
}
