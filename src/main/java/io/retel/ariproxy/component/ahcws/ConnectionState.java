// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import java.time.Duration;
import java.time.Instant;

/**
 * State of a connection.
 *
 * @param connected whether messages can arrive
 * @param since when it entered this state
 * @param lastError why it is or was last disconnected; empty if it never was
 * @param refusedStatus HTTP status of a rejected upgrade, or 0
 * @param failures failed attempts since it was last stable
 * @param connectCount how often it has connected
 * @param pastGaps total time disconnected between the first connect and the latest
 */
record ConnectionState(
    boolean connected,
    Instant since,
    String lastError,
    int refusedStatus,
    int failures,
    long connectCount,
    Duration pastGaps) {

  static ConnectionState initial() {
    return new ConnectionState(
        false, Instant.now(), "Websocket not opened yet", 0, 0, 0, Duration.ZERO);
  }

  ConnectionState afterConnect() {
    return new ConnectionState(
        true,
        Instant.now(),
        connectCount == 0 ? "" : lastError,
        0,
        failures,
        connectCount + 1,
        totalGap());
  }

  ConnectionState afterDisconnect(String error, int failedAttempts) {
    return new ConnectionState(
        false, Instant.now(), error, 0, failedAttempts, connectCount, pastGaps);
  }

  ConnectionState afterFailedAttempt(String error, int status) {
    return new ConnectionState(false, since, error, status, failures + 1, connectCount, pastGaps);
  }

  /** The state of a connection that replaces another; counters continue. */
  ConnectionState mergedWith(ConnectionState previous) {
    return new ConnectionState(
        connected,
        since,
        connectCount == 0 ? previous.lastError : lastError,
        refusedStatus,
        failures,
        connectCount + previous.connectCount,
        pastGaps.plus(previous.totalGap()));
  }

  /** Total time disconnected since the first connect. */
  Duration totalGap() {
    return connected || connectCount == 0
        ? pastGaps
        : pastGaps.plus(Duration.between(since, Instant.now()));
  }

  long reconnects() {
    return Math.max(0, connectCount - 1);
  }
}
