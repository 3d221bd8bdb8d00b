package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import io.retel.ariproxy.fixtures.store.RedisServer;
import io.retel.ariproxy.settings.Setting;
import java.util.Map;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a store that is slow or absent holds up, and what it does not. */
@ExtendWith(KafkaExtension.class)
class StoreAwayIT {

  private static final String APP = "without-store";

  @Test
  void aStoreThatIsGoneHoldsUpNothingButWhatIsCreated(KafkaBroker kafka) {
    holdsUpNothingButWhatIsCreated(kafka, RedisServer::stop, RedisServer::start);
  }

  @Test
  void aStoreThatHangsHoldsUpNothingButWhatIsCreated(KafkaBroker kafka) {
    holdsUpNothingButWhatIsCreated(kafka, RedisServer::hang, RedisServer::goOn);
  }

  private static void holdsUpNothingButWhatIsCreated(
      KafkaBroker kafka, Consumer<RedisServer> leave, Consumer<RedisServer> comeBack) {
    try (RedisServer redis = RedisServer.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = settings(asterisk, kafka, redis);
      try (Controller controller = new Controller(settings, kafka)) {
        try (RunningProxy proxy = RunningProxy.start(settings)) {
          asterisk.awaitConnected(APP);
          SimulatedCall known = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "known"));
          controller.event("known", "STASIS_START", payload -> true);

          leave.accept(redis);

          JsonNode refused = controller.ask("new", "POST", "/bridges/b");
          assertThat(refused.path("status_code").asInt()).isEqualTo(503);
          assertThat(refused.at("/body/outcome").asText()).isEqualTo("not_sent");
          assertThat(refused.at("/body/message").asText()).contains("call-context store");
          assertThat(asterisk.requestCount("POST", "/bridges/b")).isZero();
          known.dtmf("1");
          controller.event("known", "CHANNEL_DTMF_RECEIVED", payload -> true);
          asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "while it was away"));
          controller.event("while it was away", "STASIS_START", payload -> true);
          assertThat(status(controller, "known", "POST", "/channels/" + known.id() + "/answer"))
              .isEqualTo(204);
          assertThat(proxy.health("call-context-store"))
              .startsWith("DOWN: The call-context store cannot be written");
          assertThat(proxy.count("ari-proxy.persistence.write.errors")).isPositive();

          comeBack.accept(redis);

          Awaitility.await("the store is back")
              .until(() -> proxy.health("call-context-store").equals("UP"));
          assertThat(status(controller, "new", "POST", "/bridges/b")).isEqualTo(200);
        }
        try (RunningProxy next = RunningProxy.start(settings)) {
          asterisk.awaitConnected(APP);
          controller.event("while it was away", "ARI_CONNECTION_RESTORED", payload -> true);
          controller.event("new", "ARI_CONNECTION_RESTORED", payload -> true);
          assertThat(next.count("ari-proxy.events.unmapped")).isZero();
        }
      }
    }
  }

  @Test
  void aStoreThatIsAwayAtTheStartIsNoEmptyStore(KafkaBroker kafka) {
    try (RedisServer redis = RedisServer.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = settings(asterisk, kafka, redis);
      try (Controller controller = new Controller(settings, kafka)) {
        try (RunningProxy before = RunningProxy.start(settings)) {
          asterisk.awaitConnected(APP);
          assertThat(status(controller, "call", "POST", "/bridges/b")).isEqualTo(200);
        }
        redis.stop();
        int websockets = asterisk.websocketsTotal();
        try (RunningProxy after = RunningProxy.start(settings)) {
          Awaitility.await("it waits")
              .until(() -> after.count("ari-proxy.persistence.read.errors") > 1);
          assertThat(after.health("preparation")).startsWith("DOWN");
          assertThat(after.health("call-context-store"))
              .startsWith("DOWN: The call-context store cannot be read");
          assertThat(asterisk.websocketsTotal()).isEqualTo(websockets);

          redis.start();

          controller.event("call", "ARI_CONNECTION_RESTORED", payload -> true);
          assertThat(after.health("call-context-store")).isEqualTo("UP");
        }
      }
    }
  }

  private static ProxySettings settings(
      SimulatedAsterisk asterisk, KafkaBroker kafka, RedisServer redis) {
    return ProxySettings.of(asterisk, APP, kafka)
        .with(Setting.CALLCONTEXT_STORE, "redis")
        .with(Setting.CALLCONTEXT_STORE_TIMEOUT, "1000")
        .with(Setting.CALLCONTEXT_REDIS_URI, redis.uri(RedisServer.PASSWORD));
  }

  private static int status(Controller controller, String context, String method, String url) {
    return controller.ask(context, method, url).path("status_code").asInt();
  }
}
