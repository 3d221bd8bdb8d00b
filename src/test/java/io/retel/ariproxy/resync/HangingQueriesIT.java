// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.asterisk.WebSocketTap;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import java.util.concurrent.CountDownLatch;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Tests that events of a real Asterisk continue while it does not answer the queries of a resync.
 */
@FullRun("freezes Asterisk; faster: ResyncRetryIT")
@Tag(FullRun.ON_DEMAND)
class HangingQueriesIT {

  private static final String APP = "ari-proxy-hanging";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  private RealAsterisk asterisk;
  private WebSocketTap tap;
  private EmbeddedProxy proxy;
  private Controller controller;

  @Test
  void eventsContinue() {
    eventsContinue("sid");
  }

  @Test
  void eventsContinueOnAsterisk16() {
    eventsContinue("bullseye");
  }

  private void eventsContinue(String suite) {
    asterisk = fixture.startRealAsterisk(suite);
    tap = fixture.register(WebSocketTap.open(asterisk.url()));
    fixture.settings().with(Setting.ARI_URL, tap.url());
    proxy = fixture.startProxy();
    controller = fixture.controller();
    proxy.awaitResync();
    String channel = startCall("call");

    hangingQuery(channel);
    frozenAsterisk(channel);
  }

  private void hangingQuery(String channel) {
    CountDownLatch answered = new CountDownLatch(1);
    CountDownLatch asked = new CountDownLatch(1);
    tap.beforeRequest(
        "GET /ari/channels ",
        () -> {
          asked.countDown();
          await(answered);
        });
    proxy.managedBean("Websocket").invoke("reconnect");
    await(asked);

    startCall("newer-call");
    assertThat(controller.events()).noneMatch(event -> event.hasType("ARI_CONNECTION_RESTORED"));
    assertThat(proxy.health("resync")).startsWith("DOWN: Resync incomplete: ");
    answered.countDown();

    EventEnvelope restored = controller.event("call", "ARI_CONNECTION_RESTORED");
    assertThat(restored.payload().path("late").asBoolean()).isTrue();
    assertThat(restored.payload().at("/channels/0/id").asText()).isEqualTo(channel);
    Awaitility.await("resync completed").until(() -> proxy.health("resync").equals("UP"));
  }

  private void frozenAsterisk(String channel) {
    CountDownLatch frozen = new CountDownLatch(1);
    tap.beforeRequest(
        "GET /ari/channels ",
        () -> {
          asterisk.freeze();
          frozen.countDown();
        });
    proxy.managedBean("Websocket").invoke("reconnect");
    await(frozen);
    try {
      Awaitility.await("resync-timeout has passed")
          .until(() -> proxy.health("resync").startsWith("DOWN: Resync incomplete: "));
    } finally {
      asterisk.resume();
    }

    startCall("newest-call");
    for (String call : new String[] {"call", "newer-call"}) {
      Awaitility.await("resync completed")
          .until(
              () ->
                  controller.events().stream()
                          .filter(event -> call.equals(event.key()))
                          .filter(event -> event.hasType("ARI_CONNECTION_RESTORED"))
                          .count()
                      == (call.equals("call") ? 2 : 1));
    }
    Awaitility.await("resync completed").until(() -> proxy.health("resync").equals("UP"));
    assertThat(controller.events()).noneMatch(event -> event.hasType("STASIS_END"));
    controller.execute("call", "DELETE", "/channels/" + channel).assertStatus(204);
    controller.event("call", "STASIS_END");
  }

  private String startCall(String callContext) {
    asterisk.originateCall("ctx-" + callContext + "~" + APP);
    return controller.event(callContext, "STASIS_START").channelId();
  }

  private static void await(CountDownLatch latch) {
    Awaitility.await().until(() -> latch.getCount() == 0);
  }
}
