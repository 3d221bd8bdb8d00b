// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Back pressure: a slow route pauses reads from the socket, and nothing is lost. */
class AhcWsConsumerBackPressureTest extends AhcWsTestSupport {

  private static final int BUFFER_SIZE = 1_000_000;
  private static final long COUNT = 60_000;

  @Test
  void stopsReadingWhenBufferIsFull() throws Exception {
    CountDownLatch blocked = new CountDownLatch(1);
    FloodSink sink = new FloodSink();
    startConnected(
        "pingInterval=100&pongTimeout=5000&bufferSize=" + BUFFER_SIZE,
        exchange -> {
          blocked.await();
          sink.process(exchange);
        });
    Flood flood = asterisk.flood(APP, COUNT, 0, 1);
    MessageBuffer buffer = buffer();
    await().until(buffer::isFull);
    // the server notices: data in flight fills the socket buffers, and no more is sent
    // longer than pongTimeout, which a slow machine must keep before and after the pause
    await().during(Duration.ofMillis(5_500)).until(flood::sent, new Unchanged()::isUnchanged);
    assertThat(flood.isDone()).isFalse();
    // at most one more read
    assertThat(buffer.bytes()).isLessThan(BUFFER_SIZE + 300_000L);
    // missing pongs are ignored while reads are paused
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(1);
    blocked.countDown();
    sink.awaitAll(COUNT);
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(1);
  }

  /** Otherwise, each connection could add a message, for as long as the route stands still. */
  @Test
  void doesNotReconnectWhileBufferIsFull() throws Exception {
    CountDownLatch taken = new CountDownLatch(1);
    CountDownLatch blocked = new CountDownLatch(1);
    startConnected(
        "bufferSize=1000",
        exchange -> {
          taken.countDown();
          blocked.await();
        });
    asterisk.websocketFaults(APP).sendHuge(100_000);
    asterisk.websocketFaults(APP).sendHuge(100_000);
    await().until(() -> taken.getCount() == 0 && buffer().isFull());
    long bytes = buffer().bytes();

    // as after a close frame that arrives with a message
    connection().reconnect("Requested");

    await()
        .until(() -> String.valueOf(health().getMessage().orElse("")).contains("buffer is full"));
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(1);
    assertThat(buffer().bytes()).isLessThan(bytes + 1_000);

    blocked.countDown();
    awaitConnected();
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(2);
  }

  /** A buffer for two messages is full many times a second. */
  @Test
  void logsRepeatedPausesOnce() throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      FloodSink sink = new FloodSink();
      startConnected("bufferSize=1000", sink);
      asterisk.flood(APP, 2_000, 0, 1);
      sink.awaitAll(2_000);
      assertThat(log.lines(Level.WARN))
          .filteredOn(line -> line.startsWith("Buffer of "))
          .singleElement()
          .asString()
          .contains(" full: ");
      assertThat(log.lines(Level.INFO))
          .filteredOn(line -> line.startsWith("Buffer of "))
          .singleElement()
          .asString()
          .contains(" has room");
    }
  }

  @Test
  void acceptsMessagesLargerThanBuffer() throws Exception {
    startConnected("bufferSize=1000");
    for (int i = 1; i <= 5; i++) {
      asterisk.websocketFaults(APP).sendHuge(100_000);
    }
    awaitReceived(5);
  }

  private MessageBuffer buffer() {
    return connection().buffer();
  }

  private WebSocketConnection connection() {
    return ((AhcWsConsumer) context.getRoute(ROUTE).getConsumer()).connection();
  }

  private static final class Unchanged {
    private long last = -1;

    boolean isUnchanged(long value) {
      boolean unchanged = value == last;
      last = value;
      return unchanged;
    }
  }
}
