package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.benmanes.caffeine.cache.Cache;
import io.retel.ariproxy.RoutesUnderTest;
import io.retel.ariproxy.callcontext.Mapping;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.settings.Setting;
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
 * The rules for commands (contract.md section 4) beyond what Asterisk and the connection to it do:
 * what is not allowed, too old, answered before, left to another proxy, or not created.
 */
class CommandRulesTest {

  private static final String CREATE =
      "{'callContext':'call','commandId':'1',"
          + "'ariCommand':{'method':'POST','url':'/channels/new?endpoint=Local/1@a&app=a'}}";

  private static final String GET =
      "{'callContext':'call','ariCommand':{'method':'GET','url':'/channels/c'}}";

  @AutoClose private RoutesUnderTest routes;

  /** With the usual settings, unless the test has started it with others. */
  private RoutesUnderTest routes() {
    if (routes == null) {
      start(Map.of());
    }
    return routes;
  }

  private void start(Map<Setting, String> settings) {
    try {
      routes = RoutesUnderTest.start(settings);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    routes
        .ari()
        .whenAnyExchangeReceived(
            exchange -> RoutesUnderTest.answer(exchange, 200, "{\"id\":\"new\"}"));
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
  void anOperationThatIsNotAllowedIsA403(String method, String url, int status) throws Exception {
    start(
        Map.of(
            Setting.COMMANDS_ALLOWED, "GET /**, POST /channels/{channelId}/answer, * /bridges/**"));
    JsonNode payload =
        responseTo("{'ariCommand':{'method':'%s','url':'%s'}}".formatted(method, url))
            .path("payload");

    assertThat(payload.path("status_code").asInt()).isEqualTo(status);
    assertThat(routes().ari().getReceivedCounter()).isEqualTo(status == 200 ? 1 : 0);
    if (status == 403) {
      assertThat(payload.at("/body/outcome").asText()).isEqualTo("not_sent");
      assertThat(payload.at("/body/message").asText()).contains("commands.allowed");
      assertThat(routes().responses("rejected")).isEqualTo(1);
    }
  }

  @Test
  void anOperationThatIsNotKnownIsAllowedByWhatAllowsAll() throws Exception {
    start(Map.of(Setting.COMMANDS_ALLOWED, "PUT /**"));
    assertStatus(200, "{'ariCommand':{'method':'PUT','url':'/anything/new'}}");
    assertStatus(403, "{'ariCommand':{'method':'POST','url':'/anything/new'}}");
  }

  @Test
  void whatIsNotAllowedRegistersNothing() throws Exception {
    start(Map.of(Setting.COMMANDS_ALLOWED, "GET /**"));
    assertStatus(403, CREATE);
    assertThat(mapping("CHANNEL:new")).isNull();
  }

  // ---- 410

  @Test
  void aCommandThatHasExpiredIsA410() throws Exception {
    JsonNode payload =
        responseTo(expiring(Instant.now().minusMillis(1).toString())).path("payload");
    assertThat(payload.path("status_code").asInt()).isEqualTo(410);
    assertThat(payload.at("/body/outcome").asText()).isEqualTo("not_sent");
    assertThat(routes().ari().getReceivedExchanges()).isEmpty();
    assertThat(routes().responses("rejected")).isEqualTo(1);
  }

  @Test
  void aCommandThatHasNotExpiredYetIsSent() throws Exception {
    assertStatus(200, expiring(Instant.now().plusSeconds(60).toString()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"2020-01-31T12:00:00Z", "2020-01-31T12:00:00.123+01:00", "2020-01-31T12:00Z"})
  void expiresAtHasAnyFormOfIso8601WithAZone(String time) throws Exception {
    assertStatus(410, expiring(time));
  }

  @ParameterizedTest
  @ValueSource(strings = {"tomorrow", "2030-01-31", "2030-01-31T12:00:00", "1900000000", ""})
  void anExpiresAtThatIsNoTimeIsA400(String time) throws Exception {
    assertStatus(400, expiring(time));
  }

  @Test
  void aCommandThatIsOlderThanTheMaximumAgeIsA410() throws Exception {
    start(Map.of(Setting.COMMANDS_MAX_AGE_SECONDS, "60"));
    long now = System.currentTimeMillis();
    assertThat(status(GET, Map.of(KafkaConstants.TIMESTAMP, now - 59_000))).isEqualTo(200);
    routes().reset();
    assertThat(status(GET, Map.of(KafkaConstants.TIMESTAMP, now - 61_000))).isEqualTo(410);
  }

  @Test
  void withoutAMaximumAgeNoCommandIsTooOld() throws Exception {
    assertThat(status(GET, Map.of(KafkaConstants.TIMESTAMP, 0L))).isEqualTo(200);
  }

  // ---- 413

  @ParameterizedTest
  @CsvSource({"40950,200", "40951,413"})
  void aBodyThatIsLargerThanAsteriskTakesIsA413AndNotSent(int length, int status) throws Exception {
    String command =
        "{'ariCommand':{'method':'POST','url':'/x','body':{'value':'%s'}}}"
            .formatted("x".repeat(length - 2));
    JsonNode payload = responseTo(command).path("payload");
    assertThat(payload.path("status_code").asInt()).isEqualTo(status);
    if (status == 413) {
      assertThat(payload.at("/body/outcome").asText()).isEqualTo("not_sent");
      assertThat(payload.at("/body/message").asText()).contains("40961 bytes");
      assertThat(routes().ari().getReceivedExchanges()).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"4076,200", "4077,400"})
  void aUrlThatIsLongerThanAsteriskReadsIsA400AndNotSent(int length, int status) throws Exception {
    String url = "/channels/" + "c".repeat(length - "/channels/".length());
    assertStatus(status, "{'ariCommand':{'method':'GET','url':'" + url + "'}}");
    assertThat(routes().ari().getReceivedCounter()).isEqualTo(status == 200 ? 1 : 0);
  }

  // ---- answered before

  @Test
  void aCommandThatIsSentAgainIsAnsweredFromMemoryAndNotSentTwice() throws Exception {
    start(Map.of(Setting.COMMANDS_REPEAT_SECONDS, "60"));
    JsonNode first = responseTo(CREATE);
    routes().resetTopics();
    assertThat(responseTo(CREATE)).isEqualTo(first);
    assertThat(routes().ari().getReceivedExchanges()).hasSize(1);
    assertThat(routes().responses("repeated")).isEqualTo(1);
  }

  @Test
  void anUnknownOutcomeIsAnsweredFromMemoryToo() throws Exception {
    start(Map.of(Setting.COMMANDS_REPEAT_SECONDS, "60"));
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> exchange.setException(new IOException("cut")));
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
        // a controller that gives all its commands one id
        "{'callContext':'call','commandId':'1','ariCommand':{'method':'GET','url':'/y'}}",
        "{'callContext':'call','commandId':'1','ariCommand':{'method':'PUT','url':'/x'}}",
        "{'callContext':'call','commandId':'1','ariCommand':{'method':'GET','url':'/x','body':{}}}",
        // a text is no number
        "{'callContext':'call','commandId':1,'ariCommand':{'method':'GET','url':'/x'}}",
        // nothing to tell it by
        "{'callContext':'call','ariCommand':{'method':'GET','url':'/x'}}",
        "{'commandId':'1','ariCommand':{'method':'GET','url':'/x'}}"
      })
  void anotherCommandIsSent(String other) throws Exception {
    start(Map.of(Setting.COMMANDS_REPEAT_SECONDS, "60"));
    assertStatus(
        200, "{'callContext':'call','commandId':'1','ariCommand':{'method':'GET','url':'/x'}}");
    assertStatus(200, other);
    assertThat(routes().ari().getReceivedExchanges()).hasSize(2);
    assertThat(routes().responses("repeated")).isZero();
  }

  @Test
  void whatWasNotSentIsTriedWhenItIsSentAgain() throws Exception {
    start(Map.of(Setting.COMMANDS_REPEAT_SECONDS, "60"));
    routes().ari().whenAnyExchangeReceived(exchange -> exchange.setException(refused()));
    assertStatus(503, CREATE);
    routes().ari().whenAnyExchangeReceived(exchange -> RoutesUnderTest.answer(exchange, 200, "{}"));
    assertStatus(200, CREATE);
  }

  @Test
  void withoutAWindowEveryCommandIsSent() throws Exception {
    start(Map.of(Setting.COMMANDS_REPEAT_SECONDS, "0"));
    assertStatus(200, CREATE);
    assertStatus(200, CREATE);
    assertThat(routes().ari().getReceivedExchanges()).hasSize(2);
  }

  @Test
  void anEmptyCommandIdTellsNoRepetition() throws Exception {
    start(Map.of(Setting.COMMANDS_REPEAT_SECONDS, "60"));
    assertStatus(200, CREATE.replace("'1'", "''"));
    assertStatus(200, CREATE.replace("'1'", "''"));
    assertThat(routes().ari().getReceivedExchanges()).hasSize(2);
  }

  @Test
  void aCreationThatGetsItsIdFromTheProxyIsKnownAgain() throws Exception {
    start(Map.of(Setting.COMMANDS_REPEAT_SECONDS, "60"));
    String create =
        CREATE.replace("'url':'/channels/new?", "'body':{'channelId':''},'url':'/channels?");
    assertStatus(200, create);
    assertStatus(200, create);
    assertThat(routes().ari().getReceivedExchanges()).hasSize(1);
  }

  // ---- published once more, or by somebody else

  @Test
  void anAnswerThatCouldNotBePublishedIsPublishedOnceMoreAsItIs() throws Exception {
    routes()
        .mapped()
        .whenExchangeReceived(
            1, exchange -> exchange.setException(new IllegalStateException("not now")));
    routes().command(CREATE);
    routes().awaitAnswered();
    assertThat(routes().mapped().getReceivedExchanges()).hasSize(2);
    Object body = routes().mapped().getReceivedExchanges().get(1).getMessage().getBody();
    assertThat(new ObjectMapper().readTree((byte[]) body).at("/payload/status_code").asInt())
        .isEqualTo(200);
    assertThat(routes().responses("unknown")).isZero();
  }

  @Test
  void aCommandWhoseRouteIsStoppedByForceIsA504() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    CountDownLatch asked = new CountDownLatch(1);
    routes()
        .ari()
        .whenAnyExchangeReceived(
            exchange -> {
              asked.countDown();
              never.await();
            });
    routes().command(CREATE);
    asked.await();
    routes().context().getRouteController().stopRoute("execute-command", 1, TimeUnit.SECONDS);
    routes().awaitAnswered();
    JsonNode payload = response().path("payload");
    assertThat(payload.path("status_code").asInt()).isEqualTo(504);
    assertThat(payload.at("/body/outcome").asText()).isEqualTo("unknown");
  }

