// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.benmanes.caffeine.cache.Cache;
import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.callcontext.Mapping;
import io.retel.ariproxy.callcontext.MappingState;
import io.retel.ariproxy.component.lanes.GroupActivity;
import io.retel.ariproxy.component.lanes.LanesComponent;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.metrics.Meters;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.camel.component.kafka.KafkaConstants;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Rules for commands (docs/contract.md#commands) that do not depend on Asterisk's response:
 * disallowed, too old, duplicate, released, or not created.
 */
class CommandRulesTest {

  private static final String CREATE =
      "{'callContext':'call','commandId':'1',"
          + "'ariCommand':{'method':'POST','url':'/channels/new?endpoint=Local/1@a&app=a'}}";

  private static final String GET =
      "{'callContext':'call','ariCommand':{'method':'GET','url':'/channels/c'}}";

  private static final String HANGING = "GET /channels/{channelId}";

  @AutoClose private RoutesUnderTest routes;

  /** Starts with default settings, unless the test has already started with others. */
  private RoutesUnderTest routes() {
    if (routes == null) {
      start(Map.of());
    }
    return routes;
  }

  private void start(Map<Setting<?>, String> settings) {
    try {
      routes = RoutesUnderTest.start(settings);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    routes
        .ari()
        .whenAnyExchangeReceived(
            exchange -> RoutesUnderTest.respond(exchange, 200, "{\"id\":\"new\"}"));
  }

  // ---- 403

  @ParameterizedTest
  @CsvSource({
    "GET,/channels/c,200",
    "GET,/channels/c%2Fd/variable?variable=x,200",
    "POST,/channels/c/answer,200",
    "POST,/ari/channels/c/answer,200",
    "POST,/channels/%63/answer,200",
    "DELETE,/channels/c,403",
    "POST,/channels/c/hangup,403",
    "POST,/channels/answer,403",
    "POST,/channels/c/play/answer,403",
    "POST,/bridges/b/anything/new,200",
    "POST,/bridges/b/addChannel?channel=c,200",
    "DELETE,/bridges/b,200",
    "PUT,/anything/new,403",
  })
  void disallowedOperationYields403(String method, String url, int status) throws Exception {
    start(
        Map.of(
            Setting.COMMANDS_ALLOWED, "GET /**, POST /channels/{channelId}/answer, * /bridges/**"));
    Response response =
        responseTo("{'ariCommand':{'method':'%s','url':'%s'}}".formatted(method, url));

    response.assertStatus(status);
    assertThat(routes().ari().getReceivedCounter()).isEqualTo(status == 200 ? 1 : 0);
    if (status == 403) {
      assertThat(response.outcome()).isEqualTo("not_sent");
      assertThat(response.message()).contains("commands.allowed");
      assertThat(routes().responseCount("rejected")).isEqualTo(1);
    }
  }

  @Test
  void wildcardAllowsUnknownOperation() throws Exception {
    start(Map.of(Setting.COMMANDS_ALLOWED, "PUT /**"));
    assertStatus(200, "{'ariCommand':{'method':'PUT','url':'/anything/new'}}");
    assertStatus(403, "{'ariCommand':{'method':'POST','url':'/anything/new'}}");
  }

  @Test
  void disallowedCommandRegistersNothing() throws Exception {
    start(Map.of(Setting.COMMANDS_ALLOWED, "GET /**"));
    assertStatus(403, CREATE);
    assertThat(mapping("CHANNEL:new")).isNull();
  }

  // ---- 410

  @Test
  void expiredCommandYields410() throws Exception {
    Response response = responseTo(expiring(Instant.now().minusMillis(1).toString()));
    response.assertStatus(410);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(routes().ari().getReceivedExchanges()).isEmpty();
    assertThat(routes().responseCount("rejected")).isEqualTo(1);
  }

  @Test
  void sendsUnexpiredCommand() throws Exception {
    assertStatus(200, expiring(Instant.now().plusSeconds(60).toString()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"2020-01-31T12:00:00Z", "2020-01-31T12:00:00.123+01:00", "2020-01-31T12:00Z"})
  void expiresAtAcceptsIso8601WithZone(String time) throws Exception {
    assertStatus(410, expiring(time));
  }

  @ParameterizedTest
  @ValueSource(strings = {"tomorrow", "2030-01-31", "2030-01-31T12:00:00", "1900000000", ""})
  void invalidExpiresAtYields400(String time) throws Exception {
    assertStatus(400, expiring(time));
  }

  @Test
  void commandOlderThanMaxAgeYields410() throws Exception {
    start(Map.of(Setting.COMMANDS_MAX_AGE, "60s"));
    long now = System.currentTimeMillis();
    assertThat(status(GET, Map.of(KafkaConstants.TIMESTAMP, now - 59_000))).isEqualTo(200);
    routes().reset();
    assertThat(status(GET, Map.of(KafkaConstants.TIMESTAMP, now - 61_000))).isEqualTo(410);
  }

  @Test
  void sendsOldCommandWithoutMaxAge() throws Exception {
    assertThat(status(GET, Map.of(KafkaConstants.TIMESTAMP, 0L))).isEqualTo(200);
  }

  /** Asterisk crashes on it (docs/contract.md#asterisk). */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "'eventSource':[1]",
        "'eventSource':['channel:1',null]",
        "'channel':[{}]",
        "'media':['sound:beep',['sound:beep']]",
        "'app':'other','unknown':[true]"
      })
  void listWithElementThatIsNotStringYields400(String body) throws Exception {
    Response response = responseTo(postWithBody(body));
    response.assertStatus(400);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(response.message()).contains("is not a string");
    assertThat(routes().ari().getReceivedExchanges()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'eventSource':[]",
        "'media':['sound:beep','sound:hello']",
        "'allowed':[{'type':'ChannelCreated'}],'disallowed':[]",
        "'fields':[{'attribute':'a','value':'b'}]",
        "'variables':{'a':[1]}"
      })
  void sendsOtherLists(String body) throws Exception {
    responseTo(postWithBody(body)).assertStatus(200);
  }

  private static String postWithBody(String body) {
    return "{'ariCommand':{'method':'POST','url':'/x','body':{%s}}}".formatted(body);
  }

  // ---- 413

  @ParameterizedTest
  @CsvSource({"40950,200", "40951,413"})
  void oversizedRequestBodyYields413(int length, int status) throws Exception {
    String command =
        "{'ariCommand':{'method':'POST','url':'/x','body':{'value':'%s'}}}"
            .formatted("x".repeat(length - 2));
    Response response = responseTo(command);
    response.assertStatus(status);
    if (status == 413) {
      assertThat(response.outcome()).isEqualTo("not_sent");
      assertThat(response.message()).contains("40961 bytes");
      assertThat(routes().ari().getReceivedExchanges()).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"4076,200", "4077,400"})
  void oversizedUrlYields400(int length, int status) throws Exception {
    String url = "/channels/" + "c".repeat(length - "/channels/".length());
    assertStatus(status, "{'ariCommand':{'method':'GET','url':'" + url + "'}}");
    assertThat(routes().ari().getReceivedCounter()).isEqualTo(status == 200 ? 1 : 0);
  }

  // ---- hanging

  @ParameterizedTest
  @ValueSource(
      strings = {
        // a duplicate
        CREATE,
        "{'ariCommand':{'method':'GET','url':'/asterisk/ping'}}",
      })
  void commandWithResultDoesNotHang(String command) throws Exception {
    start(
        Map.of(
            Setting.ARI_RESPONSE_TIMEOUT, "1s",
            Setting.COMMANDS_DEDUP_WINDOW, "60s"));
    assertStatus(200, CREATE);
    CountDownLatch end = new CountDownLatch(1);
    CountDownLatch published = new CountDownLatch(1);
    routes()
        .mappedTopic()
        .whenAnyExchangeReceived(
            exchange -> {
              published.countDown();
              end.await();
            });
    try {
      routes().sendCommand(command);
      assertThat(published.await(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();

      assertOnlyLaterCommandHangs(end);
    } finally {
      end.countDown();
    }
  }

  @Test
  void retriedCommandDoesNotHang() throws Exception {
    start(
        Map.of(
            Setting.ARI_RESPONSE_TIMEOUT, "1s",
            Setting.COMMANDS_MAX_RETRIES, "1",
            Setting.COMMANDS_RETRY_DELAY, "5s"));
    CountDownLatch failed = new CountDownLatch(1);
    routes()
        .ari()
        .whenAnyExchangeReceived(
            exchange -> {
              exchange.setException(connectionRefused());
              failed.countDown();
            });
    CountDownLatch end = new CountDownLatch(1);
    try {
      routes().sendCommand(CREATE);
      assertThat(failed.await(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();

      assertOnlyLaterCommandHangs(end);
    } finally {
      end.countDown();
    }
  }

  private void assertOnlyLaterCommandHangs(CountDownLatch end) {
    routes().ari().whenAnyExchangeReceived(exchange -> end.await());
    routes()
        .sendCommand("{'callContext':'other','ariCommand':{'method':'GET','url':'/channels/c'}}");
    LanesComponent lanes = routes().context().getComponent("lanes", LanesComponent.class);
    await().until(() -> lanes.hanging().stream().anyMatch(each -> each.group().equals(HANGING)));
    assertThat(lanes.hanging()).extracting(GroupActivity::group).containsExactly(HANGING);
  }

  // ---- duplicates

  @Test
  void replaysResponseOfDuplicateCommand() throws Exception {
    start(Map.of(Setting.COMMANDS_DEDUP_WINDOW, "60s"));
    JsonNode first = responseTo(CREATE).record().json();
    routes().resetTopics();
    assertThat(responseTo(CREATE).record().json()).isEqualTo(first);
    assertThat(routes().ari().getReceivedExchanges()).hasSize(1);
    assertThat(routes().responseCount("repeated")).isEqualTo(1);
  }

  @Test
  void replaysUnknownOutcome() throws Exception {
    start(Map.of(Setting.COMMANDS_DEDUP_WINDOW, "60s"));
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> exchange.setException(new IOException("closed")));
    assertStatus(504, CREATE);
    assertStatus(504, CREATE);
    assertThat(routes().ari().getReceivedExchanges()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // another command of the same call
        "{'callContext':'call','commandId':'2','ariCommand':{'method':'GET','url':'/x'}}",
        // the same id in another call
        "{'callContext':'other','commandId':'1','ariCommand':{'method':'GET','url':'/x'}}",
        // a controller that uses one id for all its commands
        "{'callContext':'call','commandId':'1','ariCommand':{'method':'GET','url':'/y'}}",
        "{'callContext':'call','commandId':'1','ariCommand':{'method':'PUT','url':'/x'}}",
        "{'callContext':'call','commandId':'1','ariCommand':{'method':'GET','url':'/x','body':{}}}",
        // a string is not equal to a number
        "{'callContext':'call','commandId':1,'ariCommand':{'method':'GET','url':'/x'}}",
        // without a complete identity
        "{'callContext':'call','ariCommand':{'method':'GET','url':'/x'}}",
        "{'commandId':'1','ariCommand':{'method':'GET','url':'/x'}}"
      })
  void sendsDifferentCommand(String other) throws Exception {
    start(Map.of(Setting.COMMANDS_DEDUP_WINDOW, "60s"));
    assertStatus(
        200, "{'callContext':'call','commandId':'1','ariCommand':{'method':'GET','url':'/x'}}");
    assertStatus(200, other);
    assertThat(routes().ari().getReceivedExchanges()).hasSize(2);
    assertThat(routes().responseCount("repeated")).isZero();
  }

  @Test
  void sendsDuplicateOfUnsentCommand() throws Exception {
    start(Map.of(Setting.COMMANDS_DEDUP_WINDOW, "60s"));
    routes().ari().whenAnyExchangeReceived(exchange -> exchange.setException(connectionRefused()));
    assertStatus(503, CREATE);
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, 200, "{}"));
    assertStatus(200, CREATE);
  }

  @Test
  void sendsDuplicatesWithoutDedupWindow() throws Exception {
    start(Map.of(Setting.COMMANDS_DEDUP_WINDOW, "0s"));
    assertStatus(200, CREATE);
    assertStatus(200, CREATE);
    assertThat(routes().ari().getReceivedExchanges()).hasSize(2);
  }

  @Test
  void emptyCommandIdDisablesDeduplication() throws Exception {
    start(Map.of(Setting.COMMANDS_DEDUP_WINDOW, "60s"));
    assertStatus(200, CREATE.replace("'1'", "''"));
    assertStatus(200, CREATE.replace("'1'", "''"));
    assertThat(routes().ari().getReceivedExchanges()).hasSize(2);
  }

  @Test
  void deduplicatesCreationWithGeneratedId() throws Exception {
    start(Map.of(Setting.COMMANDS_DEDUP_WINDOW, "60s"));
    String create =
        CREATE.replace("'url':'/channels/new?", "'body':{'channelId':''},'url':'/channels?");
    assertStatus(200, create);
    assertStatus(200, create);
    assertThat(routes().ari().getReceivedExchanges()).hasSize(1);
  }

  // ---- failed publication and forced stop

  @Test
  void retriesFailedResponsePublication() throws Exception {
    routes()
        .mappedTopic()
        .whenExchangeReceived(
            1, exchange -> exchange.setException(new IllegalStateException("not now")));
    routes().sendCommand(CREATE);
    routes().awaitResponse();
    assertThat(routes().responses()).hasSize(2);
    routes().responses().get(1).assertStatus(200);
    assertThat(routes().responseCount("unknown")).isZero();
  }

  @Test
  void forcedRouteStopYields504() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    CountDownLatch requested = new CountDownLatch(1);
    routes()
        .ari()
        .whenAnyExchangeReceived(
            exchange -> {
              requested.countDown();
              never.await();
            });
    routes().sendCommand(CREATE);
    requested.await();
    routes().context().getRouteController().stopRoute("execute-command", 1, TimeUnit.SECONDS);
    routes().awaitResponse();
    Response response = routes().response();
    response.assertStatus(504);
    assertThat(response.outcome()).isEqualTo("unknown");
  }

  // ---- the generic topic

  @Test
  void releasesGenericCommandWhenAsteriskIsUnreachable() throws Exception {
    start(Map.of(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, "generic-commands"));
    routes().ari().whenAnyExchangeReceived(exchange -> exchange.setException(connectionRefused()));

    routes().sendGenericCommand(CREATE);
    routes().awaitReleased();

    assertThat(routes().mappedTopic().getReceivedExchanges()).isEmpty();
    assertThat(routes().counterValue(Meters.COMMANDS_RELEASED)).isEqualTo(1);
    assertThat(routes().counterValue(Meters.COMMANDS_COMPLETED)).isZero();
    assertThat(mapping("CHANNEL:new")).isNull();
  }

  @Test
  void respondsToGenericCommand() throws Exception {
    start(Map.of(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, "generic-commands"));
    routes().sendGenericCommand(CREATE);
    routes().awaitResponse();
    routes().response().assertStatus(200);
  }

  @Test
  void genericCommandWithUnknownOutcomeYields504() throws Exception {
    start(Map.of(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, "generic-commands"));
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> exchange.setException(new IOException("closed")));
    routes().sendGenericCommand(CREATE);
    routes().awaitResponse();
    routes().response().assertStatus(504);
  }

  @Test
  void stopsCommandOfRevokedPartition() {
    routes().offset().revoke();
    routes().sendCommand(CREATE);
    routes().awaitReleased();
    assertThat(routes().ari().getReceivedExchanges()).isEmpty();
    assertThat(routes().mappedTopic().getReceivedExchanges()).isEmpty();
    assertThat(mapping("CHANNEL:new")).isNull();
  }

  // ---- websocket closed

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/channels?endpoint=Local/1@a&app=a",
        "/channels/new?app=a",
        "/channels/create?app=a",
        "/channels/externalMedia?app=a",
        "/channels/c/snoop?app=a"
      })
  void createsNoChannelWithoutWebsocket(String url) throws Exception {
    routes().websocketOpen(false);
    Response response = responseTo("{'ariCommand':{'method':'POST','url':'" + url + "'}}");
    response.assertStatus(503);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(response.message()).contains("websocket");
    assertThat(routes().ari().getReceivedExchanges()).isEmpty();
  }

  @Test
  void createsChannelAfterWebsocketOpens() throws Exception {
    routes().websocketOpen(false);
    routes().sendCommand(CREATE);
    routes().websocketOpen(true);
    routes().awaitResponse();
    routes().response().assertStatus(200);
  }

  @Test
  void sendsOtherCommandsWithoutWebsocket() throws Exception {
    routes().websocketOpen(false);
    assertStatus(200, GET);
    assertStatus(200, "{'ariCommand':{'method':'POST','url':'/bridges'}}");
    assertStatus(
        200,
        "{'ariCommand':{'method':'POST','url':'/channels?endpoint=Local/1@a&extension=1&context=a'}}");
  }

  // ---- mappings of created resources

  @Test
  void creationRepeatedAfterCrashMapsExistingChannel() throws Exception {
    String create =
        "{'callContext':'call','ariCommand':{'method':'POST','url':'/channels?endpoint=Local/1@a'}}";
    String id = responseTo(create).resources().get(0).id();
    routes().resetTopics();
    cache().put("CHANNEL:" + id, live("generated-by-resync"));
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, 409, "{}"));
    assertStatus(409, create);
    assertThat(mapping("CHANNEL:" + id)).isEqualTo(live("call"));
    assertThat(mapping("CHANNEL:" + id + ";2")).isEqualTo(live("call"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/channels?endpoint=Local/1@a&otherChannelId=theirs",
        "/channels/c/play?media=m",
        "/channels/mine?endpoint=Local/1@a"
      })
  void conflictOverForeignIdPreservesMappings(String url) throws Exception {
    cache().put("CHANNEL:theirs", live("another"));
    cache().put("CHANNEL:mine", live("another"));
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, 409, "{}"));
    assertStatus(409, "{'callContext':'call','ariCommand':{'method':'POST','url':'" + url + "'}}");
    assertThat(cache().asMap().values()).extracting(Mapping::callContext).doesNotContain("call");
    assertThat(mapping("CHANNEL:theirs")).isEqualTo(live("another"));
    assertThat(mapping("CHANNEL:mine")).isEqualTo(live("another"));
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 404, 409, 500, 503})
  void rejectedCreationHasNoMapping(int status) throws Exception {
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, status, "{}"));
    assertStatus(status, CREATE);
    assertThat(mapping("CHANNEL:new")).isNull();
    assertThat(mapping("CHANNEL:new;2")).isNull();
  }

  /** Before the crash, Asterisk can have created the channel. */
  @ParameterizedTest
  @ValueSource(ints = {500, 503})
  void creationRepeatedAfterCrashKeepsMappingIfAsteriskFails(int status) throws Exception {
    cache().put("CHANNEL:new", new Mapping("call", null, null, true, MappingState.PENDING, 0, ""));
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, status, "{}"));
    assertStatus(status, CREATE);
    assertThat(mapping("CHANNEL:new").callContext()).isEqualTo("call");
    assertThat(mapping("CHANNEL:new").pending()).isFalse();
    assertThat(mapping("CHANNEL:new;2")).as("not registered before the crash").isNull();
  }

  @Test
  void mapsCreatedResourcesToCall() throws Exception {
    assertStatus(200, CREATE);
    assertThat(mapping("CHANNEL:new")).isEqualTo(live("call"));
    assertThat(mapping("CHANNEL:new;2")).isEqualTo(live("call"));
  }

  @Test
  void remapsRecreatedResourcesToNewCall() throws Exception {
    assertStatus(200, CREATE);
    assertStatus(200, CREATE.replace("'call'", "'another'"));
    assertThat(mapping("CHANNEL:new")).isEqualTo(live("another"));
    assertThat(mapping("CHANNEL:new;2")).isEqualTo(live("another"));
  }

  @Test
  void repeatedBridgePostPreservesMapping() throws Exception {
    String post = "{'callContext':'call','ariCommand':{'method':'POST','url':'/bridges/b'}}";
    assertStatus(200, post);
    assertStatus(200, post.replace("'call'", "'another'"));
    assertThat(mapping("BRIDGE:b")).isEqualTo(live("call"));
  }

  @Test
  void mapsClaimedChannelUnlessAlreadyMapped() throws Exception {
    String claim =
        "{'callContext':'call','ariCommand':{'method':'POST','url':'/events/claim?channelId=c'}}";
    assertStatus(200, claim);
    assertStatus(200, claim.replace("'call'", "'another'"));
    assertThat(mapping("CHANNEL:c")).isEqualTo(live("call"));
  }

  /** Another application claimed it first. */
  @Test
  void lostClaimHasNoMapping() throws Exception {
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, 409, "{}"));
    assertStatus(
        409,
        "{'callContext':'call','ariCommand':{'method':'POST','url':'/events/claim?channelId=c'}}");
    assertThat(mapping("CHANNEL:c")).isNull();
  }

  @Test
  void unsentCreationHasNoMapping() throws Exception {
    routes().ari().whenAnyExchangeReceived(exchange -> exchange.setException(connectionRefused()));
    assertStatus(503, CREATE);
    assertThat(mapping("CHANNEL:new")).isNull();
  }

  @Test
  void mapsCreationWithUnknownOutcome() throws Exception {
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> exchange.setException(new IOException("closed")));
    assertStatus(504, CREATE);
    assertThat(mapping("CHANNEL:new").ended()).isFalse();
    assertThat(cache().getIfPresent("CHANNEL:new").pending()).isFalse();
  }

  @Test
  void rejectedCreationPreservesExistingMapping() throws Exception {
    assertStatus(200, CREATE);
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, 409, "{}"));
    assertStatus(409, CREATE.replace("'call'", "'another'"));
    assertThat(mapping("CHANNEL:new")).isEqualTo(live("call"));
  }

  /** The response shows the creation time, even before the first event of the channel. */
  @Test
  void lateEventsBelongToTheReplacedChannel() throws Exception {
    respondWithCreationTime("2026-11-28T23:46:22.394+0000");
    assertStatus(200, CREATE);
    respondWithCreationTime("2026-11-28T23:46:25.316+0000");
    assertStatus(200, CREATE.replace("'call'", "'another'"));

    for (String type : new String[] {"StasisStart", "ChannelDestroyed"}) {
      routes()
          .sendEvent(
              "{\"type\":\"%s\",\"channel\":{\"id\":\"new\",\"creationtime\":\"%s\"}}"
                  .formatted(type, "2026-11-28T23:46:22.394+0000"));
    }

    assertThat(routes().mappedTopic().getReceivedExchanges())
        .hasSize(2)
        .allSatisfy(
            record ->
                assertThat(record.getMessage().getHeader(KafkaConstants.KEY)).isEqualTo("call"));
    assertThat(mapping("CHANNEL:new")).isEqualTo(live("another"));
  }

  private void respondWithCreationTime(String creationTime) {
    routes()
        .ari()
        .whenAnyExchangeReceived(
            exchange ->
                RoutesUnderTest.respond(
                    exchange, 200, "{\"id\":\"new\",\"creationtime\":\"" + creationTime + "\"}"));
  }

  @ParameterizedTest
  @CsvSource({"StasisStart, true", "StasisEnd, false", "ChannelDestroyed, false"})
  void successfulDeleteEndsMappingOfChannelWithHiddenEnds(String allowed, boolean ended)
      throws Exception {
    assertStatus(200, CREATE);
    String app = routes().context().resolvePropertyPlaceholders("{{ari.app}}");
    // hides all other types
    assertStatus(
        200,
        "{'ariCommand':{'method':'PUT','url':'/applications/%s/eventFilter','body':{'allowed':[{'type':'%s'}]}}}"
            .formatted(app, allowed));
    assertStatus(200, "{'ariCommand':{'method':'DELETE','url':'/channels/new'}}");
    assertThat(mapping("CHANNEL:new").ended()).isEqualTo(ended);
    assertThat(mapping("CHANNEL:new;2").ended()).isEqualTo(ended);
  }

  @Test
  void remapsReusedPlaybackId() throws Exception {
    String play =
        "{'callContext':'one','ariCommand':{'method':'POST','url':'/channels/c/play/p?media=m'}}";
    assertStatus(200, play);
    assertStatus(200, play.replace("'one'", "'two'"));
    assertThat(mapping("PLAYBACK:p")).isEqualTo(live("two"));

    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, 404, "{}"));
    assertStatus(404, play.replace("'one'", "'three'"));
    assertThat(mapping("PLAYBACK:p")).isEqualTo(live("two"));
  }

  @ParameterizedTest
  @CsvSource({"204,true", "404,false", "500,false"})
  void successfulDeleteEndsBridgeMapping(int status, boolean ended) throws Exception {
    assertStatus(200, "{'callContext':'call','ariCommand':{'method':'POST','url':'/bridges/b'}}");
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, status, ""));
    assertStatus(
        status, "{'callContext':'call','ariCommand':{'method':'DELETE','url':'/bridges/b'}}");
    assertThat(mapping("BRIDGE:b").ended()).isEqualTo(ended);
  }

  private static String expiring(String time) {
    return GET.replace("'ariCommand'", "'expiresAt':'" + time + "','ariCommand'");
  }

  private static ConnectException connectionRefused() {
    return new ConnectException("Connection refused");
  }

  private Mapping mapping(String key) {
    Mapping known = cache().getIfPresent(key);
    return known == null || known.ended() ? known : live(known.callContext());
  }

  @SuppressWarnings("unchecked")
  private Cache<String, Mapping> cache() {
    return (Cache<String, Mapping>) routes().context().getRegistry().lookupByName("callContexts");
  }

  private static Mapping live(String callContext) {
    return Mapping.of(callContext, "", 0);
  }

  private void assertStatus(int status, String command) throws Exception {
    assertThat(status(command, Map.of())).isEqualTo(status);
    routes().resetTopics();
  }

  private int status(String command, Map<String, Object> headers) throws Exception {
    routes().sendCommand(command, headers);
    routes().awaitResponse();
    return routes().response().status();
  }

  private Response responseTo(String command) {
    routes().sendCommand(command);
    routes().awaitResponse();
    return routes().response();
  }
}
