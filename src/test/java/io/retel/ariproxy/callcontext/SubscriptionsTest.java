// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.callcontext.store.FakeStore;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import java.time.Duration;
import java.util.List;
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
    assertThat(restoreRequests(NO_SUBSCRIPTIONS))
        .containsExactly(
            "POST /applications/app/subscription {\"eventSource\":\"deviceState:Stasis:x\"}",
            "POST /applications/app/subscription {\"eventSource\":\"endpoint:PJSIP/1\"}");
  }

  @Test
  void skipsListedSubscriptions() throws Exception {
    subscriptions.addSources("app", List.of("deviceState:Stasis:x", "endpoint:PJSIP/1"));
    assertThat(
            restoreRequests(
                NO_SUBSCRIPTIONS
                    .replace("'endpoint_ids':[]", "'endpoint_ids':['PJSIP/1']")
                    .replace("'device_names':[]", "'device_names':['Stasis:x']")))
        .isEmpty();
  }

  @Test
  void allTopicCoversSingleSources() throws Exception {
    subscriptions.addSources("app", List.of("endpoint:", "endpoint:PJSIP/1"));
    assertThat(
            restoreRequests(
                NO_SUBSCRIPTIONS.replace(
                    "'endpoint_ids':[]", "'endpoint_ids':['__AST_ENDPOINT_ALL_TOPIC']")))
        .isEmpty();
    subscriptions.removeSources(
        "app", List.of("endpoint:__AST_ENDPOINT_ALL_TOPIC", "endpoint:PJSIP/1"));
    assertThat(restoreRequests(NO_SUBSCRIPTIONS)).isEmpty();
  }

  @Test
  void ignoresSingleChannelsAndBridges() throws Exception {
    subscriptions.addSources("app", List.of("channel:1", "bridge:1", "channel:"));
    assertThat(restoreRequests(NO_SUBSCRIPTIONS))
        .containsExactly("POST /applications/app/subscription {\"eventSource\":\"channel:\"}");
  }

  @Test
  void restoresMergedEventFilter() throws Exception {
    updateFilter("{'allowed':[{'type':'StasisStart'}]}");
    updateFilter("{'disallowed':[{'type':'Dial'}]}");
    assertThat(restoreRequests(NO_SUBSCRIPTIONS))
        .containsExactly(
            "PUT /applications/app/eventFilter "
                + "{\"allowed\":[{\"type\":\"StasisStart\"}],\"disallowed\":[{\"type\":\"Dial\"}]}");
    assertThat(
            restoreRequests(
                NO_SUBSCRIPTIONS
                    .replace("'events_allowed':[]", "'events_allowed':[{'type':'StasisStart'}]")
                    .replace("'events_disallowed':[]", "'events_disallowed':[{'type':'Dial'}]")))
        .isEmpty();
    updateFilter("{}");
    assertThat(restoreRequests(NO_SUBSCRIPTIONS)).isEmpty();
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
            "[{'name':'app','events_allowed':[],'events_disallowed':[{'type':'Dial'}]}]"
                .replace('\'', '"')));
    assertThat(subscriptions.hides("app", "Dial")).isTrue();
    assertThat(subscriptions.hides("app", "StasisEnd")).isFalse();
    assertThat(subscriptions.hides("other", "Dial")).isFalse();
    updateFilter("{}");
    assertThat(subscriptions.hides("app", "Dial")).isFalse();
  }

  @Test
  void ignoresUnknownApplications() throws Exception {
    subscriptions.addSources("other", List.of("endpoint:PJSIP/1"));
    assertThat(restoreRequests(NO_SUBSCRIPTIONS)).isEmpty();
  }

  @Test
  void restoresFromStore() throws Exception {
    subscriptions.addSources("app", List.of("endpoint:PJSIP/1"));
    updateFilter("{'allowed':[{'type':'StasisStart'}]}");
    List<String> before = restoreRequests(NO_SUBSCRIPTIONS);
    writeBehind.awaitAcknowledged();

    Subscriptions restored = new Subscriptions(writeBehind);
    store.stored().forEach(restored::restore);

    assertThat(requests(restored, NO_SUBSCRIPTIONS)).isEqualTo(before).hasSize(2);
    restored.removeSources("app", List.of("endpoint:PJSIP/1"));
    restored.updateFilter("app", JSON.createObjectNode());
    writeBehind.awaitAcknowledged();
    assertThat(store.stored()).isEmpty();
  }

  @Test
  void restoresNothingOfExcludedApplication() throws JsonProcessingException {
    subscriptions.addSources("app", List.of("deviceState:Stasis:x"));
    String applications = "[{\"name\":\"app\"}]";
    assertThat(subscriptions.restoreRequests(applications, "other"::equals)).isNotEmpty();
    assertThat(subscriptions.restoreRequests(applications, "app"::equals)).isEmpty();
  }

  private static StasisApplications applications(String... names) {
    return new StasisApplications(
        List.of(names),
        new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.disabledTicker()));
  }

  private void updateFilter(String json) throws JsonProcessingException {
    subscriptions.updateFilter("app", JSON.readTree(json.replace('\'', '"')));
  }

  private List<String> restoreRequests(String fields) throws JsonProcessingException {
    return requests(subscriptions, fields);
  }

  private static List<String> requests(Subscriptions subscriptions, String fields)
      throws JsonProcessingException {
    return subscriptions
        .restoreRequests(
            ("[{'name':'app'," + fields + "}]").replace('\'', '"'), application -> false)
        .stream()
        .map(request -> request.method() + " " + request.path() + " " + request.body())
        .toList();
  }
}
