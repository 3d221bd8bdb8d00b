// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import io.retel.ariproxy.component.ReloadableConsumer;
import io.retel.ariproxy.component.RouteGate;
import java.util.concurrent.ExecutorService;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.jspecify.annotations.Nullable;

/** Processes messages from the lanes with a fixed number of threads. */
public class LanesConsumer extends ReloadableConsumer {

  private static final long LEASE_TIMEOUT_MS = 250;

  private final Lanes<Exchange> lanes;
  private final int concurrentConsumers;
  private final long groupTimeoutMs;
  private @Nullable ExecutorService workers;

  LanesConsumer(LanesEndpoint endpoint, Processor processor, Lanes<Exchange> lanes) {
    super(endpoint, processor, new RouteGate());
    this.lanes = lanes;
    this.concurrentConsumers = endpoint.getConcurrentConsumers();
    this.groupTimeoutMs = endpoint.getGroupTimeout();
  }

  @Override
  protected void doStart() throws Exception {
    super.doStart();
    lanes.register(this);
    lanes.limitGroups(concurrentConsumers, groupTimeoutMs);
    gate.open();
    workers =
        getEndpoint()
            .getCamelContext()
            .getExecutorServiceManager()
            .newFixedThreadPool(this, getEndpoint().getEndpointUri(), concurrentConsumers);
    for (int i = 0; i < concurrentConsumers; i++) {
      workers.execute(this::processLeases);
    }
  }

  @Override
  protected void doStop() throws Exception {
    gate.close();
    if (workers != null) {
      getEndpoint().getCamelContext().getExecutorServiceManager().shutdownNow(workers);
      workers = null;
    }
    lanes.unregister(this);
    super.doStop();
  }

  private void processLeases() {
    try {
      while (isRunAllowed() && !isStoppingOrStopped()) {
        // enter before leasing: after the gate is closed, activeCount includes all further leases
        if (gate.enter(LEASE_TIMEOUT_MS)) {
          try {
            processNext();
          } finally {
            gate.exit();
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void processNext() throws InterruptedException {
    Lanes.Lease<Exchange> lease = lanes.lease(LEASE_TIMEOUT_MS);
    if (lease == null) {
      return;
    }
    // during a forced shutdown the route rejects every message
    boolean forcedShutdown = isForcedShutdown();
    if (forcedShutdown || isSuspendingOrSuspended() || isStoppingOrStopped()) {
      lanes.requeue(lease);
      if (forcedShutdown) {
        gate.close();
      }
      return;
    }
    Exchange exchange = lease.item();
    exchange.getExchangeExtension().setFromEndpoint(getEndpoint());
    exchange.getExchangeExtension().setFromRouteId(getRouteId());
    if (lease.overdue() != null) {
      exchange.setProperty(LanesConstants.HANGING_GROUP, lease.overdue());
    }
    if (lease.followsHanging()) {
      exchange.setProperty(LanesConstants.FOLLOWS_HANGING, true);
    }
    try {
      getAsyncProcessor()
          .process(
              exchange,
              doneSync -> {
                try {
                  // a forced shutdown is reported by the exchange's completions
                  if (exchange.getException() != null && !isForcedShutdown()) {
                    getExceptionHandler()
                        .handleException(
                            "Error processing exchange", exchange, exchange.getException());
                  }
                } finally {
                  lanes.complete(lease);
                }
              });
    } catch (Exception e) {
      getExceptionHandler().handleException("Error processing exchange", exchange, e);
      lanes.complete(lease);
    } finally {
      lanes.processed(lease);
    }
  }

  private boolean isForcedShutdown() {
    return getEndpoint().getCamelContext().getShutdownStrategy().isForceShutdown();
  }

  @Override
  public int getPendingExchangesSize() {
    return lanes.leased() + (isContextStopping() ? lanes.queued() : 0);
  }
}
