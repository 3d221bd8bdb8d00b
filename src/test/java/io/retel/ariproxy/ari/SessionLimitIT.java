// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.net.Socket;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A real Asterisk with fewer HTTP sessions than concurrent commands. */
@ExtendWith(KafkaExtension.class)
class SessionLimitIT {

  private static final String APP = "session-limit";
  private static final int CALLS = 100;

  @Test
  @FullRun("waits for timeouts of requests to Asterisk")
  void refusedConnectionCarriesNoCommand(KafkaBroker kafka) {
    refusedConnectionCarriesNoCommand("sid", kafka);
  }

  @Test
  @FullRun("the same on Asterisk 16")
  @Tag(FullRun.ON_DEMAND)
  void refusedConnectionCarriesNoCommandOnAsterisk16(KafkaBroker kafka) {
    refusedConnectionCarriesNoCommand("bullseye", kafka);
  }

  private void refusedConnectionCarriesNoCommand(String suite, KafkaBroker kafka) {
    try (RealAsterisk asterisk = RealAsterisk.startWithSessionLimit(suite, 4)) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              // a slow machine must not look like a hung Asterisk
              .with(Setting.ARI_RESPONSE_TIMEOUT, "5m")
              .with(Setting.CALLCONTEXT_STORE_TIMEOUT, "5m");
      try (CapturedLog log = new CapturedLog();
          EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();
        List<String> commands = new ArrayList<>();
        for (int call = 0; call < CALLS; call++) {
          commands.add(
              controller.send(
                  "call-" + call, "POST", "/channels?endpoint=Local/3000@default&app=" + APP));
        }
        List<Response> responses = commands.stream().map(controller::response).toList();

        assertThat(proxy.counter("ari-proxy.connections.refused")).isPositive();
        assertThat(responses)
            .filteredOn(response -> response.status() != 200)
            .allSatisfy(
                response -> {
                  response.assertStatus(503);
                  assertThat(response.outcome()).isEqualTo("not_sent");
                  assertThat(response.message()).contains("sessionlimit");
                });
        // without those that still ping or are refused; the websocket is another session
        assertThat(log.lines(Level.WARN))
            .filteredOn(line -> line.startsWith("Asterisk refused a connection"))
            .first()
            .asString()
            .matches("Asterisk refused a connection: [0-3] in use for requests; .*");
        long executed = responses.stream().filter(response -> response.status() == 200).count();
        assertThat(executed).isPositive();
        await("each executed command, and no other, has created a channel")
            .untilAsserted(
                () ->
                    assertThat(
                            controller.events().stream()
                                .filter(event -> event.type().equals("STASIS_START")))
                        .hasSize((int) executed));
      }
    }
  }

  /** If Asterisk no longer does this, the ping on each new connection is not needed. */
  @Test
  void asteriskAcceptsConnectionAboveLimitAndClosesItUnread() throws Exception {
    asteriskAcceptsConnectionAboveLimitAndClosesItUnread("sid");
  }

  @Test
  @FullRun("the same on Asterisk 16")
  void asteriskAcceptsConnectionAboveLimitAndClosesItUnreadOnAsterisk16() throws Exception {
    asteriskAcceptsConnectionAboveLimitAndClosesItUnread("bullseye");
  }

  private void asteriskAcceptsConnectionAboveLimitAndClosesItUnread(String suite) throws Exception {
    try (RealAsterisk asterisk = RealAsterisk.startWithSessionLimit(suite, 1)) {
      URI url = URI.create(asterisk.url());
      // the session of the script's request can still be open
      await()
          .ignoreExceptions()
          .until(() -> asterisk.request("GET", "/asterisk/ping").contains("pong"));
      await()
          .untilAsserted(
              () -> {
                try (Socket first = new Socket(url.getHost(), url.getPort());
                    Socket second = new Socket(url.getHost(), url.getPort())) {
                  first.setSoTimeout(500);
                  second.setSoTimeout(5_000);
                  assertThat(second.getInputStream().read()).isEqualTo(-1);
                }
              });
    }
  }
}
