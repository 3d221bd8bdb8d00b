package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a command creates on a real Asterisk belongs to the command's call from its first event on,
 * whoever gave the id.
 *
 * <p>Each command has a call context of its own: that of the channel or bridge that it plays to
 * would be found without the command's, too.
 *
 * @param suite Debian's
 * @param subscription what the application subscribes to beside its own channels: then it is told
 *     of second legs, and of bridges without a channel of its own
 */
@ExtendWith(KafkaExtension.class)
@ParameterizedClass
@CsvSource({"sid, ''", "bullseye, ''", "sid, 'channel:,bridge:'", "bullseye, 'channel:,bridge:'"})
record CreatedResourcesIT(String suite, String subscription) {

  private static final String APP = "created";
  private static final String LOCAL = "endpoint=Local/3002@default&app=" + APP;
  private static final String LOCAL_IN_BODY = "'endpoint':'Local/3002@default','app':'" + APP + "'";
  private static final String MEDIA = "app=" + APP + "&external_host=127.0.0.1:9&format=ulaw";
  private static final String STAGE = "the-stage";
  // not the channel's: Asterisk keeps an application's subscriptions by id alone
  private static final String BRIDGE = "the-bridge";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final AtomicInteger calls = new AtomicInteger();

  private static final Closer CLOSER = new Closer();
  private static Controller controller;

  /** A channel, and a bridge with another one in it, which belong to another call. */
  @BeforeParameterizedClassInvocation
  static void start(String suite, String subscription, KafkaBroker kafka) {
    RealAsterisk asterisk = CLOSER.register(RealAsterisk.start(suite));
    ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
    CLOSER.register(RunningProxy.start(settings));
    controller = CLOSER.register(new Controller(settings, kafka));
    Awaitility.await("the application is registered")
        .until(() -> controller.ask(STAGE, "GET", "/applications/" + APP), ok -> status(ok) == 200);
    if (!subscription.isEmpty()) {
      expectSuccess(
          controller.ask(
              STAGE, "POST", "/applications/" + APP + "/subscription?eventSource=" + subscription));
    }
    for (String channel : List.of(STAGE, "walker")) {
      expectSuccess(controller.ask(STAGE, "POST", "/channels?" + LOCAL + "&channelId=" + channel));
      controller.event(STAGE, "STASIS_START", event -> named(event).contains(channel));
    }
    expectSuccess(controller.ask(STAGE, "POST", "/bridges/" + BRIDGE));
    expectSuccess(
        controller.ask(STAGE, "POST", "/bridges/" + BRIDGE + "/addChannel?channel=walker"));
    controller.event(STAGE, "CHANNEL_ENTERED_BRIDGE", event -> named(event).contains("walker"));
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    CLOSER.close();
  }

  /** A user event of nobody's is unmapped: what was unmapped before it has arrived before it. */
  @AfterEach
  void nothingIsUnmapped() {
    String sentinel = "sentinel-" + calls.incrementAndGet();
    expectSuccess(
        controller.ask(STAGE, "POST", "/events/user/" + sentinel + "?application=" + APP));
    controller.awaitUnmapped(record -> sentinel.equals(userEvent(record)));
    assertThat(controller.unmapped())
        .filteredOn(record -> !userEvent(record).startsWith("sentinel-"))
        .isEmpty();
  }

  @ParameterizedTest(name = "{0} {1} {2}")
  @CsvSource(
      delimiter = '|',
      emptyValue = "",
      value = {
        "/channels?" + LOCAL + "&channelId=q1 | | q1 | q1;2",
        "/channels | {" + LOCAL_IN_BODY + ",'channelId':'b1'} | b1 | b1;2",
        "/channels?channelId=not | {" + LOCAL_IN_BODY + ",'channelId':'b2'} | b2 | b2;2",
        "/channels/p1?" + LOCAL + "&channelId=not | {'channelId':'not'} | p1 | p1;2",
        "/channels/p+2%2B%2F?" + LOCAL + " | | p 2+/ | p 2+/;2",
        "/channels?" + LOCAL + " | | | ;2",
        "/channels | {" + LOCAL_IN_BODY + ",'channelId':7} | | ;2",
        "/channels?" + LOCAL + "&channelId=q3&otherChannelId=o3 | | q3 | o3",
        "/channels/p4?" + LOCAL + " | {'otherChannelId':'o4'} | p4 | o4",
        "/channels?" + LOCAL + "&otherChannelId=o5 | | | o5"
      })
  void anOriginatedChannelAndItsSecondLeg(String url, String body, String id, String secondLeg) {
    String call = "originated-" + calls.incrementAndGet();
    String created = create(call, url, body, id, 0);
    String second = secondLeg.startsWith(";") ? created + secondLeg : secondLeg;
    controller.event(call, "STASIS_START", event -> named(event).contains(created));
    awaitFirst(call, second);
    hangUp(call, created);
  }

