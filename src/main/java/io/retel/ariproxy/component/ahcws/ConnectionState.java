// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import java.time.Duration;
import java.time.Instant;

/**
 * State of a connection.
 *
 * @param connected whether messages can arrive
 * @param since when it entered this state, as the time of day
 * @param sinceNanos the same on {@link System#nanoTime}'s clock
 * @param lastError why it is or was last disconnected; empty if it never was
 * @param refusedStatus HTTP status of a rejected upgrade, or 0
 * @param failures failed attempts since it was last stable
 * @param connectCount how often it has connected
 * @param pastGaps total time disconnected between the first connect and the latest
 */
record ConnectionState(
    boolean connected,
    Instant since,
    long sinceNanos,
    String lastError,
    int refusedStatus,
    int failures,
    long connectCount,
    Duration pastGaps) {

  static ConnectionState initial() {
    return new ConnectionState(
        false,
        Instant.now(),
        System.nanoTime(),
        "Websocket not opened yet",
        0,
        0,
        0,
        Duration.ZERO);
  }

  ConnectionState afterConnect() {
    return new ConnectionState(
        true,
        Instant.now(),
        System.nanoTime(),
        connectCount == 0 ? "" : lastError,
        0,
        failures,
        connectCount + 1,
        totalGap());
  }

  ConnectionState afterDisconnect(String error, int failedAttempts) {
    return new ConnectionState(
        false, Instant.now(), System.nanoTime(), error, 0, failedAttempts, connectCount, pastGaps);
  }

  ConnectionState afterFailedAttempt(String error, int status) {
    return new ConnectionState(
        false, since, sinceNanos, error, status, failures + 1, connectCount, pastGaps);
  }

  /** The state while no attempt to connect is made. */
  ConnectionState waiting(String reason) {
    return new ConnectionState(
        false, since, sinceNanos, reason, 0, failures, connectCount, pastGaps);
  }

  /** The state of a connection that replaces another; counters continue. */
  ConnectionState mergedWith(ConnectionState previous) {
    return new ConnectionState(
        connected,
        since,
        sinceNanos,
        connectCount == 0 ? previous.lastError : lastError,
        refusedStatus,
        failures,
        connectCount + previous.connectCount,
        pastGaps.plus(previous.totalGap()));
  }

  /** Time since it entered this state. */
  Duration age() {
    return Duration.ofNanos(System.nanoTime() - sinceNanos);
  }

  /** Total time disconnected since the first connect. */
  Duration totalGap() {
    return connected || connectCount == 0 ? pastGaps : pastGaps.plus(age());
  }

  long reconnects() {
    return Math.max(0, connectCount - 1);
  }
}
