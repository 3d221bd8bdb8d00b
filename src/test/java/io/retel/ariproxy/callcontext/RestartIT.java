// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.callcontext.store.CassandraStoreProvider;
import io.retel.ariproxy.callcontext.store.JdbcStoreProvider;
import io.retel.ariproxy.callcontext.store.RedisStoreProvider;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.store.CassandraServer;
import io.retel.ariproxy.fixtures.store.PostgresServer;
import io.retel.ariproxy.fixtures.store.RedisServer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tests a proxy that is killed with kill -9 during calls and started again. */
@ExtendWith(KafkaExtension.class)
class RestartIT {

  private static final String APP = "ari-proxy-restart";

  @TempDir private Path folder;

  @Test
  void restoresCallsFromKafka(KafkaBroker kafka) {
    assertRestoresCalls(kafka, "kafka", Map.of());
  }

  @Test
  @FullRun("starts and kills a process with a real Asterisk, for each store")
  void restoresCallsFromRedis(KafkaBroker kafka) {
    try (RedisServer redis = RedisServer.launch()) {
      assertRestoresCalls(
          kafka, "redis", Map.of(RedisStoreProvider.URI, redis.uri(RedisServer.PASSWORD)));
    }
  }

  @Test
  void restoresCallsFromSqlite(KafkaBroker kafka) {
    assertRestoresCalls(
        kafka,
        "jdbc",
        Map.of(JdbcStoreProvider.URL, "jdbc:sqlite:" + folder.resolve("call-contexts.db")));
  }

  @Test
  @FullRun("starts and kills a process with a real Asterisk, for each store")
  void restoresCallsFromPostgresql(KafkaBroker kafka) {
    try (PostgresServer postgres = PostgresServer.launch()) {
      assertRestoresCalls(
          kafka,
          "jdbc",
          Map.of(
              JdbcStoreProvider.URL, postgres.url(),
              JdbcStoreProvider.USERNAME, PostgresServer.USERNAME,
              JdbcStoreProvider.PASSWORD, PostgresServer.PASSWORD));
    }
  }

  @Test
  @FullRun("Cassandra is slow to start")
  void restoresCallsFromCassandra(KafkaBroker kafka) {
    try (CassandraServer cassandra = CassandraServer.launch()) {
      cassandra.execute(
          "CREATE KEYSPACE calls WITH replication ="
              + " {'class': 'SimpleStrategy', 'replication_factor': 1}");
      assertRestoresCalls(
          kafka,
          "cassandra",
          Map.of(
              CassandraStoreProvider.HOSTS,
              cassandra.hosts(),
              CassandraStoreProvider.KEYSPACE,
              "calls",
              CassandraStoreProvider.USERNAME,
              CassandraServer.USERNAME,
              CassandraStoreProvider.PASSWORD,
              CassandraServer.PASSWORD));
    }
  }

  /** Only call contexts set by commands are lost in this case (docs/contract.md#mapping). */
  @Test
  void recoversDialplanCallsWithoutStore(KafkaBroker kafka) {
    try (RealAsterisk asterisk = RealAsterisk.start("sid")) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.CALLCONTEXT_STORE, "memory");
      try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"));
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();
        EventEnvelope generated = startCallWithGeneratedContext(asterisk, controller);
        asterisk.originateCall("ctx-given~" + APP);
        EventEnvelope given = controller.event("given", "STASIS_START");

        proxy.kill();
        proxy.start();

        for (EventEnvelope start : List.of(generated, given)) {
          String channel = start.channelId();
          // without a store, it is unknown that its start was published
          controller.event(
              start.key(),
              "STASIS_START",
              event -> event.isOfChannel(channel) && event.isSynthetic());
          controller.execute(start.key(), "DELETE", "/channels/" + channel);
          controller.event(start.key(), "STASIS_END");
        }
        assertThat(controller.unmapped()).isEmpty();
      }
    }
  }

  /**
   * Restores the hardest case: a channel and a bridge whose call context only commands have set.
   */
  private void assertRestoresCalls(
      KafkaBroker kafka, String storeType, Map<Setting<?>, String> storeSettings) {
    try (RealAsterisk asterisk = RealAsterisk.start("sid")) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.CALLCONTEXT_STORE, storeType);
      storeSettings.forEach(settings::with);
      try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"));
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();
        String generatedContext = startCallWithGeneratedContext(asterisk, controller).key();
        controller.execute(
            "made",
            "POST",
            "/channels?endpoint=Local/3000@default&app=" + APP + "&channelId=channel-" + storeType);
        controller.event("made", "STASIS_START");
        controller.execute("made", "POST", "/bridges/bridge-" + storeType);

        controller.awaitCommitted();
        proxy.kill();
        proxy.start();

        controller.event("made", "ARI_CONNECTION_RESTORED");
        controller.event(generatedContext, "ARI_CONNECTION_RESTORED");
        controller.execute(
            "made",
            "POST",
            "/bridges/bridge-" + storeType + "/addChannel?channel=channel-" + storeType);
        controller.event("made", "CHANNEL_ENTERED_BRIDGE");
        controller.execute("made", "DELETE", "/channels/channel-" + storeType);
        controller.event("made", "STASIS_END");
        // the second leg has no StasisStart: only the store has its mapping
        controller.event(
            "made", "CHANNEL_DESTROYED", event -> event.isOfChannel("channel-" + storeType + ";2"));
        assertThat(controller.unmapped()).isEmpty();
      }
    }
  }

  private static EventEnvelope startCallWithGeneratedContext(
      RealAsterisk asterisk, Controller controller) {
    asterisk.originateCall("app-" + APP);
    return controller.awaitEvent(event -> event.hasType("STASIS_START"));
  }
}
