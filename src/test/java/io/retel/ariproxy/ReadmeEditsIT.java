package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.ReadmeEdit;
import io.retel.ariproxy.fixtures.proxy.RoutesFolder;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import io.retel.ariproxy.settings.Setting;
import java.nio.file.Path;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The edits that the README shows, each made under load and exactly as it stands there. */
@ExtendWith(KafkaExtension.class)
class ReadmeEditsIT {

  private static final String APP = "edited";
  @AutoClose private final Closer closer = new Closer();
  private final CapturedLog log = closer.register(new CapturedLog());
  private final SimulatedAsterisk asterisk = closer.register(SimulatedAsterisk.start());
  private RoutesFolder routes;
  private RunningProxy proxy;
  private Controller controller;
  private int emitted;

  @BeforeEach
  void start(KafkaBroker kafka, @TempDir Path folder) {
    routes = RoutesFolder.copyInto(folder);
    ProxySettings settings =
        ProxySettings.of(asterisk, APP, kafka).with(Setting.ROUTES, folder.toString());
    proxy = closer.register(RunningProxy.start(settings));
    controller = closer.register(new Controller(settings, kafka));
    asterisk.awaitConnected(APP);
  }

  @Test
  void anEventTypeIsDropped() {
    Flood flood = asterisk.flood(APP, 2_000, 50);
    ReadmeEdit.titled("Drop an event type").makeIn(routes);

    Awaitility.await("the edit takes effect")
        .until(
            () -> {
              varset(flood);
              return proxy.count("ari-proxy.events.dropped") > 0;
            });
    int published = emitted - (int) proxy.count("ari-proxy.events.dropped");
    for (int i = 0; i < 50; i++) {
      varset(flood);
    }

    assertNothingIsLostDoubledOrReordered(flood);
    assertThat(controller.events())
        .filteredOn(event -> "CHANNEL_VARSET".equals(type(event)))
        .hasSizeLessThanOrEqualTo(published);
    Awaitility.await("all of them are counted")
        .until(() -> proxy.count("ari-proxy.events.dropped") >= emitted - published);
  }

  @Test
  void aHeaderIsAdded() {
    Flood flood = asterisk.flood(APP, 2_000, 50);
    ReadmeEdit.titled("Add a header to every record").makeIn(routes);

    controller.await(record -> "fra".equals(record.header("site")));
    assertThat(controller.ask("call", "GET", "/asterisk/ping")).isNotNull();
    assertThat(controller.responses())
        .singleElement()
        .extracting(response -> response.header("site"))
        .isEqualTo("fra");
    assertNothingIsLostDoubledOrReordered(flood);
    List<TopicRecord> events = controller.events();
    assertThat(events.get(events.size() - 1).header("site")).isEqualTo("fra");
  }

  @Test
  void recordingsGoToAnotherTopicAsWell(KafkaBroker kafka) {
    kafka.createTopic("recordings", 2);
    try (TopicReader copies = TopicReader.of(kafka.bootstrapServers(), "recordings")) {
      Flood flood = asterisk.flood(APP, 2_000, 50);
      ReadmeEdit.titled("Send the events of recordings to another topic as well").makeIn(routes);
      Awaitility.await("the edit takes effect")
          .until(
              () -> {
                recording(flood);
                return !copies.records().isEmpty();
              });
      // all partitions have been assigned by now, and what is published from here on is copied
      int first = emitted;
      for (int i = 0; i < 200; i++) {
        recording(flood);
      }

      assertNothingIsLostDoubledOrReordered(flood);
      Awaitility.await("all are copied")
          .until(
              () -> copies.records().stream().filter(copy -> number(copy) >= first).count() == 200);
      List<String> originals =
          controller.events().stream()
              .filter(event -> "RECORDING_STARTED".equals(type(event)) && number(event) >= first)
              .map(event -> event.key() + " " + event.text())
              .toList();
      assertThat(originals).hasSize(200);
      for (String key : originals.stream().map(event -> event.split(" ")[0]).distinct().toList()) {
        assertThat(
                copies.records().stream()
                    .filter(copy -> copy.key().equals(key) && number(copy) >= first)
                    .map(copy -> copy.key() + " " + copy.text()))
            .containsExactlyElementsOf(
                originals.stream().filter(event -> event.startsWith(key + " ")).toList());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Drop an event type, events, dropEvent, dropEvnt",
    "Add a header to every record, publish, setHeader, setHeadr",
    "Send the events of recordings to another topic as well, recordings, groupId, gruopId"
  })
  void aSlipOfThePenChangesNothingAndIsToldOfInOneLine(
      String title, String route, String before, String after) {
    Flood flood = asterisk.flood(APP, 1_000, 10);
    ReadmeEdit.titled(title).with(before, after).makeIn(routes);

    Awaitility.await("it is told of").until(() -> !log.lines(Level.ERROR).isEmpty());
    assertNothingIsLostDoubledOrReordered(flood);
    assertThat(log.lines(Level.ERROR))
        .singleElement()
        .asString()
        .contains(route + ".camel.yaml cannot run as it is now: ")
        .contains(after)
        .doesNotContain("\n");
    assertThat(proxy.context().getRoute("recordings")).isNull();
    assertThat(controller.ask("call", "GET", "/asterisk/ping")).isNotNull();
  }

  private void varset(Flood flood) {
    asterisk.emit(
        APP,
        "{\"type\":\"ChannelVarset\",\"application\":\"edited\",\"variable\":\"X\",\"value\":\"%d\",\"channel\":{\"id\":\"%s\"}}"
            .formatted(emitted++, channel(flood)));
  }

  private void recording(Flood flood) {
    asterisk.emit(
        APP,
        "{\"type\":\"RecordingStarted\",\"application\":\"edited\",\"recording\":{\"name\":\"%d\",\"format\":\"wav\",\"state\":\"recording\",\"target_uri\":\"channel:%s\"}}"
            .formatted(emitted++, channel(flood)));
  }

  private String channel(Flood flood) {
    return flood.calls().get(emitted % flood.calls().size()).id();
  }

  private static int number(TopicRecord recording) {
    return recording.json().at("/payload/recording/name").asInt();
  }

  private static String type(TopicRecord record) {
    return record.json().path("type").asText();
  }

  private void assertNothingIsLostDoubledOrReordered(Flood flood) {
    flood.awaitMore(500);
    controller.assertPublishedOnceInOrder(flood);
    assertThat(asterisk.websocketsTotal()).as("websockets that were ever opened").isOne();
    assertThat(proxy.count("ari-proxy.events.lost")).isZero();
  }
}
