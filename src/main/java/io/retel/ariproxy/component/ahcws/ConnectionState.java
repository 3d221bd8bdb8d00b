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
    String reason,
    int refusedStatus,
    int failures,
    long connects,
    Duration gaps) {

  static ConnectionState initial() {
    return new ConnectionState(
        false, Instant.now(), "The websocket has not been opened yet", 0, 0, 0, Duration.ZERO);
  }

  ConnectionState nowConnected() {
    return new ConnectionState(
        true,
        Instant.now(),
        connects == 0 ? "" : reason,
        0,
        failures,
        connects + 1,
        gapsUntilNow());
  }

  ConnectionState nowLost(String why, int failedTries) {
    return new ConnectionState(false, Instant.now(), why, 0, failedTries, connects, gaps);
  }

  ConnectionState failedAgain(String why, int status) {
    return new ConnectionState(false, since, why, status, failures + 1, connects, gaps);
  }

  /** That of a connection that takes the place of another one as well: what is counted goes on. */
  ConnectionState goingOnAfter(ConnectionState former) {
    return new ConnectionState(
        connected,
        since,
        connects == 0 ? former.reason : reason,
        refusedStatus,
        failures,
        connects + former.connects,
        gaps.plus(former.gapsUntilNow()));
  }

  /** How long it was not connected since the first connect. */
  Duration gapsUntilNow() {
    return connected || connects == 0 ? gaps : gaps.plus(Duration.between(since, Instant.now()));
  }

  long reconnects() {
    return Math.max(0, connects - 1);
  }
}
