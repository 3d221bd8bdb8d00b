// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.netty.channel.ChannelOutboundBuffer;
import io.retel.ariproxy.health.RefusedRequests.Reason;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Bounds the connections of the management port: their number, the time in which a request has to
 * arrive completely and the previous response has to be read, and the bytes of responses that
 * clients have not read. Thread-safe.
 */
final class ManagementConnections {

  /** Also the number of newer connections with which a client can close its own probe. */
  static final int MAX_CONNECTIONS = 400;

  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(30);

  /** An IPv6 address; the group is its network, in which a client can have any address. */
  private static final Pattern IPV6_NETWORK = Pattern.compile("((?:[0-9a-f]+:){4}).*");

  private final RefusedRequests refused;
  private final Duration requestTimeout;
  private final long maxUnreadBytes;

  /** Open connections with their clients, the oldest first. */
  private final Map<HttpConnection, String> clients = new LinkedHashMap<>();

  /**
   * Connections of each client that wait for a request, the longest wait first, with the time on
   * {@link System#nanoTime}'s clock since when.
   */
  private final Map<String, Map<HttpConnection, Long>> waiting = new HashMap<>();

  /** Connections whose client had not read a response when it ended, the oldest first. */
  private final Set<HttpConnection> unread = new LinkedHashSet<>();

  ManagementConnections(RefusedRequests refused) {
    this(refused, REQUEST_TIMEOUT, Runtime.getRuntime().maxMemory() / 64);
  }

  /**
   * @param maxUnreadBytes limit of all responses that clients have not read; a single one can be
   *     larger
   */
  ManagementConnections(RefusedRequests refused, Duration requestTimeout, long maxUnreadBytes) {
    this.refused = refused;
    this.requestTimeout = requestTimeout;
    this.maxUnreadBytes = maxUnreadBytes;
  }

  /** Returns the client of a connection: an IPv4 address, or the network of an IPv6 address. */
  static String client(HttpConnection connection) {
    String address = String.valueOf(connection.remoteAddress().hostAddress());
    return IPV6_NETWORK.matcher(address).replaceFirst("$1");
  }

  /**
   * Above the maximum, closes a connection of the client with the most: a flood closes no
   * connections of others, also while requests on all of its own are in process.
   */
  synchronized void opened(HttpConnection connection) {
    clients.put(connection, client(connection));
    connection.closeHandler(closed -> remove(connection));
    startWaiting(connection);
    if (clients.size() > MAX_CONNECTIONS) {
      clients.values().stream()
          .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()))
          .entrySet()
          .stream()
          .max(Map.Entry.comparingByValue())
          .ifPresent(
              largest ->
                  close(
                      leastActive(largest.getKey()),
                      "more than %d connections, %d of them of %s; closing one of these"
                          .formatted(MAX_CONNECTIONS, largest.getValue(), largest.getKey())));
    }
  }

  /**
   * Returns the client's connection that has waited longest for a request, or its oldest if each
   * has one in process.
   */
  private HttpConnection leastActive(String client) {
    Map<HttpConnection, Long> idle = waiting.getOrDefault(client, Map.of());
    return idle.keySet().stream()
        .findFirst()
        .orElseGet(
            () ->
                clients.entrySet().stream()
                    .filter(open -> open.getValue().equals(client))
                    .findFirst()
                    .orElseThrow()
                    .getKey());
  }

  /**
   * A request arrives. Closes the connection if the client does not read the responses to previous
   * ones.
   */
  void begun(RoutingContext routing) {
    HttpConnection connection = routing.request().connection();
    if (routing.response().ended() || routing.response().closed()) {
      // a failure afterwards
      routing.next();
    } else if (routing.response().writeQueueFull()) {
      close(connection, "a client does not read its responses");
    } else {
      if (connection instanceof ConnectionBase base) {
        // another thread leaves the write of its response to the event loop
        routing.addEndHandler(
            ended ->
                base.channelHandlerContext().executor().execute(() -> limitUnread(connection)));
      }
      routing.next();
    }
  }

  /** A request has arrived completely, and may take any time to process. */
  void received(RoutingContext routing) {
    HttpConnection connection = routing.request().connection();
    endWaiting(connection);
    routing.addEndHandler(ended -> startWaiting(connection));
  }

  /** Above the limit, closes connections other than the one whose response is the newest. */
  private synchronized void limitUnread(HttpConnection newest) {
    unread.remove(newest);
    unread.removeIf(connection -> unreadBytes(connection) == 0);
    long bytes = unreadBytes(newest);
    while (!unread.isEmpty() && bytes + unreadBytes(unread) > maxUnreadBytes) {
      close(leastRead(), "clients do not read %d bytes of responses".formatted(maxUnreadBytes));
    }
    if (bytes > 0 && clients.containsKey(newest)) {
      unread.add(newest);
    }
  }

  /** Returns the oldest connection with an unread response of the client with most of the bytes. */
  private HttpConnection leastRead() {
    Map<String, List<HttpConnection>> ofClients =
        unread.stream()
            .collect(
                Collectors.groupingBy(
                    ManagementConnections::client, LinkedHashMap::new, Collectors.toList()));
    return Collections.max(
            ofClients.values(), Comparator.comparingLong(ManagementConnections::unreadBytes))
        .get(0);
  }

  private static long unreadBytes(Collection<HttpConnection> connections) {
    return connections.stream().mapToLong(ManagementConnections::unreadBytes).sum();
  }

  private static long unreadBytes(HttpConnection connection) {
    ChannelOutboundBuffer buffer =
        ((ConnectionBase) connection).channel().unsafe().outboundBuffer();
    return buffer == null ? 0 : buffer.totalPendingWriteBytes();
  }

  /** Closes connections on which no request has arrived in time; called periodically. */
  synchronized void closeExpired() {
    long now = System.nanoTime();
    List<HttpConnection> expired = new ArrayList<>();
    waiting
        .values()
        .forEach(
            connections ->
                connections.forEach(
                    (connection, since) -> {
                      if (now - since > requestTimeout.toNanos()) {
                        expired.add(connection);
                      }
                    }));
    expired.forEach(this::abort);
  }

  private synchronized void startWaiting(HttpConnection connection) {
    String client = clients.get(connection);
    if (client != null) {
      waiting
          .computeIfAbsent(client, key -> new LinkedHashMap<>())
          .put(connection, System.nanoTime());
    }
  }

  private synchronized void endWaiting(HttpConnection connection) {
    waiting.computeIfPresent(
        clients.getOrDefault(connection, ""),
        (client, connections) -> {
          connections.remove(connection);
          return connections.isEmpty() ? null : connections;
        });
  }

  private synchronized void remove(HttpConnection connection) {
    endWaiting(connection);
    unread.remove(connection);
    clients.remove(connection);
  }

  private void close(HttpConnection connection, String sentence) {
    refused.record(Reason.CONNECTIONS, sentence);
    abort(connection);
  }

  private void abort(HttpConnection connection) {
    remove(connection);
    RefusedRequests.abort(connection);
  }
}
