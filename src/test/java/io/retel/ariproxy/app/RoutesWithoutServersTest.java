// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.camel.ServiceStatus;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With the settings of a running proxy, whose place a connection would take. */
class RoutesWithoutServersTest {

  /** Longer than a route policy waits before it starts a route. */
  private static final Duration OBSERVED = Duration.ofSeconds(1);

  @AutoClose private final ServerSocket kafka = listen();
  @AutoClose private final ServerSocket asterisk = listen();
  @TempDir private Path folder;

  RoutesWithoutServersTest() throws IOException {}

  @Test
  void connectsToNoServer() throws IOException {
    for (Path file : RoutesUnderTest.routeFiles()) {
      Files.copy(file, folder.resolve(file.getFileName()));
    }
    for (String name : new String[] {"webhook", "scheduled-command", "event-topics"}) {
      Path example = Path.of("examples", "routes", name + ".camel.yaml");
      Files.copy(example, folder.resolve(example.getFileName()));
    }
    Files.writeString(
        folder.resolve("literal.camel.yaml"),
        """
        - route:
            id: literal
            from:
              uri: timer:t?period=100
              steps:
                - to: kafka:x?brokers=127.0.0.1:%d
        """
            .formatted(kafka.getLocalPort()));
    Settings settings =
        RoutesUnderTest.settings(
            Map.of(
                Setting.KAFKA_BROKERS,
                "127.0.0.1:" + kafka.getLocalPort(),
                Setting.KAFKA_GENERIC_COMMANDS_TOPIC,
                "generic-commands",
                Setting.ARI_URL,
                "http://127.0.0.1:" + asterisk.getLocalPort() + "/ari"));
    try (RoutesWithoutServers routes =
        new RoutesWithoutServers(Path.of("no file"), settings, folder, context -> {})) {
      assertThat(routes.results()).isNotEmpty().allMatch(result -> result.loads());
      Awaitility.await()
          .during(OBSERVED)
          .until(() -> !isConnected(kafka) && !isConnected(asterisk));
      assertThat(routes.context().getRoutes())
          .extracting(
              route -> routes.context().getRouteController().getRouteStatus(route.getRouteId()))
          .isNotEmpty()
          .doesNotContain(ServiceStatus.Started, ServiceStatus.Starting);
    }
    assertThat(isConnected(kafka)).isFalse();
    assertThat(isConnected(asterisk)).isFalse();
  }

  private static ServerSocket listen() throws IOException {
    ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    socket.setSoTimeout(1);
    return socket;
  }

  private static boolean isConnected(ServerSocket server) throws IOException {
    try {
      server.accept().close();
      return true;
    } catch (SocketTimeoutException e) {
      return false;
    }
  }
}
