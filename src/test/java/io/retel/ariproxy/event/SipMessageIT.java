// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SipClient;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tests events of SIP MESSAGEs that a real Asterisk receives (docs/contract.md#asterisk). */
@FullRun("PJSIP of a real Asterisk; faster: GoldenEventsTest")
class SipMessageIT {

  private static final String APP = "ari-proxy-message";

  /** Not in the dialplan: Asterisk sends only a TextMessageReceived. */
  private static final String ENDPOINT_ONLY = "nobody";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  private Controller controller;

  @Test
  void messagesArePublished() {
    messagesArePublished("sid");
  }

  @Test
  @FullRun("the same on Asterisk 16")
  void messagesArePublishedOnAsterisk16() {
    messagesArePublished("bullseye");
  }

  private void messagesArePublished(String suite) {
    RealAsterisk asterisk = fixture.startRealAsteriskWithSip(suite);
    EmbeddedProxy proxy = fixture.startProxy();
    controller = fixture.controller();
    SipClient sip = fixture.register(SipClient.open(asterisk));
    controller
        .execute(
            "setup",
            "POST",
            "/applications/" + APP + "/subscription?eventSource=endpoint:PJSIP/anonymous")
        .assertStatus(200);

    toEndpoint(sip);
    hostile(sip);
    throughDialplan(sip, proxy);

    assertThat(proxy.counter("ari-proxy.events.malformed")).isZero();
  }

  private void toEndpoint(SipClient sip) {
    assertThat(sip.send(ENDPOINT_ONLY, utf8("gr\u00fc\u00df \ud83d\ude00"))).isEqualTo(202);

    EventEnvelope received = awaitMessage("gr\u00fc\u00df \ud83d\ude00");
    assertThat(received.callContext()).isNull();
    assertThat(received.key()).isEqualTo("PJSIP/anonymous");
    assertThat(received.resources())
        .containsExactly(new Resource(ResourceType.ENDPOINT, "PJSIP/anonymous"));
    assertThat(received.payload().at("/message/from").asText()).contains("sip:alice@127.0.0.1");
  }

  /** Asterisk drops what it cannot parse or describe, and the text of a long body. */
  private void hostile(SipClient sip) {
    sip.send(ENDPOINT_ONLY, "", utf8("no sender"));
    sip.send(
        ENDPOINT_ONLY, "From: <sip:\u00fc@127.0.0.1>;tag=1\r\n", utf8("sender that is not UTF-8"));
    assertThat(sip.send(ENDPOINT_ONLY, new byte[] {'a', (byte) 0xff, 'b'})).isEqualTo(202);
    assertThat(sip.send(ENDPOINT_ONLY, utf8("\u0001\u001b[31m\"\\"))).isEqualTo(202);
    assertThat(sip.send(ENDPOINT_ONLY, utf8("x".repeat(60_000)))).isEqualTo(202);
    assertThat(sip.send(ENDPOINT_ONLY, utf8("last"))).isEqualTo(202);

    awaitMessage("last");
    assertThat(controller.unmapped().stream().filter(SipMessageIT::isMessage))
        .extracting(SipMessageIT::body)
        .containsExactly("gr\u00fc\u00df \ud83d\ude00", "\u0001\u001b[31m\"\\", "", "last");
  }

  /** All messages have one channel, which handles one after the other. */
  private void throughDialplan(SipClient sip, EmbeddedProxy proxy) {
    sip.send("message-" + APP, utf8("1, one"));
    EventEnvelope start = controller.awaitEvent(event -> event.hasType("STASIS_START"));
    assertThat(start.key()).contains("sip:alice@127.0.0.1");
    assertThat(start.payload().path("args")).hasToString("[\"1\",\" one\"]");
    String one = start.key();
    String channel = start.channelId();
    sip.send("ctx-two~" + APP, utf8("2"));
    sip.send(ENDPOINT_ONLY, utf8("3"));

    proxy.managedBean("Websocket").invoke("reconnect");
    controller.event(one, "ARI_CONNECTION_RESTORED");
    controller.execute(one, "DELETE", "/channels/" + channel).assertStatus(404);
    assertThat(controller.events())
        .filteredOn(event -> event.hasType("STASIS_START") || event.hasType("STASIS_END"))
        .hasSize(1);

    controller.execute(one, "POST", "/channels/" + channel + "/continue").assertStatus(204);
    controller.event(one, "STASIS_END");
    assertThat(controller.event("two", "STASIS_START").channelId()).isEqualTo(channel);
    assertThat(controller.unmapped())
        .noneMatch(event -> isMessage(event) && body(event).equals("3"));
    controller.execute("two", "POST", "/channels/" + channel + "/continue").assertStatus(204);
    controller.event("two", "STASIS_END");
    awaitMessage("3");
    assertThat(controller.events())
        .filteredOn(event -> List.of(one, "two").contains(event.key()))
        .extracting(EventEnvelope::type)
        .doesNotContain("CHANNEL_DESTROYED");
  }

  private EventEnvelope awaitMessage(String body) {
    return controller.awaitUnmapped(event -> isMessage(event) && body(event).equals(body));
  }

  private static boolean isMessage(EventEnvelope event) {
    return event.hasType("TEXT_MESSAGE_RECEIVED");
  }

  private static String body(EventEnvelope event) {
    return event.payload().at("/message/body").asText();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
