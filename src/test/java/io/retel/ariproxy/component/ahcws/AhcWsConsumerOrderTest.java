// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.spi.ExceptionHandler;
import org.apache.camel.support.AsyncProcessorSupport;
import org.apache.camel.support.LoggingExceptionHandler;
import org.junit.jupiter.api.Test;

/** Messages are delivered in order, one at a time. */
class AhcWsConsumerOrderTest extends AhcWsTestSupport {

  @Test
  void deliversInOrderOneAtATime() throws Exception {
    FloodSink sink = new FloodSink();
    startConnected("", sink);
    asterisk.flood(APP, 20_000, 0, 5);
    sink.awaitAll(20_000);
  }

  @Test
  void startsNextAfterSynchronousPart() throws Exception {
    Queue<AsyncCallback> pendingCallbacks = new ConcurrentLinkedQueue<>();
    startConnected(
        "",
        new AsyncProcessorSupport() {
          @Override
          public boolean process(Exchange exchange, AsyncCallback callback) {
            received.add(exchange.getMessage().getBody());
            pendingCallbacks.add(callback);
            return false;
          }
        });
    IntStream.range(0, 3).forEach(i -> asterisk.emit(APP, "message " + i));
    awaitReceived(3);
    assertThat(received).containsExactly("message 0", "message 1", "message 2");
    assertThat(context.getInflightRepository().size()).isEqualTo(3);
    pendingCallbacks.forEach(callback -> callback.done(false));
    await().until(() -> context.getInflightRepository().size() == 0);
  }

  @Test
  void continuesAfterFailure() throws Exception {
    startConnected(
        "",
        exchange -> {
          received.add(exchange.getMessage().getBody());
          if (received.size() == 1) {
            throw new IllegalStateException("the route fails");
          }
        });
    asterisk.emit(APP, "fails");
    asterisk.emit(APP, "succeeds");
    awaitReceived(2);
  }

  @Test
  void continuesAfterExceptionHandlerFailure() throws Exception {
    ExceptionHandler failing =
        new LoggingExceptionHandler(context, getClass()) {
          @Override
          public void handleException(String message, Exchange exchange, Throwable exception) {
            throw new IllegalStateException("the handler fails", exception);
          }
        };
    context.getRegistry().bind("failing", failing);
    startConnected(
        "exceptionHandler=#failing",
        exchange -> {
          received.add(exchange.getMessage().getBody());
          throw new IllegalStateException("the route fails");
        });
    asterisk.emit(APP, "fails");
    asterisk.emit(APP, "fails, too");
    awaitReceived(2);
  }
}
