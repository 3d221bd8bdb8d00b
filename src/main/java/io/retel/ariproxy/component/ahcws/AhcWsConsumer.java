package io.retel.ariproxy.component.ahcws;

import io.retel.ariproxy.component.ReplaceableConsumer;
import io.retel.ariproxy.component.Turnstile;
import io.retel.ariproxy.logging.AtWork;
import java.util.concurrent.ExecutorService;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Hands the messages of a connection's buffer to the route, in order and one at a time: the next
 * message starts when the synchronous part of the route is through with the one before it.
 */
class AhcWsConsumer extends ReplaceableConsumer {

  private static final long WAIT_MS = 250;

  private volatile WebSocketConnection connection;
  private ExecutorService worker;

  AhcWsConsumer(AhcWsEndpoint endpoint, Processor processor) {
    super(endpoint, processor, new Turnstile());
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
    turnstile.open();
    ExecutorService own =
        getEndpoint()
            .getCamelContext()
            .getExecutorServiceManager()
            .newSingleThreadExecutor(this, getEndpoint().getEndpointBaseUri());
    worker = own;
    own.execute(() -> drain(source, own));
  }

  @Override
  protected void doStop() throws Exception {
    turnstile.close();
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

  private void drain(WebSocketConnection source, ExecutorService own) {
    try {
      while (!own.isShutdown()) {
        // a message leaves the buffer inside the turnstile only: a suspended route has none in its
        // hands
        if (source.buffer().awaitMessage(WAIT_MS) && turnstile.enter(WAIT_MS)) {
          try {
            WebSocketMessage message = source.take();
            if (message != null) {
              process(message);
            }
          } finally {
            turnstile.leave();
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  WebSocketConnection connection() {
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
      exchange.getMessage().setHeader(Exchange.MESSAGE_TIMESTAMP, event.at().toEpochMilli());
    }
    getAsyncProcessor()
        .process(
            exchange,
            doneSync -> {
              if (exchange.getException() != null) {
                AtWork.on(
                    exchange,
                    () ->
                        getExceptionHandler()
                            .handleException(
                                "Error processing websocket message",
                                exchange,
                                exchange.getException()));
              }
              releaseExchange(exchange, false);
            });
  }

  @Override
  public int getPendingExchangesSize() {
    WebSocketConnection source = connection;
    boolean worksOff = source != null && contextStops();
    return turnstile.inside() + (worksOff ? source.buffer().size() : 0);
  }
}
