// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills the proxy after the call-context topic, but not the events topic, could accept a write. The
 * two topics' brokers can fail at different times, so persisted mappings must never be ahead of
 * published events.
 */
@FullRun("waits for a long linger; ResyncIT kills a proxy that has published its events")
class KillBeforePublishIT {

  private static final String APP = "untold";

  /** time that an event waits in the batch before it is sent; it is in flight during that time */
  private static final Duration LINGER = Duration.ofSeconds(8);

  /**
   * a mapping that does not wait for its event is persisted within this time, usually immediately
   */
  private static final Duration PERSIST_TIMEOUT = Duration.ofSeconds(1);

  @TempDir private Path folder;

  @Test
  void nextProxyPublishesUnpublishedEvents() throws Exception {
    RoutesDirectory routes =
        RoutesDirectory.copyTo(Files.createDirectory(folder.resolve("routes")));
    routes.edit(
        "publish.camel.yaml",
        yaml -> yaml.replace("lingerMs: 5\n", "lingerMs: " + LINGER.toMillis() + "\n"));
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.ROUTES_DIRECTORY, routes.path().toString());
      try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"));
          TopicReader storedMappings =
              TopicReader.of(
                  kafka.bootstrapServers(), settings.commandsTopic() + "-call-contexts");
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        SimulatedCall earlierCall = asterisk.call(APP);
        controller.awaitEvent(event -> isEventOfCall(event, "STASIS_START", earlierCall));
        storedMappings.await(record -> record.key().contains(earlierCall.id()));

        SimulatedCall call = asterisk.call(APP);
        earlierCall.hangup();
        asterisk.websocketFaults(APP).ping("all events read").awaitPong();
        allowTimeToPersist(storedMappings, call);
        proxy.kill();
        assertThat(controller.events()).as("published so far").hasSize(1);
        proxy.start();

        controller.awaitEvent(event -> isEventOfCall(event, "STASIS_START", call));
        controller.awaitEvent(event -> isEventOfCall(event, "STASIS_END", earlierCall));
      }
    }
  }

  /** Waits for the mapping, which must not be persisted yet. */
  private static void allowTimeToPersist(TopicReader storedMappings, SimulatedCall call) {
    try {
      storedMappings.await(1, record -> record.key().contains(call.id()), PERSIST_TIMEOUT);
    } catch (AssertionError e) {
      // expected: not persisted
    }
  }

  private static boolean isEventOfCall(EventEnvelope event, String type, SimulatedCall call) {
    return event.hasType(type) && event.isOfChannel(call.id());
  }
}
