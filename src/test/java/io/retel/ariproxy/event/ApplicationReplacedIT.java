// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.AriProxy;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests that the proxy exits when another client replaces it as the Stasis application's websocket
 * (docs/contract.md#outages).
 */
@ExtendWith(KafkaExtension.class)
class ApplicationReplacedIT {

  private static final String APP = "ari-proxy-replaced";

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"sid", "bullseye"})
  void exitsWithReplacedCodeWithoutReconnecting(String suite, KafkaBroker kafka)
      throws IOException {
    Path log = folder.resolve("proxy.log");
    try (RealAsterisk asterisk = RealAsterisk.start(suite)) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (ProxyProcess first = ProxyProcess.start(settings, log);
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();
        asterisk.originateCall("ctx-before-" + suite + "~" + APP);
        controller.event("before-" + suite, "STASIS_START");

        ProxySettings secondSettings = ProxySettings.of(asterisk, APP, kafka);
        try (EmbeddedProxy second = EmbeddedProxy.start(secondSettings);
            Controller secondController = new Controller(secondSettings, kafka)) {
          assertThat(first.awaitEnd()).isEqualTo(AriProxy.EXIT_REPLACED);

          asterisk.originateCall("ctx-after-" + suite + "~" + APP);
          secondController.event("after-" + suite, "STASIS_START");
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
}
