// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.util.Map;
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
    ", POST, /asterisk/variable?variable=lost"
  })
  void executesCommandOfOwnApplication(String callContext, String method, String url) {
    response(callContext, method, url).assertStatus(204);
  }

  @ParameterizedTest
  @CsvSource({
    "gone, POST, /channels/gone/answer",
    ", DELETE, /channels/gone",
    "gone, POST, /bridges",
    "kept, POST, /channels?endpoint=Local/1&app=lost",
    "kept, POST, /channels/kept/move?app=lost",
    "kept, POST, /applications/lost/subscription?eventSource=channel:kept",
    "kept, POST, /events/user/x?application=lost"
  })
  void rejectsCommandOfLostApplication(String callContext, String method, String url) {
    int requests = routes.ari().getReceivedCounter();
    Response response = response(callContext, method, url);
    response.assertStatus(409);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(response.message()).contains("application lost");
    assertThat(routes.ari().getReceivedCounter()).isEqualTo(requests);
  }

  private static Response response(String callContext, String method, String url) {
    routes.resetTopics();
    routes.sendCommand(
        "{'callContext':%s,'ariCommand':{'method':'%s','url':'%s'}}"
            .formatted(callContext == null ? null : "'" + callContext + "'", method, url));
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
