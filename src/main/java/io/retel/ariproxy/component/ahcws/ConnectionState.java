package io.retel.ariproxy.component.ahcws;

import java.time.Instant;

/**
 * How a connection is.
 *
 * @param connected whether messages can arrive
 * @param since since when it is so
 * @param reason why it is not connected, in a sentence
 * @param refusedStatus the HTTP status with which the server refused the upgrade, or 0
 * @param failures how many tries have failed since it was last connected for a while
 */
record ConnectionState(
    boolean connected, Instant since, String reason, int refusedStatus, int failures) {

  static ConnectionState initial() {
    return new ConnectionState(false, Instant.now(), "The websocket has not been opened yet", 0, 0);
  }

  ConnectionState nowConnected() {
    return new ConnectionState(true, Instant.now(), "", 0, failures);
  }

  ConnectionState nowLost(String why, int failedTries) {
    return new ConnectionState(false, Instant.now(), why, 0, failedTries);
  }

  ConnectionState failedAgain(String why, int status) {
    return new ConnectionState(false, since, why, status, failures + 1);
  }
}
