package io.retel.ariproxy.gap;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.callcontext.store.FakeStore;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is set again; the answers are those of Asterisk 22.10.1 and 16.28. */
class SubscriptionsTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String NOTHING =
      "'channel_ids':[],'bridge_ids':[],'endpoint_ids':[],'device_names':[],"
          + "'events_allowed':[],'events_disallowed':[]";

  private final FakeStore store = new FakeStore();
  private final WriteBehind behind =
      new WriteBehind(store, Duration.ofSeconds(5), new SimpleMeterRegistry());
  private final Subscriptions subscriptions = new Subscriptions(behind);

  @BeforeEach
  void start() {
    behind.start();
  }

  @AfterEach
  void stop() {
    behind.stop();
  }

  @Test
  void whatAsteriskDoesNotShowAnyMoreIsAskedForAgain() throws Exception {
    subscriptions.subscribed("app", List.of("deviceState:Stasis:x", "endpoint:PJSIP/1"));
    assertThat(forgotten(NOTHING))
        .containsExactly(
            "POST /applications/app/subscription {\"eventSource\":\"deviceState:Stasis:x\"}",
            "POST /applications/app/subscription {\"eventSource\":\"endpoint:PJSIP/1\"}");
  }

  @Test
  void whatItShowsIsNotAskedForTwiceSinceItCounts() throws Exception {
    subscriptions.subscribed("app", List.of("deviceState:Stasis:x", "endpoint:PJSIP/1"));
    assertThat(
            forgotten(
                NOTHING
                    .replace("'endpoint_ids':[]", "'endpoint_ids':['PJSIP/1']")
                    .replace("'device_names':[]", "'device_names':['Stasis:x']")))
        .isEmpty();
  }

  @Test
  void allOfAKindAreShownUnderANameOfTheirOwnAndHideSingleOnes() throws Exception {
    subscriptions.subscribed("app", List.of("endpoint:", "endpoint:PJSIP/1"));
    assertThat(
            forgotten(
                NOTHING.replace(
                    "'endpoint_ids':[]", "'endpoint_ids':['__AST_ENDPOINT_ALL_TOPIC']")))
        .isEmpty();
    subscriptions.unsubscribed(
        "app", List.of("endpoint:__AST_ENDPOINT_ALL_TOPIC", "endpoint:PJSIP/1"));
    assertThat(forgotten(NOTHING)).isEmpty();
  }

  @Test
  void aSingleChannelOrBridgeEndsItsSubscriptionItself() throws Exception {
    subscriptions.subscribed("app", List.of("channel:1", "bridge:1", "channel:"));
    assertThat(forgotten(NOTHING))
        .containsExactly("POST /applications/app/subscription {\"eventSource\":\"channel:\"}");
  }

  @Test
  void theEventFilterIsSetAgainAsAsteriskKeptIt() throws Exception {
    filter("{'allowed':[{'type':'StasisStart'}]}");
    filter("{'disallowed':[{'type':'Dial'}]}");
    assertThat(forgotten(NOTHING))
        .containsExactly(
            "PUT /applications/app/eventFilter "
                + "{\"allowed\":[{\"type\":\"StasisStart\"}],\"disallowed\":[{\"type\":\"Dial\"}]}");
    assertThat(
            forgotten(
                NOTHING
                    .replace("'events_allowed':[]", "'events_allowed':[{'type':'StasisStart'}]")
                    .replace("'events_disallowed':[]", "'events_disallowed':[{'type':'Dial'}]")))
        .isEmpty();
    filter("{}");
    assertThat(forgotten(NOTHING)).isEmpty();
  }

  @Test
  void anApplicationThatAsteriskDoesNotKnowIsNotTouched() throws Exception {
    subscriptions.subscribed("other", List.of("endpoint:PJSIP/1"));
    assertThat(forgotten(NOTHING)).isEmpty();
  }

  @Test
  void theNextProcessKnows() throws Exception {
    subscriptions.subscribed("app", List.of("endpoint:PJSIP/1"));
    filter("{'allowed':[{'type':'StasisStart'}]}");
    List<String> before = forgotten(NOTHING);
    behind.awaitAcknowledged();

    Subscriptions next = new Subscriptions(behind);
    store.kept().forEach(next::restore);

    assertThat(requests(next, NOTHING)).isEqualTo(before).hasSize(2);
    next.unsubscribed("app", List.of("endpoint:PJSIP/1"));
    next.filtered("app", JSON.createObjectNode());
    behind.awaitAcknowledged();
    assertThat(store.kept()).isEmpty();
  }

  private void filter(String json) throws JsonProcessingException {
    subscriptions.filtered("app", JSON.readTree(json.replace('\'', '"')));
  }

  private List<String> forgotten(String fields) throws JsonProcessingException {
    return requests(subscriptions, fields);
  }

  private static List<String> requests(Subscriptions of, String fields)
      throws JsonProcessingException {
    return of.forgotten(("[{'name':'app'," + fields + "}]").replace('\'', '"')).stream()
        .map(request -> request.method() + " " + request.path() + " " + request.body())
        .toList();
  }
}
