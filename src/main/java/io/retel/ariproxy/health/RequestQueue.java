// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.retel.ariproxy.health.RefusedRequests.Reason;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Passes requests on one at a time, and refuses them while too many wait. Requests whose client has
 * closed its connection are dropped before they cause work.
 *
 * <p>Camel's handlers run on a worker thread, in the order of the context that the request arrived
 * in: each queue has its own context, so that none waits for the work of another. Used on the
 * thread of the server's event loop only.
 */
final class RequestQueue implements Handler<RoutingContext> {

  private final String name;
  private final int maxWaiting;
  private final RefusedRequests refused;
  private final Queue<RoutingContext> waiting = new ArrayDeque<>();
  private @Nullable ContextInternal context;
  private boolean busy;

  /**
   * @param name what the requests are for, for the log
   * @param maxWaiting number of requests that wait; further ones are refused
   */
  RequestQueue(String name, int maxWaiting, RefusedRequests refused) {
    this.name = name;
    this.maxWaiting = maxWaiting;
    this.refused = refused;
  }

  @Override
  public void handle(RoutingContext routing) {
    waiting.removeIf(RequestQueue::isClosed);
    if (busy && waiting.size() >= maxWaiting) {
      refused.refuse(
          routing, 503, Reason.BUSY, maxWaiting + " requests for " + name + " wait already");
      return;
    }
    waiting.add(routing);
    handleNext();
  }

  private void handleNext() {
    while (!busy) {
      RoutingContext next = waiting.poll();
      if (next == null) {
        return;
      }
      if (!isClosed(next)) {
        handleNow(next);
      }
    }
  }

  private void handleNow(RoutingContext routing) {
    busy = true;
    ContextInternal queue = context(routing.vertx());
    queue.dispatch(routing, RoutingContext::next);
    // runs after the work of the request, also after the client has closed its connection
    queue
        .executeBlocking(() -> true, true)
        .onComplete(
            done -> {
              busy = false;
              handleNext();
            });
  }

  private ContextInternal context(Vertx vertx) {
    if (context == null) {
      VertxInternal internal = (VertxInternal) vertx;
      context =
          internal.createEventLoopContext(
              internal.getOrCreateContext().nettyEventLoop(),
              null,
              Thread.currentThread().getContextClassLoader());
    }
    return context;
  }

  private static boolean isClosed(RoutingContext routing) {
    return routing.response().closed();
  }
}
