// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import io.retel.ariproxy.component.ReloadableConsumer;
import io.retel.ariproxy.component.RouteGate;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.jspecify.annotations.Nullable;

/**
 * Consumer that delivers a connection's messages in order, one at a time: the next message starts
 * after the synchronous part of the route has returned.
 */
public class AhcWsConsumer extends ReloadableConsumer {

  /** A stop interrupts it, so it only limits the effect of an error. */
  private static final long POLL_TIMEOUT_MS = 30_000;

  private volatile @Nullable WebSocketConnection connection;

  /** The message that the route processes, and since when, for a monitor. */
  private volatile @Nullable Exchange current;

  private volatile long currentSinceNanos;
  private @Nullable ExecutorService worker;

  AhcWsConsumer(AhcWsEndpoint endpoint, Processor processor) {
    super(endpoint, processor, new RouteGate());
  }

  @Override
  public AhcWsEndpoint getEndpoint() {
    return (AhcWsEndpoint) super.getEndpoint();
  }

  @Override
  protected void doStart() throws Exception {
    super.doStart();
    WebSocketConnection source = getEndpoint().getComponent().connect(getEndpoint());
    connection = source;
    gate.open();
    ExecutorService executor =
        getEndpoint()
            .getCamelContext()
            .getExecutorServiceManager()
            .newSingleThreadExecutor(this, getEndpoint().getEndpointBaseUri());
    worker = executor;
    executor.execute(() -> processMessages(source, executor));
  }

  @Override
  protected void doStop() throws Exception {
    gate.close();
    if (worker != null) {
      getEndpoint().getCamelContext().getExecutorServiceManager().shutdownNow(worker);
      worker = null;
    }
    if (connection != null) {
      connection.release();
      connection = null;
    }
    super.doStop();
  }

  private void processMessages(WebSocketConnection source, ExecutorService executor) {
    try {
      while (!executor.isShutdown()) {
        // remove messages from the buffer inside the gate only: a suspended route must not hold any
        if (source.buffer().awaitMessage(POLL_TIMEOUT_MS) && gate.enter(POLL_TIMEOUT_MS)) {
          try {
            WebSocketMessage message = source.poll();
            if (message != null) {
              process(message);
            }
          } finally {
            gate.exit();
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Nullable WebSocketConnection connection() {
    return connection;
  }

  private void process(WebSocketMessage message) {
    Exchange exchange = createExchange(false);
    if (message instanceof WebSocketMessage.Text text) {
      exchange.getMessage().setBody(text.text());
    } else if (message instanceof WebSocketMessage.Binary binary) {
      exchange.getMessage().setBody(binary.bytes());
    } else if (message instanceof WebSocketMessage.ConnectionEvent event) {
      exchange.getMessage().setHeader(AhcWsConstants.EVENT, event.event());
      exchange.getMessage().setHeader(Exchange.MESSAGE_TIMESTAMP, event.timestamp().toEpochMilli());
      exchange.getMessage().setHeader(AhcWsConstants.EVENT_NANO_TIME, event.nanoTime());
    }
    // a connection event waits for a resync, which has its own limit
    if (!(message instanceof WebSocketMessage.ConnectionEvent)) {
      currentSinceNanos = System.nanoTime();
      current = exchange;
    }
    try {
      getAsyncProcessor()
          .process(
              exchange,
              doneSync -> {
                if (exchange.getException() != null) {
                  getExceptionHandler()
                      .handleException(
                          "Error processing websocket message", exchange, exchange.getException());
                }
                releaseExchange(exchange, false);
              });
    } finally {
      current = null;
    }
  }

  /** Returns the message for which all later ones wait, or null. */
  public @Nullable Exchange current() {
    return current;
  }

  /** Returns how long the route has processed the current message; undefined without one. */
  public Duration currentAge() {
    return Duration.ofNanos(System.nanoTime() - currentSinceNanos);
  }

  @Override
  public int getPendingExchangesSize() {
    WebSocketConnection source = connection;
    return gate.activeCount()
        + (source != null && isContextStopping() ? source.buffer().size() : 0);
  }
}
