// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests a proxy while a real Asterisk rejects its login. */
class RejectedLoginIT {

  private static final String APP = "rejected-login";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"sid", "bullseye"})
  @FullRun("waits for retries of the websocket")
  void waitsForPassword(String suite) throws IOException {
    Path log = folder.resolve("proxy.log");
    RealAsterisk asterisk = fixture.startRealAsterisk(suite);
    asterisk.setPassword("another");
    int port = ManagementClient.freePort();
    fixture.settings().with(Setting.MANAGEMENT_PORT, Integer.toString(port));
    ProxyProcess proxy = fixture.register(ProxyProcess.start(fixture.settings(), log));
    ManagementClient management = fixture.register(new ManagementClient(port));
    Controller controller = fixture.controller();

    assertNotSent(create(controller, "first"));
    Awaitility.await("websocket rejected")
        .until(() -> management.get("/health").body().contains("websocket upgrade with 401"));

    asterisk.setPassword(RealAsterisk.PASSWORD);
    controller.awaitApplication();
    create(controller, "first").assertStatus(200);

    // the websocket stays open
    asterisk.setPassword("another");
    assertNotSent(create(controller, "second"));
    asterisk.originateCall("ctx-call-" + suite + "~" + APP);
    controller.event("call-" + suite, "STASIS_START");

    asterisk.setPassword(RealAsterisk.PASSWORD);
    create(controller, "second").assertStatus(200);
    assertThat(proxy.isAlive()).isTrue();
    assertThat(Files.readAllLines(log))
        .filteredOn(line -> line.contains("websocket upgrade with 401"))
        .hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"sid", "bullseye"})
  @FullRun("AriLoginTest and AhcWsConsumerPasswordTest test the parts")
  void usesReplacedPasswordWithCallsUp(String suite) throws IOException {
    String callContext = "rotated-" + suite;
    Path passwordFile = Files.writeString(folder.resolve("password"), RealAsterisk.PASSWORD);
    RealAsterisk asterisk = fixture.startRealAsterisk(suite);
    fixture
        .settings()
        .with(Setting.ARI_PASSWORD, "")
        .withSecretFile(Setting.ARI_PASSWORD, passwordFile);
    try (CapturedLog log = new CapturedLog()) {
      EmbeddedProxy proxy = fixture.startProxy();
      Controller controller = fixture.controller();
      asterisk.originateCall("ctx-" + callContext + "~" + APP);
      String channel = controller.event(callContext, "STASIS_START").channelId();

      asterisk.setPassword("another");
      Files.writeString(passwordFile, "another\n");

      // sent again until the file has been read
      controller.execute(callContext, "POST", "/channels/" + channel + "/answer").assertStatus(204);
      awaitConnections(log, 1);
      proxy.managedBean("Websocket").invoke("reconnect");
      awaitConnections(log, 2);
      controller.execute(callContext, "DELETE", "/channels/" + channel).assertStatus(204);
      controller.event(callContext, "STASIS_END");
      assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
    }
  }

  private static void awaitConnections(CapturedLog log, int count) {
    Awaitility.await(count + " connections")
        .until(
            () ->
                log.lines(Level.INFO).stream()
                        .filter(line -> line.startsWith("Connected to ws"))
                        .count()
                    == count);
  }

  /** Sends the same command each time. */
  private static Response create(Controller controller, String bridge) {
    int before = controller.responses().size();
    controller.sendRaw(
        bridge,
        """
        {"callContext": "%1$s", "commandId": "%1$s",
         "ariCommand": {"method": "POST", "url": "/bridges/%1$s"}}
        """
            .formatted(bridge)
            .getBytes(StandardCharsets.UTF_8));
    return Awaitility.await("RESPONSE for " + bridge)
        .until(
            () ->
                controller.responses().stream()
                    .skip(before)
                    .filter(response -> bridge.equals(response.commandId()))
                    .findFirst()
                    .orElse(null),
            response -> response != null);
  }

  private static void assertNotSent(Response response) {
    response.assertStatus(503);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(response.message()).contains("login", "401", "ari.password");
  }
}
