// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * A name with an IPv4 and an IPv6 address, as {@code localhost} has on most hosts: while Asterisk
 * is down, another user can listen at the one that Asterisk does not use.
 */
@ExtendWith(KafkaExtension.class)
class SecondAddressIT {

  private static final String APP = "second-address";
  private static final String NAME = "pbx";

  @TempDir private Path folder;

  @Test
  @FullRun("waits for attempts to connect")
  void connectsToNoAddressOfAnotherFamily(KafkaBroker kafka) throws IOException {
    Path hosts =
        Files.writeString(
            folder.resolve("hosts"),
            "127.0.0.1 localhost\n127.0.0.1 %1$s\n::1 %1$s\n".formatted(NAME));
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        ServerSocket other = new ServerSocket(asterisk.port(), 50, InetAddress.getByName("::1"))) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .withJvmOption("-Djdk.net.hosts.file=" + hosts)
              .with(Setting.ARI_URL, asterisk.url().replace("localhost", NAME));
      try (ProxyProcess proxy = ProxyProcess.start(settings, log);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);

        asterisk.killWhileIdle();
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(503);
        assertNoConnection(other);

        asterisk.restart();
        asterisk.awaitConnected(APP);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
        controller.event("call", "STASIS_START");
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        assertNoConnection(other);
        assertThat(proxy.isAlive()).isTrue();
        assertThat(Files.readString(log))
            .as("websocket")
            .containsPattern("and \\d+ failed attempt");
      }
    }
  }

  private static void assertNoConnection(ServerSocket server) throws IOException {
    server.setSoTimeout(1);
    assertThatThrownBy(server::accept).isInstanceOf(SocketTimeoutException.class);
  }
}