  /** Without a subscription the application is told nothing of its second leg. */
  @Test
  void anOriginatedChannelThatEntersTheApplicationFromTheDialplan() {
    String call = "dialplan-" + calls.incrementAndGet();
    String url = "/channels?endpoint=lOCAL/3002@default&context=default&priority=1&extension=app-";
    String created = create(call, url + APP, null, null, 0);
    controller.event(call, "STASIS_START", event -> named(event).contains(created));
    if (!subscription.isEmpty()) {
      awaitFirst(call, created + ";2");
    }
    expectSuccess(controller.ask(call, "DELETE", "/channels/" + created));
    controller.event(call, "STASIS_END", event -> named(event).contains(created));
    assertAllEventsBelongTo(call, created);
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "/channels/create?" + LOCAL + "&channelId=c1 | | c1 | c1;2",
        "/channels/create | {" + LOCAL_IN_BODY + ",'channelId':'c2'} | c2 | c2;2",
        "/channels/create?" + LOCAL + " | | | ;2",
        "/channels/create?" + LOCAL + "&channelId=c3&otherChannelId=c4 | | c3 | c4",
        "/channels/create?" + LOCAL + "&otherChannelId=c5 | | | c5"
      })
  void aCreatedChannelThatIsDialledLater(String url, String body, String id, String secondLeg) {
    String call = "created-" + calls.incrementAndGet();
    String created = create(call, url, body, id, 0);
    controller.event(call, "STASIS_START", event -> named(event).contains(created));
    expectSuccess(controller.ask(call, "POST", "/channels/" + created + "/dial?caller=" + STAGE));
    controller.event(call, "DIAL", event -> event.at("/dialstatus").asText().equals("ANSWER"));
    if (!subscription.isEmpty()) {
      awaitFirst(call, secondLeg.startsWith(";") ? created + secondLeg : secondLeg);
    }
    hangUp(call, created);
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "/channels/externalMedia?" + MEDIA + "&channelId=e1 | | e1",
        "/channels/externalMedia?" + MEDIA + " | {'channelId':'e2'} | e2",
        "/channels/externalMedia?" + MEDIA + " | | ",
      })
  void anExternalMediaChannel(String url, String body, String id) {
    String call = "external-" + calls.incrementAndGet();
    String created = create(call, url, body, id, 0);
    controller.event(call, "STASIS_START", event -> named(event).contains(created));
    hangUp(call, created);
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "/channels/the-stage/snoop/s1?spy=both&app=" + APP + " | | s1",
        "/channels/the-stage/snoop?spy=both&snoopId=s2&app=" + APP + " | | s2",
        "/channels/the-stage/snoop?spy=both&app=" + APP + " | {'snoopId':'s3'} | s3",
        "/channels/the-stage/snoop?spy=both&app=" + APP + " | | "
      })
  void aSnoopChannel(String url, String body, String id) {
    String call = "snoop-" + calls.incrementAndGet();
    String created = create(call, url, body, id, 1);
    controller.event(call, "STASIS_START", event -> named(event).contains(created));
    expectSuccess(controller.ask(call, "DELETE", "/channels/" + created));
    controller.event(call, "STASIS_END", event -> named(event).contains(created));
    assertAllEventsBelongTo(call, created);
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "/bridges/g1 | | g1",
        "/bridges?bridgeId=g2 | | g2",
        "/bridges | {'bridgeId':'g3'} | g3",
        "/bridges | | "
      })
  void aBridge(String url, String body, String id) {
    String call = "bridge-" + calls.incrementAndGet();
    String created = create(call, url, body, id, 0);
    String source = "/applications/" + APP + "/subscription?eventSource=bridge:" + created;
    expectSuccess(controller.ask(call, "POST", source));
    expectSuccess(controller.ask(call, "DELETE", "/bridges/" + created));
    controller.event(call, "BRIDGE_DESTROYED", event -> named(event).contains(created));
    assertAllEventsBelongTo(call, created);
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "play/y1?media=sound:beep | | y1",
        "play?media=sound:beep&playbackId=y2 | | y2",
        "play?media=sound:beep | {'playbackId':'y3'} | y3",
        "play?media=sound:beep | | ",
        "play | {'media':'sound:beep'} | "
      })
  void aPlaybackOnAChannelAndOnABridge(String url, String body, String id) {
    for (String on : List.of("/channels/" + STAGE, "/bridges/" + BRIDGE)) {
      String call = "playback-" + calls.incrementAndGet();
      String created = create(call, on + "/" + url, body, id, 1);
      controller.event(call, "PLAYBACK_STARTED", event -> named(event).contains(created));
      controller.event(call, "PLAYBACK_FINISHED", event -> named(event).contains(created));
    }
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(strings = {"?name={0}&", "?"})
  void aRecordingOfAChannelAndOfABridge(String query) {
    for (String of : List.of("/channels/" + STAGE, "/bridges/" + BRIDGE)) {
      String call = "recording-" + calls.incrementAndGet();
      String url =
          of
              + "/record"
              + query.replace("{0}", call)
              + "format=wav&maxDurationSeconds=1&ifExists=overwrite";
      create(call, url, query.equals("?") ? "{'name':'" + call + "'}" : null, call, 1);
      controller.event(call, "RECORDING_STARTED", event -> named(event).contains(call));
      controller.event(call, "RECORDING_FINISHED", event -> named(event).contains(call));
    }
  }

  /** Sends the command, and returns the id of what it creates, as the RESPONSE tells it. */
  private static String create(String call, String url, String body, String id, int resource) {
    JsonNode json;
    try {
      json = body == null ? null : JSON.readTree(body.replace('\'', '"'));
    } catch (IOException e) {
      throw new IllegalArgumentException(body, e);
    }
    TopicRecord response = controller.response(controller.send(call, "POST", url, json));
    expectSuccess(response.json().path("payload"));
    String told = response.json().path("resources").path(resource).path("id").asText();
    JsonNode answer = response.json().at("/payload/body");
    assertThat(answer.path("id").asText(answer.path("name").asText())).isEqualTo(told);
    if (id != null) {
      assertThat(told).isEqualTo(id);
    }
    return told;
  }

  private static void awaitFirst(String call, String id) {
    TopicRecord first = controller.await(event -> named(event.json().path("payload")).contains(id));
    assertThat(first.key()).as("%s", first).isEqualTo(call);
  }

  private static void hangUp(String call, String channel) {
    String encoded = URLEncoder.encode(channel, StandardCharsets.UTF_8);
    expectSuccess(controller.ask(call, "DELETE", "/channels/" + encoded));
    controller.event(call, "CHANNEL_DESTROYED", event -> named(event).contains(channel));
    assertAllEventsBelongTo(call, channel);
  }

  private static void assertAllEventsBelongTo(String call, String id) {
    assertThat(controller.events())
        .filteredOn(event -> named(event.json().path("payload")).contains(id))
        .isNotEmpty()
        .allMatch(event -> call.equals(event.key()));
  }

  /** The ids in an event. */
  private static Set<String> named(JsonNode event) {
    return Stream.of("/channel/id", "/peer/id", "/bridge/id", "/playback/id", "/recording/name")
        .map(pointer -> event.at(pointer).asText())
        .collect(Collectors.toSet());
  }

  private static String userEvent(TopicRecord record) {
    return record.json().at("/payload/eventname").asText();
  }

  private static int status(JsonNode payload) {
    return payload.path("status_code").asInt();
  }

  private static void expectSuccess(JsonNode payload) {
    assertThat(status(payload)).as("%s", payload).isBetween(200, 299);
  }
}
