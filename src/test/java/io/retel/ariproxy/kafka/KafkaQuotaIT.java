// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Tests a broker that throttles its clients. */
class KafkaQuotaIT {

  private static final String APP = "throttled";

  /** Of throttling; minutes with {@code -Dtest.quota.seconds=180}. */
  private static final Duration THROTTLED =
      Duration.ofSeconds(Long.getLong("test.quota.seconds", 5));

  @Test
  @FullRun("seconds of throttling")
  void publishesAllEventsInOrderWhileThrottled() throws Exception {
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        InFlightLimiter inFlight =
            proxy
                .context()
                .getRegistry()
                .lookupByNameAndType("limitInFlight", InFlightLimiter.class);
        Flood flood = asterisk.flood(APP, 300, 50);
        controller.events(300);

        alterQuota(kafka, 30_000.0);
        long start = System.nanoTime();
        Awaitility.await("events wait")
            .until(
                () ->
                    System.nanoTime() - start > THROTTLED.toNanos()
                        && inFlight.inFlightBytes() > 1_000_000);
        String command = controller.send("call", "GET", "/asterisk/ping");
        alterQuota(kafka, null);

        controller.response(command).assertStatus(200);
        controller.assertPublishedOnceInOrder(flood);
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
        assertThat(asterisk.totalWebsocketCount()).isOne();
        Awaitility.await().until(() -> proxy.health("kafka").equals("UP"));
      }
    }
  }

  private static void alterQuota(KafkaBroker kafka, Double bytesPerSecond) throws Exception {
    try (Admin admin =
        Admin.create(
            Map.<String, Object>of(
                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()))) {
      // the default of all client ids
      Map<String, String> clients = new HashMap<>();
      clients.put(ClientQuotaEntity.CLIENT_ID, null);
      admin
          .alterClientQuotas(
              List.of(
                  new ClientQuotaAlteration(
                      new ClientQuotaEntity(clients),
                      List.of(new ClientQuotaAlteration.Op("producer_byte_rate", bytesPerSecond)))))
          .all()
          .get();
    }
  }
}
