package io.retel.ariproxy.component.lanes;

import io.retel.ariproxy.component.ReplaceableConsumer;
import io.retel.ariproxy.component.Turnstile;
import io.retel.ariproxy.logging.AtWork;
import java.util.concurrent.ExecutorService;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Takes messages out of the lanes with as many threads as may be at work at once. */
class LanesConsumer extends ReplaceableConsumer {

  private static final long LEASE_TIMEOUT_MS = 250;

  private final Lanes<Exchange> lanes;
  private final int concurrentConsumers;
  private ExecutorService workers;

  LanesConsumer(LanesEndpoint endpoint, Processor processor, Lanes<Exchange> lanes) {
    super(endpoint, processor, new Turnstile());
    this.lanes = lanes;
    this.concurrentConsumers = endpoint.getConcurrentConsumers();
  }

  @Override
  protected void doStart() throws Exception {
    super.doStart();
    turnstile.open();
    workers =
        getEndpoint()
            .getCamelContext()
            .getExecutorServiceManager()
            .newFixedThreadPool(this, getEndpoint().getEndpointUri(), concurrentConsumers);
    for (int i = 0; i < concurrentConsumers; i++) {
      workers.execute(this::work);
    }
  }

  @Override
  protected void doStop() throws Exception {
    turnstile.close();
    if (workers != null) {
      getEndpoint().getCamelContext().getExecutorServiceManager().shutdownNow(workers);
      workers = null;
    }
    super.doStop();
  }

  private void work() {
    try {
      while (isRunAllowed() && !isStoppingOrStopped()) {
        // entered before the lease, so that whoever closes the turnstile sees every lease that may
        // still come
        if (turnstile.enter(LEASE_TIMEOUT_MS)) {
          try {
            workOnNext();
          } finally {
            turnstile.leave();
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void workOnNext() throws InterruptedException {
    Lanes.Lease<Exchange> lease = lanes.lease(LEASE_TIMEOUT_MS);
    if (lease == null) {
      return;
    }
    // what is forced to stop refuses every message
    boolean forced = forcedToStop();
    if (forced || isSuspendingOrSuspended() || isStoppingOrStopped()) {
      lanes.giveBack(lease);
      if (forced) {
        turnstile.close();
      }
      return;
    }
    Exchange exchange = lease.item();
    exchange.getExchangeExtension().setFromEndpoint(getEndpoint());
    exchange.getExchangeExtension().setFromRouteId(getRouteId());
    try {
      getAsyncProcessor()
          .process(
              exchange,
              doneSync -> {
                try {
                  // what a forced stop interrupts says so by its completions
                  if (exchange.getException() != null && !forcedToStop()) {
                    AtWork.on(
                        exchange,
                        () ->
                            getExceptionHandler()
                                .handleException(
                                    "Error processing exchange",
                                    exchange,
                                    exchange.getException()));
                  }
                } finally {
                  lanes.end(lease);
                }
              });
    } catch (Exception e) {
      getExceptionHandler().handleException("Error processing exchange", exchange, e);
      lanes.end(lease);
    }
  }

  private boolean forcedToStop() {
    return getEndpoint().getCamelContext().getShutdownStrategy().isForceShutdown();
  }

  @Override
  public int getPendingExchangesSize() {
    return lanes.leased() + (contextStops() ? lanes.waiting() : 0);
  }
}
