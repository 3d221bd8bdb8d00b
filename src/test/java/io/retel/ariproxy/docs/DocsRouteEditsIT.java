// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.docs;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.docs.RouteEditExample;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.nio.file.Path;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Applies the route edits of {@code docs/routes.md} under load, exactly as documented. */
class DocsRouteEditsIT {

  private static final String APP = "edited";
  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);
  @AutoClose private final CapturedLog log = new CapturedLog();
  private SimulatedAsterisk asterisk;
  private RoutesDirectory routes;
  private EmbeddedProxy proxy;
  private Controller controller;
  private int emitted;

  @BeforeEach
  void start(@TempDir Path folder) {
    routes = RoutesDirectory.copyTo(folder);
    asterisk = fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.ROUTES_DIRECTORY, folder.toString());
    proxy = fixture.startProxy();
    controller = fixture.controller();
  }

  @Test
  void dropsEventType() {
    Flood flood = asterisk.flood(APP, 2_000, 50);
    RouteEditExample.find("Drop an event type").applyTo(routes);

    Awaitility.await("the edit takes effect")
        .until(
            () -> {
              emitVarset(flood);
              return proxy.counter("ari-proxy.events.dropped") > 0;
            });
    int published = emitted - (int) proxy.counter("ari-proxy.events.dropped");
    for (int i = 0; i < 50; i++) {
      emitVarset(flood);
    }

    assertPublishedOnceInOrder(flood);
    assertThat(controller.events())
        .filteredOn(event -> event.hasType("CHANNEL_VARSET"))
        .hasSizeLessThanOrEqualTo(published);
    Awaitility.await("all dropped events are counted")
        .until(() -> proxy.counter("ari-proxy.events.dropped") >= emitted - published);
  }

  @Test
  void addsHeader() {
    Flood flood = asterisk.flood(APP, 2_000, 50);
    RouteEditExample.find("Add a header to every record").applyTo(routes);

    controller.await(record -> "fra".equals(record.header("site")));
    assertThat(controller.execute("call", "GET", "/asterisk/ping")).isNotNull();
    assertThat(controller.responses())
        .singleElement()
        .extracting(response -> response.header("site"))
        .isEqualTo("fra");
    assertPublishedOnceInOrder(flood);
    List<EventEnvelope> events = controller.events();
    assertThat(events.get(events.size() - 1).header("site")).isEqualTo("fra");
  }

  @Test
  void copiesRecordingsToAnotherTopic() {
    fixture.kafka().createTopic("recordings", 2);
    try (TopicReader copies = TopicReader.of(fixture.kafka().bootstrapServers(), "recordings")) {
      Flood flood = asterisk.flood(APP, 2_000, 50);
      RouteEditExample.find("Copy recording events to another topic").applyTo(routes);
      Awaitility.await("the edit takes effect")
          .until(
              () -> {
                emitRecording(flood);
                return !copies.records().isEmpty();
              });
      // all partitions are assigned, so later events are copied
      int first = emitted;
      for (int i = 0; i < 200; i++) {
        emitRecording(flood);
      }

      assertPublishedOnceInOrder(flood);
      Awaitility.await("all are copied")
          .until(
              () ->
                  copies.records().stream()
                          .filter(copy -> recordingNumber(EventEnvelope.of(copy)) >= first)
                          .count()
                      == 200);
      List<String> originals =
          controller.events().stream()
              .filter(
                  event -> event.hasType("RECORDING_STARTED") && recordingNumber(event) >= first)
              .map(event -> event.key() + " " + event.record().text())
              .toList();
      assertThat(originals).hasSize(200);
      for (String key : originals.stream().map(event -> event.split(" ")[0]).distinct().toList()) {
        assertThat(
                copies.records().stream()
                    .filter(
                        copy ->
                            copy.key().equals(key)
                                && recordingNumber(EventEnvelope.of(copy)) >= first)
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
    "Copy recording events to another topic, recordings, groupId, gruopId"
  })
  void rejectsTypoWithOneLogLine(String title, String route, String original, String typo) {
    Flood flood = asterisk.flood(APP, 1_000, 10);
    RouteEditExample.find(title).withTypo(original, typo).applyTo(routes);

    Awaitility.await("the error is logged").until(() -> !log.lines(Level.ERROR).isEmpty());
    assertPublishedOnceInOrder(flood);
    assertThat(log.lines(Level.ERROR))
        .singleElement()
        .asString()
        .contains(route + ".camel.yaml failed to load: ")
        .contains(typo)
        .doesNotContain("\n");
    assertThat(proxy.context().getRoute("recordings")).isNull();
    assertThat(controller.execute("call", "GET", "/asterisk/ping")).isNotNull();
  }

  private void emitVarset(Flood flood) {
    asterisk.emit(
        APP,
        "{\"type\":\"ChannelVarset\",\"application\":\"edited\",\"variable\":\"X\",\"value\":\"%d\",\"channel\":{\"id\":\"%s\"}}"
            .formatted(emitted++, nextChannel(flood)));
  }

  private void emitRecording(Flood flood) {
    asterisk.emit(
        APP,
        "{\"type\":\"RecordingStarted\",\"application\":\"edited\",\"recording\":{\"name\":\"%d\",\"format\":\"wav\",\"state\":\"recording\",\"target_uri\":\"channel:%s\"}}"
            .formatted(emitted++, nextChannel(flood)));
  }

  private String nextChannel(Flood flood) {
    return flood.calls().get(emitted % flood.calls().size()).id();
  }

  private static int recordingNumber(EventEnvelope event) {
    return event.payload().at("/recording/name").asInt();
  }

  private void assertPublishedOnceInOrder(Flood flood) {
    flood.awaitMore(500);
    controller.assertPublishedOnceInOrder(flood);
    assertThat(asterisk.totalWebsocketCount()).as("websockets opened").isOne();
    assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
  }
}
