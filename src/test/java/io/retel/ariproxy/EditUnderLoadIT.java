package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Routes are edited while 2,000 events a second pass: each edit takes effect, and nothing else
 * changes.
 */
@ExtendWith(KafkaExtension.class)
class EditUnderLoadIT {

  private static final String APP = "edited";
  private static final int EVENTS = 40_000;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

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

        flood.await(PATIENCE);
        List<TopicRecord> published =
            controller.events(EVENTS, record -> mark(record) != null, PATIENCE);
        assertEachCallCountsUp(flood, published);
        assertThat(asterisk.websocketsTotal()).as("websockets that were ever opened").isOne();
        assertThat(proxy.count("ari-proxy.events.lost")).isZero();
      }
    }
  }

  @Test
  void aBrokenEditChangesNothing(KafkaBroker kafka, @TempDir Path folder) {
    RoutesFolder routes = RoutesFolder.copyInto(folder);
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.ROUTES, routes.path().toString());
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        Flood flood = asterisk.flood(APP, 4_000, 1_000, 10);

        routes.edit("events.camel.yaml", yaml -> yaml.replace("- process:", "- proces:"));

        flood.await(PATIENCE);
        List<TopicRecord> published =
            controller.events(4_000, record -> mark(record) != null, PATIENCE);
        assertEachCallCountsUp(flood, published);
        assertThat(proxy.context().getRouteController().getRouteStatus("events").isStarted())
            .isTrue();
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
