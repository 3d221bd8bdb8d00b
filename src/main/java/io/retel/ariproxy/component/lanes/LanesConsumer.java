// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import io.retel.ariproxy.component.ReloadableConsumer;
import io.retel.ariproxy.component.RouteGate;
import java.util.concurrent.ExecutorService;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.jspecify.annotations.Nullable;

/** Processes messages from the lanes, on as many threads as messages are in process, and one. */
public class LanesConsumer extends ReloadableConsumer {

  /** How long a worker waits before it ends, if another one waits. */
  private static final long IDLE_MS = 30_000;

  private final Lanes<Exchange> lanes;
  private final int concurrentConsumers;
  private final long groupTimeoutMs;
  private @Nullable ExecutorService threads;
  private @Nullable LaneWorkers workers;

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
    ExecutorService pool =
        getEndpoint()
            .getCamelContext()
            .getExecutorServiceManager()
            .newCachedThreadPool(this, getEndpoint().getEndpointUri());
    threads = pool;
    LaneWorkers started =
        new LaneWorkers(
            getEndpoint().getEndpointBaseUri(), pool, concurrentConsumers, this::processNext);
    workers = started;
    component().add(started);
    started.start();
  }

  @Override
  protected void doStop() throws Exception {
    gate.close();
    if (workers != null) {
      workers.stop();
      component().remove(workers);
      workers = null;
    }
    if (threads != null) {
      getEndpoint().getCamelContext().getExecutorServiceManager().shutdownNow(threads);
      threads = null;
    }
    lanes.unregister(this);
    super.doStop();
  }

  private LanesComponent component() {
    return (LanesComponent) getEndpoint().getComponent();
  }

  /** Returns whether there was a message, within a time. */
  private boolean processNext(LaneWorkers current) throws InterruptedException {
    // enter before leasing: after the gate is closed, activeCount includes all further leases
    if (!gate.enter(IDLE_MS)) {
      return false;
    }
    try {
      Lanes.Lease<Exchange> lease = lanes.lease(IDLE_MS);
      if (lease != null) {
        process(lease, current);
      }
      return lease != null;
    } finally {
      gate.exit();
    }
  }

  private void process(Lanes.Lease<Exchange> lease, LaneWorkers current) {
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
      current.beginWork();
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
      current.endWork();
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
