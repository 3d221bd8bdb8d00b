package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import org.apache.camel.health.HealthCheck;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A server that refuses the upgrade: said once, tried rarely, mended by itself. */
class AhcWsConsumerRefusedTest extends AhcWsTestSupport {

  @ParameterizedTest
  @CsvSource({
    "401, check user name and password",
    "403, check user name and password",
    "404, check the address's path",
    "400, the upgrade names no application; set ari.app",
    "503, the server is not ready",
    "302, this is no websocket",
    "200, this is no websocket"
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
          .contains("refuses the websocket with " + status)
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
    // not reachable: 40 and 80 ms at most; refused: half of 320 and of 640 ms at least
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
          .contains("trying again every " + seconds + " s at the latest");
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
