package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import java.util.List;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.Test;

/** Somebody asks for a new connection. */
class AhcWsComponentReconnectTest extends AhcWsTestSupport {

  @Test
  void closesTheWebsocketAndOpensItAnew() throws Exception {
    startConnected("");
    try (CapturedLog log = new CapturedLog()) {
      component().reconnect("somebody wants it");
      await().atMost(SOON).until(() -> status().reconnects() == 1 && status().connected());
      assertThat(asterisk.websocketsTotal()).isEqualTo(2);
      assertThat(asterisk.websocketsOpen()).isOne();
      assertThat(status().lastError()).isEqualTo("somebody wants it");
      assertThat(log.lines(Level.WARN))
          .singleElement()
          .asString()
          .endsWith("/ari/events: somebody wants it; connecting again");
    }
    asterisk.emit(APP, "hello");
    awaitReceived(1);
  }

  @Test
  void triesAtOnceIfItIsNotOpen() throws Exception {
    Fault refusal = asterisk.faults().refuseUpgrades(401);
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from(uri("refusedMaximumDelay=600000")
                    .replaceAll("(reconnect\\w+Delay)=\\d+", "$1=600000"))
                .process(exchange -> received.add(exchange.getMessage().getBody()));
          }
        });
    context.start();
    await().atMost(SOON).until(() -> status().failures() == 1);
    component().reconnect("the password was wrong");
    await().atMost(SOON).until(() -> status().failures() == 2);
    refusal.lift();
    component().reconnect("now it is right");
    awaitConnected();
    asterisk.emit(APP, "hello");
    awaitReceived(1);
  }

  private AhcWsComponent component() {
    return context.getComponent("ahc-ws", AhcWsComponent.class);
  }

  private WebSocketStatus status() {
    List<WebSocketStatus> all = component().status();
    assertThat(all).hasSize(1);
    return all.get(0);
  }
}
