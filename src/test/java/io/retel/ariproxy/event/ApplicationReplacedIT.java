// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.atIndex;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.AriProxy;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ManagedBean;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that the proxy exits when another client replaces it as the Stasis application's websocket
 * (docs/contract.md#outages).
 */
@ExtendWith(KafkaExtension.class)
class ApplicationReplacedIT {

  private static final String APP = "ari-proxy-replaced";
  private static final String OTHER_APP = "ari-proxy-taken-over";

  @TempDir private Path folder;

  /** The other test replaces the last application of both versions. */
  @Test
  @FullRun("continuesWithItsOtherApplication ends with the same exit")
  void exitsWithReplacedCodeWithoutReconnecting(KafkaBroker kafka) throws IOException {
    Path log = folder.resolve("proxy.log");
    try (RealAsterisk asterisk = RealAsterisk.start("sid")) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (ProxyProcess first = ProxyProcess.start(settings, log);
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();
        asterisk.originateCall("ctx-before~" + APP);
        controller.event("before", "STASIS_START");

        ProxySettings secondSettings = ProxySettings.of(asterisk, APP, kafka);
        try (EmbeddedProxy second = EmbeddedProxy.start(secondSettings);
            Controller secondController = new Controller(secondSettings, kafka)) {
          assertThat(first.awaitEnd()).isEqualTo(AriProxy.EXIT_REPLACED);

          asterisk.originateCall("ctx-after~" + APP);
          secondController.event("after", "STASIS_START");
        }
        assertThat(Files.readAllLines(log))
            .filteredOn(line -> line.contains("ERROR"))
            .singleElement()
            .asString()
            .contains(APP, asterisk.url(), "Stop the second ari-proxy");
        assertThat(controller.events())
            .extracting(EventEnvelope::type)
            .doesNotContain("APPLICATION_REPLACED");
      }
    }
  }

  @Test
  void continuesWithItsOtherApplication(KafkaBroker kafka) throws IOException {
    continuesWithItsOtherApplication("sid", kafka);
  }

  @Test
  @FullRun("the same on Asterisk 16")
  void continuesWithItsOtherApplicationOnAsterisk16(KafkaBroker kafka) throws IOException {
    continuesWithItsOtherApplication("bullseye", kafka);
  }

  private void continuesWithItsOtherApplication(String suite, KafkaBroker kafka)
      throws IOException {
    Path log = folder.resolve("proxy.log");
    int port = ManagementClient.freePort();
    try (RealAsterisk asterisk = RealAsterisk.start(suite)) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP + "," + OTHER_APP, kafka)
              .with(Setting.MANAGEMENT_PORT, Integer.toString(port))
              .with(Setting.MANAGEMENT_JOLOKIA, "true");
      try (ProxyProcess first = ProxyProcess.start(settings, log);
          ManagementClient management = new ManagementClient(port);
          Controller controller = new Controller(settings, kafka)) {
        Awaitility.await("applications registered")
            .until(
                () ->
                    controller.execute("setup", "GET", "/applications/" + OTHER_APP).status()
                        == 200);
        asterisk.originateCall("ctx-kept~" + APP);
        asterisk.originateCall("ctx-lost~" + OTHER_APP);
        controller.event("kept", "STASIS_START");
        String lostChannel = controller.event("lost", "STASIS_START").channelId();
        String local = "/channels/local-" + suite;
        controller
            .execute("local", "POST", local + "?endpoint=Local/3001@default&app=" + OTHER_APP)
            .assertStatus(200);
        controller.event("local", "STASIS_START");

        ProxySettings otherSettings = ProxySettings.of(asterisk, OTHER_APP, kafka);
        try (EmbeddedProxy other = EmbeddedProxy.start(otherSettings);
            Controller otherController = new Controller(otherSettings, kafka)) {
          otherController.awaitApplication();
          Awaitility.await("loss noticed").until(() -> lostApplications(management) == 1);
          assertThat(management.get("/observe/health/ready"))
              .satisfies(
                  response -> {
                    assertThat(response.status()).isEqualTo(200);
                    assertThat(response.body())
                        .contains("has taken over the Stasis application " + OTHER_APP);
                  });
          asterisk.originateCall("ctx-own~" + APP);
          controller.event("own", "STASIS_START");
          String answer = "/channels/" + lostChannel + "/answer";
          controller.execute("lost", "POST", answer).assertStatus(409);
          controller.execute("lost", "GET", "/channels/" + lostChannel).assertStatus(200);
          controller
              .execute("new", "POST", "/channels?endpoint=Local/3000@default&app=" + OTHER_APP)
              .assertStatus(409);

          // a reconnect leaves the application to the other client
          invoke(management, "reconnect", "");
          controller.event("kept", "ARI_CONNECTION_RESTORED");
          asterisk.originateCall("ctx-foreign~" + OTHER_APP);
          otherController.event("foreign", "STASIS_START");
          assertThat(lostApplications(management)).isOne();
          assertThat(controller.events())
              .filteredOn(event -> "lost".equals(event.key()))
              .extracting(EventEnvelope::type)
              .doesNotContain("ARI_CONNECTION_RESTORED", "STASIS_END");

          asterisk.request("DELETE", local);
          asterisk.await(local, channel -> channel.has("message"));

          invoke(management, "reclaim", '"' + OTHER_APP + '"');
          controller.event(
              "lost", "ARI_CONNECTION_RESTORED", ApplicationReplacedIT::isOfOtherApplication);
          // the second leg has been in no application
          controller.event(
              "local",
              "CHANNEL_DESTROYED",
              event -> event.isOfChannel("local-" + suite + ";2") && isOfOtherApplication(event));
          controller.event("foreign", "STASIS_START", EventEnvelope::isSynthetic);
          controller.execute("lost", "POST", answer).assertStatus(204);
          assertThat(lostApplications(management)).isZero();
        }

        ProxySettings lastSettings = ProxySettings.of(asterisk, APP + "," + OTHER_APP, kafka);
        try (EmbeddedProxy last = EmbeddedProxy.start(lastSettings)) {
          assertThat(first.awaitEnd()).isEqualTo(AriProxy.EXIT_REPLACED);
        }
        assertThat(Files.readAllLines(log))
            .filteredOn(line -> line.contains("ERROR ReplacementListener"))
            .hasSize(3)
            .satisfies(
                line -> assertThat(line).contains(OTHER_APP + "; continuing with " + APP),
                atIndex(0))
            .satisfies(line -> assertThat(line).contains("; continuing with "), atIndex(1))
            .satisfies(line -> assertThat(line).contains("; stopping"), atIndex(2));
      }
    }
  }

  @Test
  @FullRun("freezes Asterisk; faster: AhcWsHostileServerTest, ReplacementListenerTest")
  void continuesAfterAsteriskHasFrozen(KafkaBroker kafka) {
    continuesAfterAsteriskHasFrozen("sid", kafka);
  }

  @Test
  @FullRun("the same on Asterisk 16")
  @Tag(FullRun.ON_DEMAND)
  void continuesAfterAsteriskHasFrozenOnAsterisk16(KafkaBroker kafka) {
    continuesAfterAsteriskHasFrozen("bullseye", kafka);
  }

  /**
   * Asterisk executes the upgrades that had timed out, in any order: the latest websocket gets
   * ApplicationReplaced in more than half of the rounds.
   */
  private void continuesAfterAsteriskHasFrozen(String suite, KafkaBroker kafka) {
    try (RealAsterisk asterisk = RealAsterisk.start(suite)) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (CapturedLog log = new CapturedLog();
          EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();
        ManagedBean websocket = proxy.managedBean("Websocket");
        boolean displaced = false;
        for (int round = 0; round < 15 && !displaced; round++) {
          int timeouts = round + 1;
          asterisk.freeze();
          websocket.invoke("reconnect");
          Awaitility.await("upgrade timed out")
              .until(() -> count(log, "Request timeout") == timeouts);
          // two others, of which the last is in progress
          websocket.invoke("reconnect");
          sleep(Duration.ofSeconds(6));
          websocket.invoke("reconnect");
          sleep(Duration.ofMillis(500));
          asterisk.resume();

          String call = "round-" + round;
          Awaitility.await("calls continue")
              .pollInterval(Duration.ofSeconds(1))
              .until(
                  () -> {
                    asterisk.originateCall("ctx-" + call + "~" + APP);
                    return controller.events().stream().anyMatch(e -> call.equals(e.key()));
                  });
          displaced = count(log, "had not answered in time has taken over") > 0;
        }
        assertThat(displaced).isTrue();
        assertThat(log.lines(Level.ERROR)).isEmpty();
      }
    }
  }

  private static long count(CapturedLog log, String text) {
    return log.lines(Level.WARN).stream().filter(line -> line.contains(text)).count();
  }

  private static void sleep(Duration duration) {
    Awaitility.await().pollDelay(duration).until(() -> true);
  }

  private static boolean isOfOtherApplication(EventEnvelope event) {
    return event.isSynthetic() && event.payload().path("application").asText().equals(OTHER_APP);
  }

  private static double lostApplications(ManagementClient management) {
    return management.metric("ari_proxy_applications_lost");
  }

  private static void invoke(ManagementClient management, String operation, String argument) {
    assertThat(
            management
                .post(
                    "/observe/jolokia",
                    """
                    {"type": "exec", "mbean": "io.retel.ariproxy:context=ari-proxy,type=Websocket",
                     "operation": "%s", "arguments": [%s]}"""
                        .formatted(operation, argument))
                .json()
                .path("status")
                .asInt())
        .isEqualTo(200);
  }
}