  // ---- the generic topic

  @Test
  void aGenericCommandThatDoesNotReachAsteriskIsLeftToAnotherProxyAndNotAnswered503()
      throws Exception {
    start(Map.of(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, "generic-commands"));
    routes().ari().whenAnyExchangeReceived(exchange -> exchange.setException(refused()));

    routes().genericCommand(CREATE);
    routes().awaitLeft();

    assertThat(routes().mapped().getReceivedExchanges()).isEmpty();
    assertThat(routes().count(Meters.COMMANDS_LEFT)).isEqualTo(1);
    assertThat(routes().count(Meters.COMMANDS_ANSWERED)).isZero();
    assertThat(mapping("CHANNEL:new")).isNull();
  }

  @Test
  void aGenericCommandThatReachesAsteriskIsAnsweredAsAnyOther() throws Exception {
    start(Map.of(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, "generic-commands"));
    routes().genericCommand(CREATE);
    routes().awaitAnswered();
    assertThat(response().at("/payload/status_code").asInt()).isEqualTo(200);
  }

  @Test
  void aGenericCommandWithAnUnknownOutcomeIsA504AndNotLeftToAnother() throws Exception {
    start(Map.of(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, "generic-commands"));
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> exchange.setException(new IOException("cut")));
    routes().genericCommand(CREATE);
    routes().awaitAnswered();
    assertThat(response().at("/payload/status_code").asInt()).isEqualTo(504);
  }

  @Test
  void aCommandWhosePartitionIsGivenBackEndsHere() {
    routes().offset().giveBack();
    routes().command(CREATE);
    routes().awaitLeft();
    assertThat(routes().ari().getReceivedExchanges()).isEmpty();
    assertThat(routes().mapped().getReceivedExchanges()).isEmpty();
    assertThat(mapping("CHANNEL:new")).isNull();
  }

  // ---- no application without its websocket

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/channels?endpoint=Local/1@a&app=a",
        "/channels/new?app=a",
        "/channels/create?app=a",
        "/channels/externalMedia?app=a",
        "/channels/c/snoop?app=a"
      })
  void noChannelIsCreatedWhileTheWebsocketIsNotOpen(String url) throws Exception {
    routes().connected(false);
    JsonNode payload =
        responseTo("{'ariCommand':{'method':'POST','url':'" + url + "'}}").path("payload");
    assertThat(payload.path("status_code").asInt()).isEqualTo(503);
    assertThat(payload.at("/body/outcome").asText()).isEqualTo("not_sent");
    assertThat(payload.at("/body/message").asText()).contains("websocket");
    assertThat(routes().ari().getReceivedExchanges()).isEmpty();
  }

  @Test
  void aChannelIsCreatedWhenTheWebsocketOpensMeanwhile() throws Exception {
    routes().connected(false);
    routes().command(CREATE);
    routes().connected(true);
    routes().awaitAnswered();
    assertThat(response().at("/payload/status_code").asInt()).isEqualTo(200);
  }

  @Test
  void otherCommandsNeedNoWebsocket() throws Exception {
    routes().connected(false);
    assertStatus(200, GET);
    assertStatus(200, "{'ariCommand':{'method':'POST','url':'/bridges'}}");
    assertStatus(
        200,
        "{'ariCommand':{'method':'POST','url':'/channels?endpoint=Local/1@a&extension=1&context=a'}}");
  }

  // ---- what was to be created

  @Test
  void aCreationThatIsRepeatedAfterACrashIsTheCallsAlthoughAsteriskHasItAlready() throws Exception {
    String create =
        "{'callContext':'call','ariCommand':{'method':'POST','url':'/channels?endpoint=Local/1@a'}}";
    String id = responseTo(create).at("/resources/0/id").asText();
    routes().resetTopics();
    cache().put("CHANNEL:" + id, live("generated at the connect"));
    routes().ari().whenAnyExchangeReceived(exchange -> RoutesUnderTest.answer(exchange, 409, "{}"));
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
  void aConflictThatIsNotOverTheProxysOwnIdTakesNothing(String url) throws Exception {
    cache().put("CHANNEL:theirs", live("another"));
    cache().put("CHANNEL:mine", live("another"));
    routes().ari().whenAnyExchangeReceived(exchange -> RoutesUnderTest.answer(exchange, 409, "{}"));
    assertStatus(409, "{'callContext':'call','ariCommand':{'method':'POST','url':'" + url + "'}}");
    assertThat(cache().asMap().values()).extracting(Mapping::callContext).doesNotContain("call");
    assertThat(mapping("CHANNEL:theirs")).isEqualTo(live("another"));
    assertThat(mapping("CHANNEL:mine")).isEqualTo(live("another"));
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 404, 409, 500, 503})
  void whatAsteriskRefusesToCreateBelongsToNoCall(int status) throws Exception {
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> RoutesUnderTest.answer(exchange, status, "{}"));
    assertStatus(status, CREATE);
    assertThat(mapping("CHANNEL:new")).isNull();
    assertThat(mapping("CHANNEL:new;2")).isNull();
  }

  @Test
  void whatAsteriskCreatesBelongsToItsCall() throws Exception {
    assertStatus(200, CREATE);
    assertThat(mapping("CHANNEL:new")).isEqualTo(live("call"));
    assertThat(mapping("CHANNEL:new;2")).isEqualTo(live("call"));
  }

  @Test
  void whatAsteriskCreatesAgainHasGoneUntoldAndBelongsToTheNewCall() throws Exception {
    assertStatus(200, CREATE);
    assertStatus(200, CREATE.replace("'call'", "'another'"));
    assertThat(mapping("CHANNEL:new")).isEqualTo(live("another"));
    assertThat(mapping("CHANNEL:new;2")).isEqualTo(live("another"));
  }

  @Test
  void aBridgeThatIsPostedToAgainStaysInItsCall() throws Exception {
    String post = "{'callContext':'call','ariCommand':{'method':'POST','url':'/bridges/b'}}";
    assertStatus(200, post);
    assertStatus(200, post.replace("'call'", "'another'"));
    assertThat(mapping("BRIDGE:b")).isEqualTo(live("call"));
  }

  @Test
  void aChannelThatIsClaimedBelongsToTheCallUnlessItHasOne() throws Exception {
    String claim =
        "{'callContext':'call','ariCommand':{'method':'POST','url':'/events/claim?channelId=c'}}";
    assertStatus(200, claim);
    assertStatus(200, claim.replace("'call'", "'another'"));
    assertThat(mapping("CHANNEL:c")).isEqualTo(live("call"));
  }

  @Test
  void whatWasNeverSentIsNotCreated() throws Exception {
    routes().ari().whenAnyExchangeReceived(exchange -> exchange.setException(refused()));
    assertStatus(503, CREATE);
    assertThat(mapping("CHANNEL:new")).isNull();
  }

  @Test
  void whatMayHaveBeenCreatedBelongsToItsCall() throws Exception {
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> exchange.setException(new IOException("cut")));
    assertStatus(504, CREATE);
    assertThat(mapping("CHANNEL:new").ended()).isFalse();
    assertThat(cache().getIfPresent("CHANNEL:new").pending()).isFalse();
  }

  @Test
  void aCreationThatIsRefusedTakesNothingFromTheCallThatHasTheId() throws Exception {
    assertStatus(200, CREATE);
    routes().ari().whenAnyExchangeReceived(exchange -> RoutesUnderTest.answer(exchange, 409, "{}"));
    assertStatus(409, CREATE.replace("'call'", "'another'"));
    assertThat(mapping("CHANNEL:new")).isEqualTo(live("call"));
  }

  @Test
  void aPlaybackOfAnIdThatIsInUseBelongsToTheCallThatPlaysNow() throws Exception {
    String play =
        "{'callContext':'one','ariCommand':{'method':'POST','url':'/channels/c/play/p?media=m'}}";
    assertStatus(200, play);
    assertStatus(200, play.replace("'one'", "'two'"));
    assertThat(mapping("PLAYBACK:p")).isEqualTo(live("two"));

    routes().ari().whenAnyExchangeReceived(exchange -> RoutesUnderTest.answer(exchange, 404, "{}"));
    assertStatus(404, play.replace("'one'", "'three'"));
    assertThat(mapping("PLAYBACK:p")).isEqualTo(live("two"));
  }

  @ParameterizedTest
  @CsvSource({"204,true", "404,false", "500,false"})
  void aBridgeThatIsDeletedIsGone(int status, boolean ended) throws Exception {
    assertStatus(200, "{'callContext':'call','ariCommand':{'method':'POST','url':'/bridges/b'}}");
    routes()
        .ari()
        .whenAnyExchangeReceived(exchange -> RoutesUnderTest.answer(exchange, status, ""));
    assertStatus(
        status, "{'callContext':'call','ariCommand':{'method':'DELETE','url':'/bridges/b'}}");
    assertThat(mapping("BRIDGE:b").ended()).isEqualTo(ended);
  }

  private static String expiring(String time) {
    return GET.replace("'ariCommand'", "'expiresAt':'" + time + "','ariCommand'");
  }

  private static ConnectException refused() {
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
    return Mapping.of(callContext, 0);
  }

  private void assertStatus(int status, String command) throws Exception {
    assertThat(status(command, Map.of())).isEqualTo(status);
    routes().resetTopics();
  }

  private int status(String command, Map<String, Object> headers) throws Exception {
    routes().command(command, headers);
    routes().awaitAnswered();
    return response().at("/payload/status_code").asInt();
  }

  private JsonNode responseTo(String command) throws Exception {
    routes().command(command);
    routes().awaitAnswered();
    return response();
  }

  private JsonNode response() throws IOException {
    assertThat(routes().mapped().getReceivedExchanges()).hasSize(1);
    Object body = routes().mapped().getReceivedExchanges().get(0).getMessage().getBody();
    return new ObjectMapper().readTree((byte[]) body);
  }
}
