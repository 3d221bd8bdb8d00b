// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Commands after another client has taken over one of two applications. */
class LostApplicationTest {

  @AutoClose private static RoutesUnderTest routes;

  @BeforeAll
  static void loseOneApplication() throws Exception {
    routes = RoutesUnderTest.start(Map.of(Setting.ARI_APP, "app,lost"));
    routes.ari().whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, 204, ""));
    routes.sendEvent(stasisStart("app", "kept"));
    routes.sendEvent(stasisStart("lost", "gone"));
    command("gone", "POST", "/bridges?bridgeId=gone-bridge", null);
    command("gone", "POST", "/channels/gone/play?media=sound:beep&playbackId=gone-sound", null);
    command("kept", "POST", "/bridges?bridgeId=kept-bridge", null);
    routes.sendEvent("{\"type\":\"ApplicationReplaced\",\"application\":\"lost\"}");
  }

  @Test
  void continuesWithOtherApplication() {
    assertThat(routes.replacedCount()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "kept, POST, /channels/kept/answer",
    "gone, GET, /channels/gone",
    "kept, POST, /channels?endpoint=Local/1&app=app",
    "kept, POST, /applications/app/subscription?eventSource=channel:kept",
    ", POST, /asterisk/variable?variable=lost",
    "kept, POST, /bridges/kept-bridge/addChannel?channel=kept",
    "kept, POST, /channels/kept/variable?variable=CALL_CONTEXT&value=kept",
    "kept, GET, /bridges/gone-bridge"
  })
  void executesCommandOfOwnApplication(String callContext, String method, String url) {
    command(callContext, method, url, null).assertStatus(204);
  }

  @ParameterizedTest
  @CsvSource({
    "gone, POST, /channels/gone/answer",
    ", DELETE, /channels/gone",
    "gone, POST, /bridges",
    "kept, POST, /channels?endpoint=Local/1&app=lost",
    "kept, POST, /channels/kept/move?app=lost",
    "kept, POST, /applications/lost/subscription?eventSource=channel:kept",
    "kept, POST, /channels?endpoint=Local/1&app=lost%2Cargument",
    "kept, POST, /events/user/x?application=lost",
    "kept, POST, /events/claim?channelId=other&application=lost",
    "kept, POST, /bridges/kept-bridge/addChannel?channel=gone",
    "kept, POST, /bridges/kept-bridge/addChannel?channel=kept%2Cgone",
    "kept, POST, '/bridges/kept-bridge/removeChannel?channel=kept,gone'",
    "kept, POST, /bridges/kept-bridge/videoSource/gone",
    "kept, POST, /bridges/gone-bridge/addChannel?channel=kept",
    "kept, DELETE, /bridges/gone-bridge",
    "kept, POST, /playbacks/gone-sound/control?operation=pause",
    "kept, POST, /channels/kept/dial?caller=gone",
    "kept, POST, /channels?endpoint=Local/1&app=app&originator=gone",
    "kept, POST, /channels/create?endpoint=Local/1&app=app&originator=gone",
    "kept, POST, /channels?endpoint=Local/1&app=app&channelId=gone",
    "kept, POST, /channels/externalMedia?app=app&channelId=gone",
    "kept, POST, /channels/gone/snoop?app=app&spy=in",
    "kept, POST, /channels/kept/snoop?app=app&spy=in&snoopId=gone",
    "kept, POST, '/applications/app/subscription?eventSource=deviceState:x,channel:gone'",
    "kept, POST, /applications/app/subscription?eventSource=bridge:gone-bridge",
    "kept, POST, /events/user/x?application=app&source=channel:gone",
    "kept, POST, /channels/kept/variable?variable=CALL_CONTEXT&value=gone",
    "kept, POST, /channels/kept/variable?variable=__CALL_CONTEXT&value=gone"
  })
  void rejectsCommandOfLostApplication(String callContext, String method, String url) {
    assertRejected(callContext, method, url, null);
  }

  /** Asterisk reads the body like the query. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/bridges/kept-bridge/addChannel | {'channel':['kept','gone']}",
        "/bridges/kept-bridge/removeChannel?channel=kept | {'channel':'gone'}",
        "/channels/kept/dial | {'caller':'gone'}",
        "/channels/kept/move | {'app':'lost'}",
        "/channels/create | {'endpoint':'Local/1','app':'app','originator':'gone'}",
        "/channels | {'endpoint':'Local/1','app':'app','channelId':'gone'}",
        "/channels?endpoint=Local/1&app=app | {'variables':{'CALL_CONTEXT':'gone'}}",
        "/channels?endpoint=Local/1&app=app"
            + " | {'variables':{'CALL_CONTEXT':'kept','__CALL_CONTEXT':'gone'}}",
        "/channels/kept/variables"
            + " | {'variables':{'x':'y','_CALL_CONTEXT':{'value':'gone','report_events':true}}}",
        "/channels/kept/variable | {'variable':'CALL_CONTEXT','value':'gone'}",
        "/applications/app/subscription | {'eventSource':['channel:kept','channel:gone']}"
      })
  void rejectsLostApplicationInBody(String url, String body) {
    assertRejected("kept", "POST", url, body);
  }

  private static void assertRejected(
      String callContext, String method, String url, @Nullable String body) {
    int requests = routes.ari().getReceivedCounter();
    Response response = command(callContext, method, url, body);
    response.assertStatus(409);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(response.message()).contains("application lost");
    assertThat(routes.ari().getReceivedCounter()).isEqualTo(requests);
  }

  private static Response command(
      @Nullable String callContext, String method, String url, @Nullable String body) {
    routes.resetTopics();
    routes.sendCommand(
        "{'callContext':%s,'ariCommand':{'method':'%s','url':'%s','body':%s}}"
            .formatted(callContext == null ? null : "'" + callContext + "'", method, url, body));
    routes.awaitResponse();
    return routes.response();
  }

  private static String stasisStart(String application, String call) {
    return """
        {"type":"StasisStart","application":"%s","asterisk_id":"a","args":[],
        "timestamp":"2026-11-23T09:25:38.863+0000",
        "channel":{"id":"%s","creationtime":"2026-11-23T09:25:38.863+0000",
        "channelvars":{"CALL_CONTEXT":"%s"}}}"""
        .formatted(application, call, call);
  }
}
