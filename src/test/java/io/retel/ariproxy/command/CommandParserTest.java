// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContexts;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Parsing of valid commands. */
class CommandParserTest {

  private static final RecordPosition ORIGIN =
      new RecordPosition("commands", 3, 42, "key", Instant.EPOCH);

  private final CallContexts callContexts =
      new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.disabledTicker());
  private final CommandParser parser = new CommandParser(callContexts);

  @Test
  void parsesAllFields() {
    Command.Accepted command =
        parse(
            "{'callContext':'call','commandId':'id','ariCommand':{'method':'POST',"
                + "'url':'/ari/channels/c/variable?variable=X','body':{'value':'é'}}}");
    assertThat(command.callContext()).isEqualTo("call");
    assertThat(command.commandId().textValue()).isEqualTo("id");
    assertThat(command.method()).isEqualTo("POST");
    assertThat(command.url()).isEqualTo("/ari/channels/c/variable?variable=X");
    assertThat(command.request().method()).isEqualTo("POST");
    assertThat(command.request().path()).isEqualTo("/channels/c/variable");
    assertThat(command.request().query()).isEqualTo("variable=X");
    assertThat(command.request().body())
        .asString(StandardCharsets.UTF_8)
        .isEqualTo("{\"value\":\"é\"}");
    assertThat(command.resources()).containsExactly(new Resource(ResourceType.CHANNEL, "c"));
    assertThat(command.created()).isEmpty();
  }

  /** Its RESPONSE keeps the order of the call. */
  @ParameterizedTest
  @ValueSource(strings = {"/channels/c/variable", "/channels/unknown/variable", "/../x", ""})
  void tooLargeCommandBelongsToCallOfItsUrl(String url) {
    callContexts.assignIfAbsent(new Resource(ResourceType.CHANNEL, "c"), "call");
    ObjectNode fields = CommandParser.JSON.createObjectNode();
    fields.putObject("ariCommand").put("method", "POST").put("url", url);
    Command.Rejected rejected = parser.reject(ORIGIN, new LargeRecord(fields, "too large"));
    assertThat(rejected.callContext()).isEqualTo(url.contains("/c/") ? "call" : null);
    assertThat(rejected.reason()).hasMessage("too large");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/ari/channels/c", "/channels/c"})
  void acceptsUrlWithoutAriPrefix(String url) {
    Command.Accepted command = parse(command("DELETE", url));
    assertThat(command.request().path()).isEqualTo("/channels/c");
    assertThat(command.url()).isEqualTo(url);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[1,'a',null]", "'text'", "12345678901234567890", "true", "{}"})
  void acceptsAnyJsonBody(String body) {
    Command.Accepted command = parse(command("POST", "/ari/events/user/x", body));
    assertThat(command.request().body())
        .asString(StandardCharsets.UTF_8)
        .isEqualTo(body.replace('\'', '"'));
  }

  /** A tree of the shortest values takes 20 times the heap of its JSON. */
  @Test
  void waitingCommandsKeepNoTrees() {
    String id = "[" + "[],".repeat(20_000) + "0]";
    String body = "[" + "[],".repeat(12_000) + "0]";
    long before = usedHeap();
    List<Command> waiting = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      waiting.add(
          parse(
              "{'commandId':"
                  + id
                  + ",'ariCommand':{'method':'POST','url':'/applications/a/subscription','body':"
                  + body
                  + "}}"));
    }

    assertThat(usedHeap() - before).isLessThan(60L << 20);

    assertThat(waiting).allSatisfy(command -> assertThat(command.commandId()).hasToString(id));
  }

  /** Their bytes alone are limited: ids take 40 times as much, parts of a url 20 times. */
  @ParameterizedTest
  @ValueSource(strings = {"channel", "app", "originator", "eventSource"})
  void waitingCommandsKeepNoNamedResources(String parameter) {
    String body = "{'" + parameter + "':'" + "channel:1,".repeat(30_000) + "'}";
    assertRetainedPerCommand(command("POST", "/bridges/b/addChannel", body), 30 * 10_000 + 100_000);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/x%s", "/x?y%s"})
  void waitingCommandsKeepNoPartsOfUrl(String format) {
    StringBuilder parts = new StringBuilder();
    for (int i = 0; i < 2_000; i++) {
      parts.append(format.contains("?") ? '&' : '/').append(i);
    }
    assertRetainedPerCommand(command("POST", format.formatted(parts)), 60_000);
  }

  private void assertRetainedPerCommand(String json, long maxBytes) {
    int count = 50;
    parse(json);
    long before = usedHeap();
    List<Command> waiting = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      waiting.add(parse(json));
    }
    assertThat((usedHeap() - before) / count).isLessThan(maxBytes);
    assertThat(waiting).hasSize(count);
  }

  private static long usedHeap() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  @Test
  void rejectsTooManyValues() {
    String record = "[" + "0,".repeat(200_000) + "0]";
    Command command = parser.parse(ORIGIN, record.getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(command::accepted)
        .hasMessageStartingWith("The record is not JSON within the limits: Token count");
  }

  @Test
  void responseToTooManyValuesRepeatsFields() {
    Command command =
        parseAny(
            "{'x':["
                + "0,".repeat(100_000)
                + "0],'callContext':'call','commandId':{'n':1},"
                + "'ariCommand':{'method':'GET','url':'/x'}}");
    assertThatThrownBy(command::accepted).hasMessageContaining("within the limits");
    assertThat(command.callContext()).isEqualTo("call");
    assertThat(command.commandId()).hasToString("{\"n\":1}");
    assertThat(command.method()).isEqualTo("GET");
    assertThat(command.url()).isEqualTo("/x");
  }

  @Test
  void limitsNestingNamesAndNumbers() {
    assertLimited(
        "[".repeat(999) + "]".repeat(999), "[".repeat(1000) + "]".repeat(1000), "nesting");
    assertLimited("{'" + "x".repeat(256) + "':1}", "{'" + "x".repeat(257) + "':1}", "Name");
    assertLimited("1".repeat(1_000), "1".repeat(1_001), "Number");
  }

  private void assertLimited(String longest, String tooLong, String reason) {
    String record = "{'x':%s,'ariCommand':{'method':'GET','url':'/x'}}";
    assertThat(parse(record.formatted(longest)).method()).isEqualTo("GET");
    assertThatThrownBy(() -> parse(record.formatted(tooLong)))
        .hasMessageContaining("not JSON within the limits: ")
        .hasMessageContaining(reason);
  }

  @Test
  void readsParametersOfBody() {
    String body = "{'eventSource':['channel:c']}";
    Command.Accepted subscription = parse(command("POST", "/applications/a/subscription", body));
    assertThat(subscription.prepared().parameters().body()).hasToString(body.replace('\'', '"'));
  }

  @Test
  void treatsNullBodyAsAbsent() {
    assertThat(parse(command("POST", "/ari/events/user/x", "null")).request().body()).isNull();
    assertThat(parse(command("POST", "/ari/events/user/x")).request().body()).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"17", "{'a':[1]}", "true", "''"})
  void acceptsAnyJsonCommandId(String id) {
    Command command = parse("{'commandId':" + id + ",'ariCommand':{'method':'GET','url':'/x'}}");
    assertThat(command.commandId()).hasToString(id.replace('\'', '"'));
  }

  @Test
  void treatsNullCommandIdAsAbsent() {
    assertThat(parse("{'commandId':null,'ariCommand':{'method':'GET','url':'/x'}}").commandId())
        .isNull();
  }

  @Test
  void resolvesCallContextFromResources() {
    callContexts.move(new Resource(ResourceType.CHANNEL, "c"), "known");
    assertThat(parse("{'ariCommand':{'method':'GET','url':'/channels/c'}}").callContext())
        .isEqualTo("known");
    assertThat(parse("{'callContext':'','ariCommand':{'method':'GET','url':'/channels/c'}}"))
        .extracting(Command::callContext)
        .isEqualTo("known");
  }

  @Test
  void creationWithIdOfEndedResourceStartsCall() {
    Resource bridge = new Resource(ResourceType.BRIDGE, "b");
    callContexts.move(bridge, "known");
    String creation = "{'ariCommand':{'method':'POST','url':'/bridges/b'}}";
    assertThat(parse(creation).callContext()).isEqualTo("known");
    callContexts.end(bridge);
    assertThat(UUID.fromString(parse(creation).callContext())).isNotNull();
    assertThat(parse("{'ariCommand':{'method':'GET','url':'/bridges/b'}}").callContext())
        .isEqualTo("known");
  }

  @Test
  void derivesStableCallContextForCreation() {
    String creation = "{'ariCommand':{'method':'POST','url':'/bridges'}}";
    String callContext = parse(creation).callContext();
    assertThat(UUID.fromString(callContext)).hasToString(callContext);
    assertThat(parse(creation).callContext()).isEqualTo(callContext);
    assertThat(callContext).isNotEqualTo(parse(creation).created().get(0).id());
  }

  @Test
  void usesRecordKeyForOrderingWithoutCallContext() {
    Command command = parse("{'ariCommand':{'method':'GET','url':'/asterisk/info'}}");
    assertThat(command.callContext()).isNull();
    assertThat(command.orderingKey()).isEqualTo("key");
  }

  @Test
  void lastDuplicateKeyWins() {
    Command.Accepted command =
        parse(
            "{'callContext':'a','callContext':'b','ariCommand':{'method':'POST','method':'GET',"
                + "'url':'/channels/c'}}");
    assertThat(command.callContext()).isEqualTo("b");
    assertThat(command.request().method()).isEqualTo("GET");
  }

  @Test
  void ignoresUnknownFields() {
    assertThat(parse("{'x':1,'ariCommand':{'y':2,'method':'GET','url':'/x'}}").resources())
        .isEmpty();
  }

  @Test
  void omitsQueryFromLogText() {
    assertThat(parse(command("POST", "/ari/channels?callerId=secret")))
        .asString()
        .doesNotContain("secret")
        .contains("POST /channels")
        .contains("commands-3@42");
    assertThat(parseAny(command("POST", "/ari/channels?api_key=secret\r\nfake line")))
        .isInstanceOf(Command.Rejected.class)
        .asString()
        .doesNotContain("secret", "\n");
  }

  /** Fails with the reason if the command is rejected. */
  private Command.Accepted parse(String json) {
    return parseAny(json).accepted();
  }

  private Command parseAny(String json) {
    return parser.parse(ORIGIN, json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
  }

  private static String command(String method, String url) {
    return command(method, url, "null");
  }

  private static String command(String method, String url, String body) {
    url = url.replace("\r\n", "\\r\\n");
    return "{'callContext':'call','ariCommand':{'method':'%s','url':'%s','body':%s}}"
        .formatted(method, url, body);
  }
}
