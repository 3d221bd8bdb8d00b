// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.CallContexts;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests which resources a command creates, and which of several ids applies
 * (docs/contract.md#asterisk).
 */
class CreatedResourcesTest {

  private static final RecordPosition ORIGIN =
      new RecordPosition("commands", 3, 42, "key", Instant.EPOCH);

  private final CommandParser parser =
      new CommandParser(
          new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.disabledTicker()));

  @ParameterizedTest
  @CsvSource({
    "/channels, channelId, CHANNEL",
    "/channels/create, channelId, CHANNEL",
    "/channels/externalMedia, channelId, CHANNEL",
    "/channels/c/play, playbackId, PLAYBACK",
    "/channels/c/record, name, RECORDING",
    "/channels/c/snoop, snoopId, SNOOPING",
    "/bridges, bridgeId, BRIDGE",
    "/bridges/b/play, playbackId, PLAYBACK",
    "/bridges/b/record, name, RECORDING"
  })
  void readsIdFromQueryOrBody(String url, String parameter, String type) {
    List<String> expected = List.of(type + ":X");
    assertThat(created(post(url + "?" + parameter + "=X"))).isEqualTo(expected);
    assertThat(created(post(url, "{'" + parameter + "':'X'}"))).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "/channels/X, CHANNEL",
    "/channels/c/play/X, PLAYBACK",
    "/channels/c/snoop/X, SNOOPING",
    "/bridges/X, BRIDGE",
    "/bridges/b/play/X, PLAYBACK"
  })
  void pathIdOverridesOtherIds(String url, String type) {
    String others = "?channelId=Q&playbackId=Q&snoopId=Q&bridgeId=Q";
    Command.Accepted command =
        post(url + others, "{'channelId':'B','playbackId':'B','snoopId':'B','bridgeId':'B'}");
    assertThat(created(command).get(0)).isEqualTo(type + ":X");
    assertThat(command.request().query()).isEqualTo(others.substring(1));
  }

  @Test
  void listsPathResourcesBeforeCreatedResources() {
    assertThat(keys(post("/channels/c/play/p").resources()))
        .containsExactly("CHANNEL:c", "PLAYBACK:p");
    assertThat(keys(post("/bridges/b/record?name=r").resources()))
        .containsExactly("BRIDGE:b", "RECORDING:r");
    assertThat(post("/channels/c/snoop/s").resources())
        .extracting(resource -> resource.type() + ":" + resource.id())
        .containsExactly("CHANNEL:c", "SNOOPING:s");
    assertThat(keys(post("/channels?channelId=a&otherChannelId=b").resources()))
        .containsExactly("CHANNEL:a", "CHANNEL:b");
  }

  @Test
  void bodyIdOverridesQueryId() {
    assertThat(created(post("/bridges?bridgeId=Q", "{'bridgeId':'B'}")))
        .containsExactly("BRIDGE:B");
  }

  @Test
  void lastQueryIdWins() {
    assertThat(created(post("/bridges?bridgeId=1&bridgeId=2"))).containsExactly("BRIDGE:2");
  }

  @Test
  void ignoresArrayBody() {
    assertThat(created(post("/bridges?bridgeId=Q", "['bridgeId','B']")))
        .containsExactly("BRIDGE:Q");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "?", "?bridgeId=", "?bridgeId", "?bridgeId=1&bridgeId=", "?BridgeId=1"})
  void addsMissingIdToQuery(String query) {
    Command.Accepted command = post("/bridges" + query);
    String generatedId = command.created().get(0).id();
    assertThat(AriUrl.parse("/bridges?" + command.request().query()).queryParameter("bridgeId"))
        .contains(generatedId);
    assertThat(command.request().query()).startsWith(query.replace("?", ""));
    assertThat(keys(command.resources())).containsExactly("BRIDGE:" + generatedId);
    assertThat(command.request().body()).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'bridgeId':'','type':'mixing'}",
        "{'bridgeId':null,'type':'mixing'}",
        "{'bridgeId':5,'type':'mixing'}"
      })
  void replacesInvalidBodyIdDespiteQueryId(String body) {
    Command.Accepted command = post("/bridges?bridgeId=Q", body);
    String generatedId = command.created().get(0).id();
    assertThat(generatedId).isNotEqualTo("Q").hasSize(36);
    assertThat(command.request().query()).isEqualTo("bridgeId=Q");
    assertThat(command.request().body())
        .asString(StandardCharsets.UTF_8)
        .isEqualTo("{\"bridgeId\":\"" + generatedId + "\",\"type\":\"mixing\"}");
  }

  @Test
  void bodyIdNameIsCaseSensitive() {
    assertThat(created(post("/bridges?bridgeId=Q", "{'BridgeId':'B'}")))
        .containsExactly("BRIDGE:Q");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/channels/c/record?format=wav", "/bridges/b/record?name="})
  void generatesNoRecordingName(String url) {
    Command.Accepted command = post(url);
    assertThat(command.created()).isEmpty();
    assertThat(command.request().query()).isEqualTo(url.substring(url.indexOf('?') + 1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"Local/3000@default", "local/3000", "LOCAL/3000@default/n"})
  void derivesLocalSecondLegIdFromFirst(String endpoint) {
    for (String url : List.of("/channels", "/channels/create")) {
      assertThat(created(post(url + "?channelId=a&endpoint=" + endpoint)))
          .containsExactly("CHANNEL:a", "CHANNEL:a;2");
      assertThat(created(post(url, "{'channelId':'a','endpoint':'" + endpoint + "'}")))
          .containsExactly("CHANNEL:a", "CHANNEL:a;2");
    }
    assertThat(created(post("/channels/a?otherChannelId=&endpoint=" + endpoint)))
        .containsExactly("CHANNEL:a", "CHANNEL:a;2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "PJSIP/bob",
        "Localhost/x",
        "Local",
        "%20Local/x",
        "PJSIP/Local/x",
        "UnicastRTP/x"
      })
  void nonLocalChannelHasNoSecondLeg(String endpoint) {
    assertThat(created(post("/channels?channelId=a&endpoint=" + endpoint)))
        .containsExactly("CHANNEL:a");
  }

  @Test
  void externalMediaChannelHasNoSecondLeg() {
    assertThat(
            created(post("/channels/externalMedia?channelId=a&endpoint=Local/x&otherChannelId=b")))
        .containsExactly("CHANNEL:a");
  }

  @Test
  void bodyEndpointOverridesQueryEndpoint() {
    assertThat(created(post("/channels/a?endpoint=Local/x", "{'endpoint':'PJSIP/bob'}")))
        .containsExactly("CHANNEL:a");
    assertThat(created(post("/channels/a?endpoint=PJSIP/bob", "{'endpoint':'Local/x'}")))
        .containsExactly("CHANNEL:a", "CHANNEL:a;2");
  }

  @Test
  void usesGivenSecondLegId() {
    assertThat(created(post("/channels?channelId=a&otherChannelId=b&endpoint=Local/x")))
        .containsExactly("CHANNEL:a", "CHANNEL:b");
    assertThat(created(post("/channels/a?endpoint=Local/x&otherChannelId=b")))
        .containsExactly("CHANNEL:a", "CHANNEL:b");
    assertThat(
            created(
                post(
                    "/channels/create",
                    "{'endpoint':'Local/x','channelId':'a','otherChannelId':'b'}")))
        .containsExactly("CHANNEL:a", "CHANNEL:b");
    assertThat(created(post("/channels?channelId=a&otherChannelId=b&endpoint=PJSIP/bob")))
        .as("a channel without a second leg")
        .containsExactly("CHANNEL:a");
  }

  @Test
  void usesSecondLegIdWithGeneratedFirstId() {
    Command.Accepted command = post("/channels?endpoint=Local/x&otherChannelId=b");
    String generatedId = command.created().get(0).id();
    assertThat(command.request().query())
        .isEqualTo("endpoint=Local/x&otherChannelId=b&channelId=" + generatedId);
    assertThat(created(command)).containsExactly("CHANNEL:" + generatedId, "CHANNEL:b");
  }

  @Test
  void decodesIdsForMappingOnly() {
    Command.Accepted path = post("/channels/a%2Fb%20c+d%2Be");
    assertThat(created(path)).containsExactly("CHANNEL:a/b c d+e");
    assertThat(path.request().path()).isEqualTo("/channels/a%2Fb%20c+d%2Be");
    Command.Accepted query = post("/channels/c/record?name=dir%2Fr+1&format=wav");
    assertThat(created(query)).containsExactly("RECORDING:dir/r 1");
    assertThat(query.request().query()).isEqualTo("name=dir%2Fr+1&format=wav");
  }

  @Test
  void generatedIdsAreStablePerRecord() {
    String url = "/ari/channels";
    String id = generatedId(ORIGIN, url);
    assertThat(generatedId(ORIGIN, url)).isEqualTo(id);
    assertThat(
            List.of(
                id,
                generatedId(new RecordPosition("others", 3, 42, "key", Instant.EPOCH), url),
                generatedId(new RecordPosition("commands", 4, 42, "key", Instant.EPOCH), url),
                generatedId(new RecordPosition("commands", 3, 43, "key", Instant.EPOCH), url)))
        .doesNotHaveDuplicates();
    assertThat(
            generatedId(new RecordPosition("commands", 3, 42, "another key", Instant.EPOCH), url))
        .isEqualTo(id);
  }

  @Test
  void claimedChannelIsNotCreated() {
    Command.Accepted command = post("/events/claim?channelId=X&application=app");
    assertThat(created(command)).isEmpty();
    assertThat(keys(command.claimed())).containsExactly("CHANNEL:X");
    assertThat(keys(command.resources())).containsExactly("CHANNEL:X");
  }

  @Test
  void sendsClaimWithoutChannelUnchanged() {
    Command.Accepted command = post("/events/claim?application=app");
    assertThat(created(command)).isEmpty();
    assertThat(command.request().query()).isEqualTo("application=app");
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /channels",
    "GET, /channels/create",
    "DELETE, /channels/c",
    "POST, /channels/c/answer",
    "POST, /channels/c/play/p/x",
    "PUT, /bridges",
    "POST, /bridges/b/addChannel",
    "POST, /playbacks/p/control",
    "POST, /recordings/live/r/stop",
    "POST, /recordings/stored/r/copy",
    "POST, /events/user/x",
    "PUT, /deviceStates/d"
  })
  void otherOperationsCreateNothing(String method, String url) {
    Command.Accepted command = parse(method, url, "{'channelId':'X','bridgeId':'X','name':'X'}");
    assertThat(command.created()).isEmpty();
    assertThat(command.request().query()).isNull();
  }

  @ParameterizedTest
  @CsvSource({
    "/channels/c/dtmf, CHANNEL:c",
    "/bridges/b/channels, BRIDGE:b",
    "/channels/c/anything-new/x, CHANNEL:c",
    "/endpoints/PJSIP/bob/anything-new, ENDPOINT:PJSIP/bob",
    "/playbacks/p/control, PLAYBACK:p",
    "/recordings/live/r/stop, RECORDING:r",
    "/recordings/live/dir%2Fr, RECORDING:dir/r",
    "/recordings/stored/r/file, RECORDING:r",
    "/deviceStates/Stasis:d, DEVICE:Stasis:d",
    "/mailboxes/100@default, MAILBOX:100@default",
    "/applications/app/subscription, APPLICATION:app",
    "/endpoints/PJSIP/bob, ENDPOINT:PJSIP/bob",
    "/endpoints/PJSIP/bob/sendMessage, ENDPOINT:PJSIP/bob"
  })
  void listsResourceInPath(String url, String key) {
    assertThat(keys(parse("GET", url, "null").resources())).containsExactly(key);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/asterisk/info",
        "/channels",
        "/channels/create",
        "/channels/create/answer",
        "/channels/externalMedia",
        "/bridges",
        "/recordings/stored",
        "/endpoints/PJSIP",
        "/sounds/x",
        "/ari/channels/c",
        "/anything-new/x"
      })
  void listsNoResourceForOtherPaths(String url) {
    assertThat(parse("GET", url, "null").resources()).isEmpty();
  }

  private String generatedId(RecordPosition origin, String url) {
    return parser
        .parse(
            origin,
            "{\"ariCommand\":{\"method\":\"POST\",\"url\":\"%s\"}}"
                .formatted(url)
                .getBytes(StandardCharsets.UTF_8))
        .accepted()
        .created()
        .get(0)
        .id();
  }

  private Command.Accepted post(String url) {
    return parse("POST", url, "null");
  }

  private Command.Accepted post(String url, String body) {
    return parse("POST", url, body);
  }

  private Command.Accepted parse(String method, String url, String body) {
    String json =
        "{'callContext':'call','ariCommand':{'method':'%s','url':'/ari%s','body':%s}}"
            .formatted(method, url, body)
            .replace('\'', '"');
    return parser.parse(ORIGIN, json.getBytes(StandardCharsets.UTF_8)).accepted();
  }

  private static List<String> created(Command.Accepted command) {
    return command.created().stream()
        .map(resource -> resource.type() + ":" + resource.id())
        .toList();
  }

  private static List<String> keys(List<Resource> resources) {
    return resources.stream().map(Resource::key).toList();
  }
}
