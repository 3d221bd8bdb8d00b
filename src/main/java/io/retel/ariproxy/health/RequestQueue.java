// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.retel.ariproxy.health.RefusedRequests.Reason;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Passes requests on one at a time, of each client in turn, and refuses them while too many wait.
 * Requests whose client has closed its connection are dropped before they cause work.
 *
 * <p>Camel's handlers run on a worker thread, in the order of the context that the request arrived
 * in: each queue has its own context and thread, so that none waits for the work of another, or of
 * a route that serves HTTP. Used on the thread of the server's event loop only.
 */
final class RequestQueue implements Handler<RoutingContext> {

  /** Vert.x logs a thread that is blocked for longer; requests have limits of their own. */
  private static final Duration MAX_WORK = Duration.ofMinutes(1);

  private final String name;
  private final int maxWaiting;
  private final RefusedRequests refused;

  /** The requests of each client, in the order of their turns. */
  private final Map<String, Deque<RoutingContext>> waiting = new LinkedHashMap<>();

  private @Nullable ContextInternal context;
  private boolean busy;

  /**
   * @param name what the requests are for, for the log
   * @param maxWaiting number of requests that wait; above it, the last one of the client with the
   *     most is refused
   */
  RequestQueue(String name, int maxWaiting, RefusedRequests refused) {
    this.name = name;
    this.maxWaiting = maxWaiting;
    this.refused = refused;
  }

  @Override
  public void handle(RoutingContext routing) {
    String client = ManagementConnections.client(routing.request().connection());
    waiting.values().removeIf(RequestQueue::dropClosed);
    Deque<RoutingContext> ofClient = waiting.computeIfAbsent(client, key -> new ArrayDeque<>());
    ofClient.add(routing);
    if (busy && waiting.values().stream().mapToInt(Deque::size).sum() > maxWaiting) {
      refuseLast(
          Collections.max(
              waiting.values(),
              Comparator.<Deque<RoutingContext>>comparingInt(Deque::size)
                  .thenComparing(requests -> requests == ofClient)));
    }
    handleNext();
  }

  private void refuseLast(Deque<RoutingContext> ofClient) {
    RoutingContext last = ofClient.removeLast();
    waiting.values().removeIf(Deque::isEmpty);
    refused.refuse(last, 503, Reason.BUSY, maxWaiting + " requests for " + name + " wait already");
  }

  private void handleNext() {
    while (!busy && !waiting.isEmpty()) {
      RoutingContext next = takeNext();
      if (!isClosed(next)) {
        handleNow(next);
      }
    }
  }

  /** Removes the first request of the client whose turn it is, which becomes the last client. */
  private RoutingContext takeNext() {
    String client = waiting.keySet().iterator().next();
    Deque<RoutingContext> requests = waiting.remove(client);
    RoutingContext next = requests.removeFirst();
    if (!requests.isEmpty()) {
      waiting.put(client, requests);
    }
    return next;
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
              internal.createSharedWorkerPool(
                  "management-" + name, 1, MAX_WORK.toMillis(), TimeUnit.MILLISECONDS),
              Thread.currentThread().getContextClassLoader());
    }
    return context;
  }

  /** Returns whether none remains. */
  private static boolean dropClosed(Deque<RoutingContext> requests) {
    requests.removeIf(RequestQueue::isClosed);
    return requests.isEmpty();
  }

  private static boolean isClosed(RoutingContext routing) {
    return routing.response().closed();
  }
}
