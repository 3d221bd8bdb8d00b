// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SipCall;
import io.retel.ariproxy.fixtures.asterisk.WebSocketTap;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Tests the call contexts of channels that replace others on a real Asterisk: after a transfer by a
 * SIP phone and a pickup, while the websocket is open and within a gap.
 */
@FullRun("gaps, and PJSIP of a real Asterisk; faster: CallContextRulesTest, ReconcilerTest")
@Tag(FullRun.ON_DEMAND)
class TransferIT {

  private static final String APP = "ari-proxy-transfer";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  private RealAsterisk asterisk;
  private WebSocketTap tap;
  private Controller controller;

  @Test
  void replacingChannelBelongsToCallOfReplacedOne() {
    replacingChannelBelongsToCallOfReplacedOne("sid");
  }

  @Test
  void replacingChannelBelongsToCallOfReplacedOneOnAsterisk16() {
    replacingChannelBelongsToCallOfReplacedOne("bullseye");
  }

  private void replacingChannelBelongsToCallOfReplacedOne(String suite) {
    asterisk = fixture.startRealAsteriskWithSip(suite);
    asterisk.runCli("module load app_directed_pickup.so");
    tap = fixture.register(WebSocketTap.open(asterisk.url()));
    fixture.settings().with(Setting.ARI_URL, tap.url());
    fixture.startProxy();
    controller = fixture.controller();

    blindTransfer();
    attendedTransfer();
    blindTransferInGap();
    attendedTransferInGap();
    pickupInGap();
  }

  private void blindTransfer() {
    SipCall phone = bridgedCall("blind");
    // keeps calls
    asterisk.runCli("module reload res_pjsip.so");
    asterisk.runCli("module reload res_ari.so");

    phone.transfer("ctx-blind-target~" + APP);

    controller.event("blind-target", "STASIS_START");
    controller.event("blind", "BRIDGE_BLIND_TRANSFER");
    String replacement = controller.event("blind", "STASIS_START", replaces("blind")).channelId();
    controller.event("blind", "CHANNEL_ENTERED_BRIDGE", event -> event.isOfChannel(replacement));
    hangUp("blind", replacement);
  }

  private void attendedTransfer() {
    SipCall first = bridgedCall("first");
    SipCall second = bridgedCall("second");

    first.transferTo(second);

    for (String call : Set.of("first", "second")) {
      assertThat(controller.event(call, "BRIDGE_ATTENDED_TRANSFER").callContexts())
          .containsExactly("first", "second");
      String replacement = controller.event(call, "STASIS_START", replaces(call)).channelId();
      controller.event(call, "CHANNEL_ENTERED_BRIDGE", event -> event.isOfChannel(replacement));
    }
  }

  /** Without the event, only its bridge shows to which call the replacement belongs. */
  private void blindTransferInGap() {
    SipCall phone = bridgedCall("gap");
    String peer = inBridge("gap", "gap-peer");

    tap.hold();
    phone.transfer("ctx-gap-target~" + APP);
    awaitReplaced("gap");
    tap.drop();

    controller.event("gap-target", "STASIS_START", EventEnvelope::isSynthetic);
    String replacement = awaitReplacement("gap");
    EventEnvelope restored = controller.event("gap", "ARI_CONNECTION_RESTORED");
    assertThat(restored.payload().path("channels").findValuesAsText("id"))
        .contains(replacement, peer);
    hangUp("gap", replacement);
  }

  private void attendedTransferInGap() {
    SipCall first = bridgedCall("gap-first");
    SipCall second = bridgedCall("gap-second");

    tap.hold();
    first.transferTo(second);
    awaitReplaced("gap-first");
    awaitReplaced("gap-second");
    tap.drop();

    for (String call : Set.of("gap-first", "gap-second")) {
      awaitReplacement(call);
    }
  }

  /** The variables of the ringing channel are those of the one that picks up. */
  private void pickupInGap() {
    controller
        .response(
            controller.send(
                "ringing",
                "POST",
                "/channels/ringing?endpoint=Local/3004@default&app=" + APP,
                JsonNodeFactory.instance
                    .objectNode()
                    .set(
                        "variables",
                        JsonNodeFactory.instance.objectNode().put("CALL_CONTEXT", "ringing"))))
        .assertStatus(200);
    EventEnvelope dial =
        controller.event(
            "ringing",
            "DIAL",
            event -> event.payload().path("dialstatus").asText().equals("RINGING"));

    tap.hold();
    asterisk.runCli(
        "channel originate Local/3002@default application PickupChan "
            + dial.payload().at("/peer/name").asText());
    asterisk.await(
        "/channels",
        channels ->
            !channels.findValuesAsText("id").contains("ringing")
                && channels.findValuesAsText("CALL_CONTEXT").contains("ringing"));
    tap.drop();

    controller.event(
        "ringing",
        "CHANNEL_DESTROYED",
        event -> event.isOfChannel("ringing") && event.isSynthetic());
    EventEnvelope start =
        controller.event("ringing", "STASIS_START", event -> !event.isOfChannel("ringing"));
    assertThat(start.isSynthetic()).isTrue();
    hangUp("ringing", start.channelId());
  }

  /** Starts a call of a phone, in a bridge with a second channel. */
  private SipCall bridgedCall(String call) {
    SipCall phone = fixture.register(SipCall.start(asterisk, "ctx-" + call + "~" + APP));
    String channel = controller.event(call, "STASIS_START").channelId();
    controller.execute(call, "POST", "/channels/" + channel + "/answer").assertStatus(204);
    phone.awaitAnswer();
    String peer = call + "-peer";
    controller
        .execute(call, "POST", "/channels/" + peer + "?endpoint=Local/3002@default&app=" + APP)
        .assertStatus(200);
    controller.event(call, "STASIS_START", event -> event.isOfChannel(peer));
    controller.execute(call, "POST", "/bridges/" + call).assertStatus(200);
    controller
        .execute(call, "POST", "/bridges/" + call + "/addChannel?channel=" + channel + "," + peer)
        .assertStatus(204);
    inBridge(call, channel);
    inBridge(call, peer);
    return phone;
  }

  private String inBridge(String call, String channel) {
    controller.event(call, "CHANNEL_ENTERED_BRIDGE", event -> event.isOfChannel(channel));
    return channel;
  }

  private static Predicate<EventEnvelope> replaces(String call) {
    return event ->
        event.payload().at("/replace_channel/channelvars/CALL_CONTEXT").asText().equals(call);
  }

  /** Waits until a channel without a call context is in the bridge, in place of the phone's. */
  private void awaitReplaced(String call) {
    String phone = controller.event(call, "STASIS_START").channelId();
    asterisk.await(
        "/bridges/" + call,
        bridge -> bridge.path("channels").size() == 2 && !bridge.toString().contains(phone));
  }

  private String awaitReplacement(String call) {
    EventEnvelope start =
        controller.event(
            call,
            "STASIS_START",
            event ->
                event.isSynthetic()
                    && event.payload().at("/channel/name").asText().startsWith("Local/"));
    controller.event(call, "STASIS_END", EventEnvelope::isSynthetic);
    return start.channelId();
  }

  private void hangUp(String call, String channel) {
    controller.execute(call, "DELETE", "/channels/" + channel).assertStatus(204);
    controller.event(call, "STASIS_END", event -> event.isOfChannel(channel));
  }
}
