// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.callcontext.store.FakeStore;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import java.time.Duration;
import java.util.List;
import java.util.StringJoiner;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Restored subscriptions and event filters. The responses come from Asterisk 22.10.1 and 16.28. */
class SubscriptionsTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String NO_SUBSCRIPTIONS =
      "'channel_ids':[],'bridge_ids':[],'endpoint_ids':[],'device_names':[],"
          + "'events_allowed':[],'events_disallowed':[]";

  private final FakeStore store = new FakeStore();
  private final WriteBehind writeBehind =
      new WriteBehind(store, Duration.ofSeconds(5), new SimpleMeterRegistry());
  private final Subscriptions subscriptions = new Subscriptions(writeBehind);

  @BeforeEach
  void start() {
    writeBehind.start();
  }

  @AfterEach
  void stop() {
    writeBehind.stop();
  }

  @Test
  void restoresMissingSubscriptions() throws Exception {
    subscriptions.addSources("app", List.of("deviceState:Stasis:x", "endpoint:PJSIP/1"));
    assertThat(lost(NO_SUBSCRIPTIONS)).containsExactly("deviceState:Stasis:x", "endpoint:PJSIP/1");
  }

  @Test
  void skipsListedSubscriptions() throws Exception {
    subscriptions.addSources("app", List.of("deviceState:Stasis:x", "endpoint:PJSIP/1"));
    assertThat(
            lost(
                NO_SUBSCRIPTIONS
                    .replace("'endpoint_ids':[]", "'endpoint_ids':['PJSIP/1']")
                    .replace("'device_names':[]", "'device_names':['Stasis:x']")))
        .isEmpty();
  }

  @Test
  void allTopicCoversSingleSources() throws Exception {
    subscriptions.addSources("app", List.of("endpoint:", "endpoint:PJSIP/1"));
    assertThat(
            lost(
                NO_SUBSCRIPTIONS.replace(
                    "'endpoint_ids':[]", "'endpoint_ids':['__AST_ENDPOINT_ALL_TOPIC']")))
        .isEmpty();
    subscriptions.removeSources(
        "app", List.of("endpoint:__AST_ENDPOINT_ALL_TOPIC", "endpoint:PJSIP/1"));
    assertThat(lost(NO_SUBSCRIPTIONS)).isEmpty();
  }

  @Test
  void ignoresSingleChannelsAndBridges() throws Exception {
    subscriptions.addSources("app", List.of("channel:1", "bridge:1", "channel:"));
    assertThat(lost(NO_SUBSCRIPTIONS)).containsExactly("channel:");
  }

  @Test
  void restoresMergedEventFilter() throws Exception {
    updateFilter("{'allowed':[{'type':'StasisStart'}]}");
    updateFilter("{'disallowed':[{'type':'Dial'}]}");
    assertThat(lost(NO_SUBSCRIPTIONS))
        .containsExactly(
            "{\"allowed\":[{\"type\":\"StasisStart\"}],\"disallowed\":[{\"type\":\"Dial\"}]}");
    assertThat(
            lost(
                NO_SUBSCRIPTIONS
                    .replace("'events_allowed':[]", "'events_allowed':[{'type':'StasisStart'}]")
                    .replace("'events_disallowed':[]", "'events_disallowed':[{'type':'Dial'}]")))
        .isEmpty();
    updateFilter("{}");
    assertThat(lost(NO_SUBSCRIPTIONS)).isEmpty();
  }

  @Test
  void hidesTypesLikeAsterisk() throws Exception {
    assertThat(subscriptions.hides("app", "StasisEnd")).isFalse();
    StasisApplications single = applications("app");
    updateFilter("{'allowed':[{'type':'StasisStart'},{'type':'StasisEnd'}]}");
    assertThat(subscriptions.hides("app", "StasisEnd")).isFalse();
    assertThat(subscriptions.hides("app", "ChannelDestroyed")).isTrue();
    assertThat(subscriptions.hideChannelEnds(single)).isFalse();
    updateFilter("{'disallowed':[{'type':'StasisEnd'}]}");
    assertThat(subscriptions.hides("app", "StasisEnd")).isTrue();
    assertThat(subscriptions.hideChannelEnds(single)).isTrue();
    StasisApplications several = applications("app", "other");
    assertThat(subscriptions.hideChannelEnds(several)).isFalse();
    several.lose("other");
    assertThat(subscriptions.hideChannelEnds(several)).isTrue();
    updateFilter("{'allowed':[],'disallowed':[]}");
    assertThat(subscriptions.hides("app", "StasisEnd")).isFalse();
  }

  @Test
  void hidesTypesOfTheFilterOfAnotherClient() throws Exception {
    subscriptions.observeFilters(
        JSON.readTree(
            ("[{'name':'app','events_allowed':[],'events_disallowed':[{'type':'Dial'}]},"
                    + "{'name':'foreign','events_disallowed':[{'type':'Dial'}]}]")
                .replace('\'', '"')),
        List.of("app", "other"));
    assertThat(subscriptions.hides("app", "Dial")).isTrue();
    assertThat(subscriptions.hides("app", "StasisEnd")).isFalse();
    assertThat(subscriptions.hides("other", "Dial")).isFalse();
    assertThat(subscriptions.hides("foreign", "Dial")).as("has no synthetic events").isFalse();
    updateFilter("{}");
    assertThat(subscriptions.hides("app", "Dial")).isFalse();
  }

  @Test
  void ignoresUnknownApplications() throws Exception {
    subscriptions.addSources("other", List.of("endpoint:PJSIP/1"));
    assertThat(lost(NO_SUBSCRIPTIONS)).isEmpty();
  }

  /** A hostile answer could multiply what is sent and kept. */
  @Test
  void restoresOnceWhatIsListedManyTimes() throws Exception {
    subscriptions.addSources("app", List.of("deviceState:Stasis:x"));
    String once = "{\"name\":\"app\"}";
    JsonNode applications = JSON.readTree("[" + once + ("," + once).repeat(1_000) + "]");
    assertThat(subscriptions.lost(applications, application -> false)).hasSize(1);
  }

  @Test
  void restoresFromStore() throws Exception {
    subscriptions.addSources("app", List.of("endpoint:PJSIP/1"));
    updateFilter("{'allowed':[{'type':'StasisStart'}]}");
    List<String> before = lost(NO_SUBSCRIPTIONS);
    writeBehind.awaitAcknowledged();

    Subscriptions restored = new Subscriptions(writeBehind);
    store.stored().forEach(restored::restore);

    assertThat(lost(restored, NO_SUBSCRIPTIONS)).isEqualTo(before).hasSize(2);
    restored.removeSources("app", List.of("endpoint:PJSIP/1"));
    restored.updateFilter("app", JSON.createObjectNode());
    writeBehind.awaitAcknowledged();
    assertThat(store.stored()).isEmpty();
  }

  @Test
  void restoresNothingOfExcludedApplication() throws JsonProcessingException {
    subscriptions.addSources("app", List.of("deviceState:Stasis:x"));
    JsonNode applications = JSON.readTree("[{\"name\":\"app\"}]");
    assertThat(subscriptions.lost(applications, "other"::equals)).isNotEmpty();
    assertThat(subscriptions.lost(applications, "app"::equals)).isEmpty();
  }

  @Test
  void limitsNumberOfSubscriptionsOfAllApplications() {
    subscriptions.addSources("app", devices("a", Subscriptions.MAX_SOURCES - 2));
    assertThat(subscriptions.reserve("other", devices("b", 3))).isEmpty();
    // recorded, repeated and single resources need nothing
    assertThat(
            subscriptions.reserve(
                "app", List.of("deviceState:a1", "endpoint:", "channel:1", "endpoint:")))
        .isPresent();
    assertThat(subscriptions.reserve("other", devices("a", 1))).isPresent();
    assertThat(subscriptions.reserve("other", devices("b", 1))).isEmpty();
    subscriptions.reserve("app", devices("a", 10)).orElseThrow().release();

    subscriptions.removeSources("app", devices("a", 1));
    subscriptions.removeSources("app", devices("a", 1));
    assertThat(subscriptions.reserve("other", devices("b", 2))).isEmpty();
    assertThat(subscriptions.reserve("other", devices("b", 1))).isPresent();
  }

  @Test
  void limitsBytesOfSubscriptions() {
    int count = Subscriptions.MAX_BYTES / 30_000;
    List<String> large = devices("x".repeat(30_000), count);
    // Java counts one character, JSON six bytes
    String control = "deviceState:" + "\u0001".repeat(30_000 / 6);
    subscriptions.addSources("app", large);
    assertThat(subscriptions.reserve("app", List.of(control))).isEmpty();
    assertThat(subscriptions.reserve("app", List.of("deviceState:small"))).isPresent();
    subscriptions.removeSources("app", large.subList(0, 1));
    assertThat(subscriptions.reserve("app", List.of(control))).isPresent();
  }

  @Test
  void commandsInProgressTogetherStayWithinLimits() {
    Subscriptions.Reservation first =
        subscriptions.reserve("app", devices("a", Subscriptions.MAX_SOURCES)).orElseThrow();
    assertThat(subscriptions.reserve("app", devices("b", 1))).isEmpty();
    first.release();
    first.release();
    assertThat(subscriptions.reserve("app", devices("b", 1))).isPresent();
    assertThat(subscriptions.reserve("app", devices("c", Subscriptions.MAX_SOURCES))).isEmpty();
  }

  /** Recording and releasing are two steps, between which other commands are checked. */
  @Test
  void recordedSourceOfCommandInProgressCountsOnce() {
    List<String> sources = devices("a", Subscriptions.MAX_SOURCES - 1);
    Subscriptions.Reservation reservation = subscriptions.reserve("app", sources).orElseThrow();
    subscriptions.addSources("app", sources);
    Subscriptions.Reservation last = subscriptions.reserve("app", devices("b", 1)).orElseThrow();
    reservation.release();
    assertThat(subscriptions.reserve("app", devices("c", 1))).isEmpty();
    last.release();
    assertThat(subscriptions.reserve("app", devices("c", 1))).isPresent();
  }

  @Test
  void sourceOfSeveralCommandsInProgressCountsOnce() {
    List<String> sources = devices("a", Subscriptions.MAX_SOURCES);
    Subscriptions.Reservation first = subscriptions.reserve("app", sources).orElseThrow();
    Subscriptions.Reservation second = subscriptions.reserve("app", sources).orElseThrow();
    first.release();
    assertThat(subscriptions.reserve("app", devices("b", 1))).isEmpty();
    second.release();
    assertThat(subscriptions.reserve("app", devices("b", 1))).isPresent();
  }

  @Test
  void endedSourceCountsWhileCommandInProgressAddsItAgain() {
    List<String> sources = devices("a", Subscriptions.MAX_SOURCES);
    subscriptions.addSources("app", sources);
    Subscriptions.Reservation again = subscriptions.reserve("app", sources).orElseThrow();
    subscriptions.removeSources("app", sources);
    assertThat(subscriptions.reserve("app", devices("b", 1))).isEmpty();
    again.release();
    assertThat(subscriptions.reserve("app", devices("b", 1))).isPresent();
  }

  @Test
  void restoredSubscriptionsCount() {
    StringJoiner sources = new StringJoiner("\",\"", "{\"sources\":[\"", "\"]}");
    devices("a", Subscriptions.MAX_SOURCES).forEach(sources::add);
    subscriptions.restore("SUBSCRIPTIONS:app", sources.toString());
    assertThat(subscriptions.reserve("app", devices("b", 1))).isEmpty();
  }

  /** Another program can have written them. */
  @Test
  void restoresSubscriptionsWithinLimits() throws Exception {
    StringJoiner sources = new StringJoiner("\",\"", "{\"sources\":[\"", "\"]}");
    devices("a", Subscriptions.MAX_SOURCES + 3).forEach(sources::add);
    assertThat(subscriptions.restore("SUBSCRIPTIONS:app", sources.toString()))
        .get(InstanceOfAssertFactories.STRING)
        .startsWith("3 subscriptions of app in the call-context store not restored");
    assertThat(lost(subscriptions, NO_SUBSCRIPTIONS)).hasSize(Subscriptions.MAX_SOURCES);
  }

  @Test
  void writesNewestStateOnceForCommandsDuringWrite() throws Exception {
    store.blockWrites();
    subscriptions.addSources("app", devices("first", 1));
    await().until(() -> store.attempts() == 1);
    for (int i = 0; i < 100; i++) {
      subscriptions.addSources("app", List.of("deviceState:" + i));
    }
    store.unblockWrites();
    writeBehind.awaitAcknowledged();
    assertThat(store.batches()).hasSize(2);
    Subscriptions restored = new Subscriptions(writeBehind);
    store.stored().forEach(restored::restore);
    assertThat(lost(restored, NO_SUBSCRIPTIONS)).hasSize(101);
  }

  private static StasisApplications applications(String... names) {
    return new StasisApplications(
        List.of(names),
        new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.disabledTicker()));
  }

  private void updateFilter(String json) throws JsonProcessingException {
    subscriptions.updateFilter("app", JSON.readTree(json.replace('\'', '"')));
  }

  /** Returns lost sources, then the event filter. */
  private List<String> lost(String fields) throws JsonProcessingException {
    return lost(subscriptions, fields);
  }

  private static List<String> lost(Subscriptions subscriptions, String fields)
      throws JsonProcessingException {
    return subscriptions
        .lost(
            JSON.readTree(("[{'name':'app'," + fields + "}]").replace('\'', '"')),
            application -> false)
        .stream()
        .flatMap(
            lost -> Stream.concat(lost.sources().stream(), Stream.ofNullable(lost.eventFilter())))
        .toList();
  }

  private static List<String> devices(String prefix, int count) {
    return IntStream.range(0, count).mapToObj(i -> "deviceState:" + prefix + i).toList();
  }
}
