package io.retel.ariproxy.component.ahcws;

import java.time.Duration;
import java.time.Instant;

/**
 * How a connection is.
 *
 * @param connected whether messages can arrive
 * @param since since when it is so
 * @param reason why it is not connected, or was not the last time, in a sentence
 * @param refusedStatus the HTTP status with which the server refused the upgrade, or 0
 * @param failures how many tries have failed since it was last connected for a while
 * @param connects how often it was connected
 * @param gaps how long it was not connected between the first connect and the last
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
        false, Instant.now(), "The websocket has not been opened yet", 0, 0, 0, Duration.ZERO);
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

  /** That of a connection that takes the place of another one as well: what is counted goes on. */
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

  /** How long it was not connected since the first connect. */
  Duration totalGap() {
    return connected || connectCount == 0
        ? pastGaps
        : pastGaps.plus(Duration.between(since, Instant.now()));
  }

  long reconnects() {
    return Math.max(0, connectCount - 1);
  }
}
