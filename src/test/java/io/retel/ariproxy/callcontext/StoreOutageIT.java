// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.callcontext.store.RedisStoreProvider;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.fixtures.store.RedisServer;
import java.util.Map;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Tests which commands and events a slow or unavailable store blocks. */
@ExtendWith(KafkaExtension.class)
class StoreOutageIT {

  private static final String APP = "without-store";

  @Test
  void stoppedStoreBlocksOnlyCreatingCommands(KafkaBroker kafka) {
    assertOutageBlocksOnlyCreatingCommands(kafka, RedisServer::stop, RedisServer::start);
  }

  @Test
  void hangingStoreBlocksOnlyCreatingCommands(KafkaBroker kafka) {
    assertOutageBlocksOnlyCreatingCommands(kafka, RedisServer::hang, RedisServer::resume);
  }

  private static void assertOutageBlocksOnlyCreatingCommands(
      KafkaBroker kafka, Consumer<RedisServer> outage, Consumer<RedisServer> recovery) {
    try (RedisServer redis = RedisServer.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = settings(asterisk, kafka, redis);
      try (Controller controller = new Controller(settings, kafka)) {
        try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
          asterisk.awaitConnected(APP);
          SimulatedCall knownCall = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "known"));
          controller.event("known", "STASIS_START");

          outage.accept(redis);

          Response rejected = controller.execute("new", "POST", "/bridges/b").assertStatus(503);
          assertThat(rejected.outcome()).isEqualTo("not_sent");
          assertThat(rejected.message()).contains("call-context store");
          assertThat(asterisk.requestCount("POST", "/bridges/b")).isZero();
          knownCall.dtmf("1");
          controller.event("known", "CHANNEL_DTMF_RECEIVED");
          asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "during the outage"));
          controller.event("during the outage", "STASIS_START");
          controller
              .execute("known", "POST", "/channels/" + knownCall.id() + "/answer")
              .assertStatus(204);
          assertThat(proxy.health("call-context-store"))
              .startsWith("DOWN: The call-context store cannot be written");
          assertThat(proxy.counter("ari-proxy.persistence.write.errors")).isPositive();

          recovery.accept(redis);

          Awaitility.await("store available")
              .until(() -> proxy.health("call-context-store").equals("UP"));
          controller.execute("new", "POST", "/bridges/b").assertStatus(200);
        }
        try (EmbeddedProxy nextProxy = EmbeddedProxy.start(settings)) {
          asterisk.awaitConnected(APP);
          controller.event("during the outage", "ARI_CONNECTION_RESTORED");
          controller.event("new", "ARI_CONNECTION_RESTORED");
          assertThat(nextProxy.counter("ari-proxy.events.unmapped")).isZero();
        }
      }
    }
  }

  @Test
  void waitsForUnavailableStoreAtStartup(KafkaBroker kafka) {
    try (RedisServer redis = RedisServer.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = settings(asterisk, kafka, redis);
      try (Controller controller = new Controller(settings, kafka)) {
        try (EmbeddedProxy firstProxy = EmbeddedProxy.start(settings)) {
          asterisk.awaitConnected(APP);
          controller.execute("call", "POST", "/bridges/b").assertStatus(200);
        }
        redis.stop();
        int websockets = asterisk.totalWebsocketCount();
        try (EmbeddedProxy secondProxy = EmbeddedProxy.start(settings)) {
          Awaitility.await("retries reading")
              .until(() -> secondProxy.counter("ari-proxy.persistence.read.errors") > 1);
          assertThat(secondProxy.health("startup")).startsWith("DOWN");
          assertThat(secondProxy.health("call-context-store"))
              .startsWith("DOWN: The call-context store cannot be read");
          assertThat(asterisk.totalWebsocketCount()).isEqualTo(websockets);

          redis.start();

          controller.event("call", "ARI_CONNECTION_RESTORED");
          assertThat(secondProxy.health("call-context-store")).isEqualTo("UP");
        }
      }
    }
  }

  private static ProxySettings settings(
      SimulatedAsterisk asterisk, KafkaBroker kafka, RedisServer redis) {
    return ProxySettings.of(asterisk, APP, kafka)
        .with(Setting.CALLCONTEXT_STORE, "redis")
        .with(Setting.CALLCONTEXT_STORE_TIMEOUT, "1000ms")
        .with(RedisStoreProvider.URI, redis.uri(RedisServer.PASSWORD));
  }
}
