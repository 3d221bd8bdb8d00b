package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesFolder;
import io.retel.ariproxy.settings.Setting;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The proxy is killed when the events topic has not taken yet what the call contexts' topic could
 * take. As the brokers of the two may be away at different times, so that what is kept must not be
 * ahead of what is told.
 */
class KilledBeforeToldIT {

  private static final String APP = "untold";

  /** How long an event waits for others before it is sent; it is under way for so long. */
  private static final Duration LINGER = Duration.ofSeconds(8);

  /** A mapping that does not wait for its event is kept within this time, usually at once. */
  private static final Duration TIME_TO_KEEP = Duration.ofSeconds(1);

  @TempDir private Path folder;

  @Test
  void whatControllersWereNotToldTheNextProxyTells() throws Exception {
    RoutesFolder routes = RoutesFolder.copyInto(Files.createDirectory(folder.resolve("routes")));
    routes.edit(
        "publish.camel.yaml",
        yaml -> yaml.replace("lingerMs: 5\n", "lingerMs: " + LINGER.toMillis() + "\n"));
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.ROUTES, routes.path().toString());
      try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"));
          TopicReader kept =
              TopicReader.of(
                  kafka.bootstrapServers(), settings.commandsTopic() + "-call-contexts");
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        SimulatedCall before = asterisk.call(APP);
        controller.await(record -> isOf(record, "STASIS_START", before));
        kept.await(record -> record.key().contains(before.id()));

        SimulatedCall call = asterisk.call(APP);
        before.hangup();
        asterisk.websocket(APP).ping("read that").awaitAnswered();
        giveTimeToKeep(kept, call);
        proxy.kill();
        assertThat(controller.events()).as("told so far").hasSize(1);
        proxy.start();

        controller.await(record -> isOf(record, "STASIS_START", call));
        controller.await(record -> isOf(record, "STASIS_END", before));
      }
    }
  }

  /** It is not kept yet, if all is well. */
  private static void giveTimeToKeep(TopicReader kept, SimulatedCall call) {
    try {
      kept.await(1, record -> record.key().contains(call.id()), TIME_TO_KEEP);
    } catch (AssertionError e) {
      // it is well
    }
  }

  private static boolean isOf(TopicRecord record, String type, SimulatedCall call) {
    return record.json().path("type").asText().equals(type)
        && record.json().at("/payload/channel/id").asText().equals(call.id());
  }
}
