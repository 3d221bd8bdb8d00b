// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.callcontext.store.CassandraStoreProvider;
import io.retel.ariproxy.callcontext.store.JdbcStoreProvider;
import io.retel.ariproxy.callcontext.store.RedisStoreProvider;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import io.retel.ariproxy.fixtures.store.CassandraServer;
import io.retel.ariproxy.fixtures.store.PostgresServer;
import io.retel.ariproxy.fixtures.store.RedisServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Tests a proxy that is killed with kill -9 during calls and started again. */
class RestartIT {

  private static final String APP = "ari-proxy-restart";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @TempDir private Path folder;

  @Test
  void restoresCallsFromKafka() throws IOException {
    assertRestoresCalls("kafka", Map.of());
  }

  @Test
  @FullRun("starts and kills a process with a real Asterisk, for each store")
  void restoresCallsFromRedis() throws IOException {
    RedisServer redis = fixture.register(RedisServer.launch());
    assertRestoresCalls("redis", Map.of(RedisStoreProvider.URI, redis.uri(RedisServer.PASSWORD)));
  }

  @Test
  @FullRun("starts and kills a process with a real Asterisk, for each store")
  void restoresCallsFromSqlite() throws IOException {
    assertRestoresCalls(
        "jdbc", Map.of(JdbcStoreProvider.URL, "jdbc:sqlite:" + folder.resolve("call-contexts.db")));
  }

  @Test
  @FullRun("starts and kills a process with a real Asterisk, for each store")
  void restoresCallsFromPostgresql() throws IOException {
    PostgresServer postgres = fixture.register(PostgresServer.launch());
    assertRestoresCalls(
        "jdbc",
        Map.of(
            JdbcStoreProvider.URL, postgres.url(),
            JdbcStoreProvider.USERNAME, PostgresServer.USERNAME,
            JdbcStoreProvider.PASSWORD, PostgresServer.PASSWORD));
  }

  @Test
  @FullRun("Cassandra is slow to start")
  @Tag(FullRun.ON_DEMAND)
  void restoresCallsFromCassandra() throws IOException {
    CassandraServer cassandra = fixture.register(CassandraServer.launch());
    cassandra.execute(
        "CREATE KEYSPACE calls WITH replication ="
            + " {'class': 'SimpleStrategy', 'replication_factor': 1}");
    assertRestoresCalls(
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

  /** Only call contexts set by commands are lost in this case (docs/contract.md#mapping). */
  @Test
  void recoversDialplanCallsWithoutStore() {
    RealAsterisk asterisk = fixture.startRealAsterisk("sid");
    fixture.settings().with(Setting.CALLCONTEXT_STORE, "memory");
    ProxyProcess proxy = fixture.startProxyProcess(folder.resolve("proxy.log"));
    Controller controller = fixture.controller();
    EventEnvelope generated = startCallWithGeneratedContext(asterisk, controller);
    asterisk.originateLastingCall("ctx-given~" + APP);
    EventEnvelope given = answer(controller, controller.event("given", "STASIS_START"));

    proxy.kill();
    proxy.start();

    for (EventEnvelope start : List.of(generated, given)) {
      String channel = start.channelId();
      // without a store, it is unknown that its start was published
      controller.event(
          start.key(), "STASIS_START", event -> event.isOfChannel(channel) && event.isSynthetic());
      controller.execute(start.key(), "DELETE", "/channels/" + channel);
      controller.event(start.key(), "STASIS_END");
    }
    assertThat(controller.unmapped()).isEmpty();
  }

  /**
   * Restores the hardest case: a channel and a bridge whose call context only commands have set.
   * The restarted proxy consumes commands before the session of the killed one ends.
   */
  private void assertRestoresCalls(String storeType, Map<Setting<?>, String> storeSettings)
      throws IOException {
    RealAsterisk asterisk = fixture.startRealAsterisk("sid");
    RoutesDirectory routes =
        RoutesDirectory.copyTo(Files.createDirectory(folder.resolve("routes")));
    routes.edit(
        "commands.camel.yaml",
        yaml ->
            yaml.replace(
                "        pollTimeoutMs: 100",
                "        pollTimeoutMs: 100\n        sessionTimeoutMs: 600000"));
    fixture.settings().with(Setting.ROUTES_DIRECTORY, routes.path().toString());
    fixture.settings().with(Setting.CALLCONTEXT_STORE, storeType);
    storeSettings.forEach(fixture.settings()::with);
    ProxyProcess proxy = fixture.startProxyProcess(folder.resolve("proxy.log"));
    Controller controller = fixture.controller();
    String generatedContext = startCallWithGeneratedContext(asterisk, controller).key();
    controller.execute(
        "made",
        "POST",
        "/channels?endpoint=Local/3002@default&app=" + APP + "&channelId=channel-" + storeType);
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

  private static EventEnvelope startCallWithGeneratedContext(
      RealAsterisk asterisk, Controller controller) {
    asterisk.originateLastingCall("app-" + APP);
    return answer(controller, controller.awaitEvent(event -> event.hasType("STASIS_START")));
  }

  /** Otherwise Asterisk hangs up after 30 seconds, which a restart of the proxy can take. */
  private static EventEnvelope answer(Controller controller, EventEnvelope start) {
    controller
        .execute(start.key(), "POST", "/channels/" + start.channelId() + "/answer")
        .assertStatus(204);
    return start;
  }
}
