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
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** More commands of one call than the proxy holds of all, each of which hangs. */
class CallThatHangsIT {

  private static final int MAX_IN_FLIGHT = 20;
  private static final int COMMANDS = 3 * MAX_IN_FLIGHT;

  @RegisterExtension
  private static final ProxyExtension FIXTURE = new ProxyExtension("call-that-hangs");

  @Test
  void leavesCommandsOfOtherCallsToThem() {
    SimulatedAsterisk asterisk = FIXTURE.startSimulatedAsterisk();
    FIXTURE
        .settings()
        .with(Setting.ARI_RESPONSE_TIMEOUT, "1s")
        .with(Setting.COMMANDS_MAX_IN_FLIGHT, Integer.toString(MAX_IN_FLIGHT));
    EmbeddedProxy proxy = FIXTURE.startProxy();
    Controller controller = FIXTURE.controller();
    controller.execute("first", "GET", "/asterisk/ping").assertStatus(200);
    Fault fault = asterisk.faults().hang(request -> request.uri().contains("/channels/stuck"));

    List<String> hanging =
        IntStream.range(0, COMMANDS)
            .mapToObj(i -> controller.send("stuck", "POST", "/channels/stuck/answer"))
            .toList();
    await("full")
        .untilAsserted(
            () ->
                assertThat(String.valueOf(proxy.healthDetail("commands", "fetching")))
                    .isEqualTo("paused, since the commands in flight reach their limit"));
    controller.execute("other", "GET", "/asterisk/ping").assertStatus(200);
    assertThat(fault.hits()).as("sent before the one of another call").isLessThan(COMMANDS / 4);
    fault.clear();

    List<Response> responses = hanging.stream().map(controller::response).toList();
    assertThat(responses).extracting(Response::status).contains(503, 504);
    assertThat(responses)
        .filteredOn(response -> response.status() == 503)
        .isNotEmpty()
        .allMatch(response -> response.outcome().equals("not_sent"))
        .allMatch(response -> response.toString().contains("earlier ones of its call hang"));
  }
}
