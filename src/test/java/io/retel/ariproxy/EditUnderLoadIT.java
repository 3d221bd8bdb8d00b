package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesFolder;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import io.retel.ariproxy.settings.Setting;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Routes are edited while 2,000 events a second pass: each edit takes effect, and nothing else
 * changes.
 */
@ExtendWith(KafkaExtension.class)
class EditUnderLoadIT {

  private static final String APP = "edited";
  private static final int EVENTS = 40_000;

  @Test
  void anEditedEventRouteTakesEffectAndNoEventIsLostDoubledOrReordered(
      KafkaBroker kafka, @TempDir Path folder) {
    anEditTakesEffectFiveTimes(
        kafka, folder, "events.camel.yaml", "        - to:\n            id: publish-event\n");
  }

  @Test
  void anEditedPublishingRouteTakesEffectAndNoEventIsLostDoubledOrReordered(
      KafkaBroker kafka, @TempDir Path folder) {
    anEditTakesEffectFiveTimes(
        kafka, folder, "publish.camel.yaml", "        - choice:\n            id: mapped-or-not\n");
  }

  private static void anEditTakesEffectFiveTimes(
      KafkaBroker kafka, Path folder, String file, String before) {
    RoutesFolder routes = RoutesFolder.copyInto(folder);
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.ROUTES, routes.path().toString());
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        Flood flood = asterisk.flood(APP, EVENTS, 2_000, 50);

        for (int i = 1; i <= 5; i++) {
          String edition = Integer.toString(i);
          routes.edit(
              file,
              yaml ->
                  yaml.replaceAll("        - setHeader:\n(            .*\n)+", "")
                      .replace(
                          before,
                          """
                                  - setHeader:
                                      id: say-edition
                                      name: edition
                                      expression:
                                        constant:
                                          expression: "%s"
                          """
                                  .formatted(edition)
                              + before));
          controller.await(record -> edition.equals(record.header("edition")));
        }

        flood.await();
        List<TopicRecord> published = controller.events(EVENTS, record -> mark(record) != null);
        assertEachCallCountsUp(flood, published);
        assertThat(asterisk.websocketsTotal()).as("websockets that were ever opened").isOne();
        assertThat(proxy.count("ari-proxy.events.lost")).isZero();
      }
    }
  }

  /** One that does not parse, one that names a bean that is not there, one that is not finished. */
  @ParameterizedTest
  @CsvSource({
    "- process:, - proces:, proces",
    "ref: wrapEvent, ref: wrapEvents, wrapEvents",
    "uri: handover:publish, uri: hangover:publish, hangover"
  })
  void aBrokenEditChangesNothingAndSaysSoInOneLine(
      String before, String after, String said, KafkaBroker kafka, @TempDir Path folder) {
    RoutesFolder routes = RoutesFolder.copyInto(folder);
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        CapturedLog log = new CapturedLog()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.ROUTES, routes.path().toString());
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        Flood flood = asterisk.flood(APP, 4_000, 1_000, 10);

        routes.edit("events.camel.yaml", yaml -> yaml.replace(before, after));

        flood.await();
        List<TopicRecord> published = controller.events(4_000, record -> mark(record) != null);
        assertEachCallCountsUp(flood, published);
        assertThat(proxy.context().getRouteController().getRouteStatus("events").isStarted())
            .isTrue();
        assertThat(log.lines(Level.ERROR))
            .singleElement()
            .asString()
            .contains("events.camel.yaml cannot run as it is now")
            .contains(said)
            .doesNotContain("\n");

        // mended, and the next edit of another file is not held up by it
        routes.edit("events.camel.yaml", yaml -> yaml.replace(after, before) + "# mended\n");
        routes.edit("publish.camel.yaml", yaml -> yaml + "# edited\n");
        asterisk.call(APP);
        controller.await(record -> "STASIS_START".equals(record.json().path("type").asText()));
        assertThat(asterisk.websocketsTotal()).isOne();
      }
    }
  }

  private static void assertEachCallCountsUp(Flood flood, List<TopicRecord> published) {
    assertThat(published).hasSize((int) flood.sent());
    flood
        .calls()
        .forEach(
            call -> {
              AtomicInteger next = new AtomicInteger();
              published.stream()
                  .map(EditUnderLoadIT::mark)
                  .filter(mark -> mark.channelId().equals(call.id()))
                  .forEach(mark -> assertThat(mark.number()).isEqualTo(next.getAndIncrement()));
            });
  }

  private static Flood.Mark mark(TopicRecord record) {
    return Flood.Mark.of(record.json().path("payload")).orElse(null);
  }
}
