// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.retel.ariproxy.health.RefusedRequests.Reason;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Bounds the connections of the management port: their number, and the time in which a request has
 * to arrive completely and the previous response has to be read. Thread-safe.
 */
final class ManagementConnections {

  static final int MAX_CONNECTIONS = 100;

  static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(30);

  private static final long BUSY = Long.MAX_VALUE;

  /** Time on {@link System#nanoTime}'s clock since when a request is awaited; or {@link #BUSY}. */
  private final Map<HttpConnection, Long> waitingSince = new ConcurrentHashMap<>();

  private final long epoch = System.nanoTime();
  private final RefusedRequests refused;

  ManagementConnections(RefusedRequests refused) {
    this.refused = refused;
  }

  /** Above the maximum, closes the connection that has waited longest for a request. */
  void opened(HttpConnection connection) {
    waitingSince.put(connection, age());
    connection.closeHandler(closed -> waitingSince.remove(connection));
    if (waitingSince.size() > MAX_CONNECTIONS) {
      waitingSince.entrySet().stream()
          .min(Map.Entry.comparingByValue())
          .ifPresent(
              oldest ->
                  close(
                      oldest.getKey(),
                      "more than "
                          + MAX_CONNECTIONS
                          + " connections; closing the one that has waited longest for a request"));
    }
  }

  /**
   * A request has arrived, and may take any time to process. Closes the connection if the client
   * does not read the responses to previous ones.
   */
  void received(RoutingContext routing) {
    HttpConnection connection = routing.request().connection();
    if (routing.response().writeQueueFull()) {
      close(connection, "a client does not read its responses");
      return;
    }
    waitingSince.replace(connection, BUSY);
    routing.addEndHandler(ended -> waitingSince.replace(connection, age()));
  }

  /** Closes connections on which no request has arrived in time; called periodically. */
  void closeExpired() {
    long oldest = age() - REQUEST_TIMEOUT.toNanos();
    waitingSince.forEach(
        (connection, since) -> {
          if (since < oldest) {
            abort(connection);
          }
        });
  }

  private void close(HttpConnection connection, String sentence) {
    refused.record(Reason.CONNECTIONS, sentence);
    abort(connection);
  }

  /** Closes a connection without the wait of Vert.x until the client has read its responses. */
  private void abort(HttpConnection connection) {
    waitingSince.remove(connection);
    if (connection instanceof ConnectionBase base) {
      // channel().close() would wait as well
      base.channelHandlerContext().close();
    } else {
      connection.close();
    }
  }

  private long age() {
    return System.nanoTime() - epoch;
  }
}
