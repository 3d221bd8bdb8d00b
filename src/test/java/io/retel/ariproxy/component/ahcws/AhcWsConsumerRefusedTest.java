// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import org.apache.camel.health.HealthCheck;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A server that rejects the upgrade is logged once, retried infrequently, and recovers
 * automatically.
 */
class AhcWsConsumerRefusedTest extends AhcWsTestSupport {

  @ParameterizedTest
  @CsvSource({
    "401, check user name, password and permissions",
    "403, check user name, password and permissions",
    "404, check the path of the address",
    "400, the request lacks a parameter, such as app",
    "503, the server is not ready",
    "302, not a websocket",
    "200, not a websocket"
  })
  void logsAdviceOnce(int status, String advice) throws Exception {
    Fault refusal = asterisk.faults().rejectUpgrades(status);
    try (CapturedLog log = new CapturedLog()) {
      context.addRoutes(
          route(
              "refusedMaximumDelay=100",
              exchange -> received.add(exchange.getMessage().getBody())));
      context.start();
      refusal.awaitHits(4);
      HealthCheck.Result down = awaitHealth(HealthCheck.State.DOWN);
      assertThat(down.getMessage()).get().asString().contains("with " + status).contains(advice);
      assertThat(down.getDetails()).containsEntry("refused.status", status);
      assertThat(log.lines(Level.WARN))
          .singleElement()
          .asString()
          .contains("rejects the websocket upgrade with " + status)
          .contains(advice);
      refusal.clear();
      awaitConnected();
      asterisk.emit(APP, "hello");
      awaitReceived(1);
    }
  }

  @Test
  void backsOffLongerThanForUnreachableServer() throws Exception {
    Fault refusal = asterisk.faults().rejectUpgrades(401);
    context.addRoutes(route("", exchange -> {}));
    long start = System.nanoTime();
    context.start();
    refusal.awaitHits(3);
    // unreachable: at most 40 and 80 ms; rejected: at least half of 320 and of 640 ms
    assertThat(System.nanoTime() - start).isGreaterThan(480_000_000L);
  }

  @ParameterizedTest
  @CsvSource({"401, 60", "503, 1"})
  void limitsRetryDelayByStatus(int status, int seconds) throws Exception {
    Fault refusal = asterisk.faults().rejectUpgrades(status);
    try (CapturedLog log = new CapturedLog()) {
      context.addRoutes(route("", exchange -> {}));
      context.start();
      refusal.awaitHits(2);
      assertThat(log.lines(Level.WARN))
          .singleElement()
          .asString()
          .contains("retrying within " + seconds + " s");
    }
  }

  @Test
  void logsChangedRefusal() throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      Fault first = asterisk.faults().rejectUpgrades(404);
      context.addRoutes(route("refusedMaximumDelay=100", exchange -> {}));
      context.start();
      first.awaitHits(2);
      asterisk.faults().rejectUpgrades(401).awaitHits(2);
      assertThat(log.lines(Level.WARN)).hasSize(2);
    }
  }
}
