// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Operations that Asterisk does not answer for any call, while others succeed. */
class HangingCommandsIT {

  private static final String APP = "hanging";
  private static final int HANGING = 60;
  private static final String HEALTH = "commands";

  @RegisterExtension private static final ProxyExtension FIXTURE = new ProxyExtension(APP);

  private static SimulatedAsterisk asterisk;
  private static EmbeddedProxy proxy;
  private static Controller controller;

  @BeforeAll
  static void start() {
    asterisk = FIXTURE.startSimulatedAsterisk();
    FIXTURE.settings().with(Setting.ARI_RESPONSE_TIMEOUT, "60s");
    proxy = FIXTURE.startProxy();
    controller = FIXTURE.controller();
    controller.execute("first", "GET", "/asterisk/ping").assertStatus(200);
  }

  @AfterEach
  void clearFaults() {
    asterisk.faults().clear();
  }

  @Test
  void hangingOperationDelaysNoOther() {
    Fault fault = asterisk.faults().hang(request -> request.uri().contains("/channels/stuck"));
    List<String> hanging = new ArrayList<>();
    for (int call = 0; call < HANGING; call++) {
      hanging.add(controller.send("stuck-" + call, "POST", "/channels/stuck-" + call + "/answer"));
    }
    fault.awaitHits(32);

    List<String> others = new ArrayList<>();
    for (int call = 0; call < 20; call++) {
      others.add(controller.send("other-" + call, "GET", "/asterisk/ping"));
      others.add(controller.send("other-" + call, "DELETE", "/channels/other-" + call));
    }
    List<Response> responses = others.stream().map(controller::response).toList();

    assertThat(responses).extracting(Response::status).containsOnly(200, 404);
    // none waited for a response timeout, however slow the machine is
    assertThat(controller.responses()).noneMatch(each -> hanging.contains(each.commandId()));
    assertThat(fault.hits()).as("at most two thirds of 48").isEqualTo(32);

    await("health detail")
        .untilAsserted(
            () ->
                assertThat(String.valueOf(proxy.healthDetail(HEALTH, "hanging")))
                    .matches(
                        "POST /channels/\\{channelId}/answer \\(32 for up to [0-9.]+ s, 28 waiting\\)"));
    assertThat(proxy.health(HEALTH)).isEqualTo("UP");
    assertThat(proxy.gauge("ari-proxy.commands.hanging")).isEqualTo(32);

    fault.clear();
    hanging.forEach(controller::response);
  }

  @Test
  void hangingCommandsKeepOrderOfTheirCalls() {
    Fault fault = asterisk.faults().hang(request -> request.uri().contains("/answer"));
    List<String> commands = new ArrayList<>();
    for (int call = 0; call < 60; call++) {
      commands.add(controller.send("ordered-" + call, "POST", "/channels/o-" + call + "/answer"));
      commands.add(controller.send("ordered-" + call, "DELETE", "/channels/o-" + call));
    }
    fault.awaitHits(32);
    fault.clear();

    List<Long> offsets =
        commands.stream().map(id -> controller.response(id).record().offset()).toList();

    for (int call = 0; call < 60; call++) {
      assertThat(offsets.get(2 * call)).isLessThan(offsets.get(2 * call + 1));
      assertThat(
              asterisk.requests().stream()
                  .map(request -> request.method() + request.uri())
                  .filter(("DELETE/ari/channels/o-" + call)::equals))
          .hasSize(1);
    }
  }

  @Test
  void severalHangingOperationsDelayNoOther() {
    Fault fault = asterisk.faults().hang(request -> request.uri().contains("/channels/stuck"));
    List<String> hanging = new ArrayList<>();
    for (int call = 0; call < 20; call++) {
      String path = "/channels/stuck-several-" + call;
      Stream.of("/answer", "/ring", "/hold")
          .forEach(
              operation ->
                  hanging.add(controller.send(path + operation, "POST", path + operation)));
      hanging.add(controller.send(path, "DELETE", path));
    }
    fault.awaitHits(30);

    for (int call = 0; call < 10; call++) {
      controller.execute("free-" + call, "GET", "/asterisk/ping").assertStatus(200);
    }

    assertThat(controller.responses()).noneMatch(each -> hanging.contains(each.commandId()));
    fault.clear();
    hanging.forEach(controller::response);
  }
}
