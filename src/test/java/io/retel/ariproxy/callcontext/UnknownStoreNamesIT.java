// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.callcontext.store.CassandraStoreProvider;
import io.retel.ariproxy.callcontext.store.JdbcStoreProvider;
import io.retel.ariproxy.callcontext.store.RedisStoreProvider;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.Relay;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.store.CassandraServer;
import io.retel.ariproxy.fixtures.store.PostgresServer;
import io.retel.ariproxy.fixtures.store.RedisServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tests a proxy while the name of its store cannot be resolved, and after its address changed. */
@ExtendWith(KafkaExtension.class)
class UnknownStoreNamesIT {

  private static final String APP = "store-name";
  private static final String NAME = "store.example";

  /** The address of each server. */
  private static final String SERVER = "127.0.0.1";

  @TempDir private Path folder;

  @Test
  @FullRun("outages of several seconds")
  void waitsForNameOfRedis(KafkaBroker kafka) throws IOException {
    try (RedisServer server = RedisServer.launch()) {
      assertWaitsForName(
          kafka,
          Map.of(
              Setting.CALLCONTEXT_STORE,
              "redis",
              RedisStoreProvider.URI,
              server.uri(RedisServer.PASSWORD)));
    }
  }

  @Test
  @FullRun("outages of several seconds")
  @Tag(FullRun.ON_DEMAND)
  void waitsForNameOfPostgresql(KafkaBroker kafka) throws IOException {
    try (PostgresServer server = PostgresServer.launch()) {
      assertWaitsForName(
          kafka,
          Map.of(
              Setting.CALLCONTEXT_STORE,
              "jdbc",
              JdbcStoreProvider.URL,
              server.url(),
              JdbcStoreProvider.USERNAME,
              PostgresServer.USERNAME,
              JdbcStoreProvider.PASSWORD,
              PostgresServer.PASSWORD));
    }
  }

  @Test
  @FullRun("outages of several seconds")
  @Tag(FullRun.ON_DEMAND)
  void waitsForNameOfCassandra(KafkaBroker kafka) throws IOException {
    try (CassandraServer server = CassandraServer.launch()) {
      server.execute(
          "CREATE KEYSPACE names WITH replication"
              + " = {'class': 'SimpleStrategy', 'replication_factor': 1}");
      assertWaitsForName(
          kafka,
          Map.of(
              Setting.CALLCONTEXT_STORE,
              "cassandra",
              CassandraStoreProvider.HOSTS,
              server.hosts(),
              CassandraStoreProvider.KEYSPACE,
              "names",
              CassandraStoreProvider.USERNAME,
              CassandraServer.USERNAME,
              CassandraStoreProvider.PASSWORD,
              CassandraServer.PASSWORD));
    }
  }

  private void assertWaitsForName(KafkaBroker kafka, Map<Setting<?>, String> store)
      throws IOException {
    Path log = folder.resolve("proxy.log");
    int port = ManagementClient.freePort();
    resolve("other.example", SERVER);
    try (Relay relay = Relay.start(serverPort(store));
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.MANAGEMENT_PORT, Integer.toString(port))
              .with(Setting.CALLCONTEXT_STORE_TIMEOUT, "2s")
              .withCamelProperty("jdk.net.hosts.file", folder.resolve("hosts").toString());
      store.forEach((setting, value) -> settings.with(setting, value.replace(SERVER, NAME)));
      try (ProxyProcess proxy = ProxyProcess.start(settings, log);
          ManagementClient management = new ManagementClient(port);
          Controller controller = new Controller(settings, kafka)) {
        awaitMetricAbove(2, management, "ari_proxy_persistence_read_errors_total");
        assertThat(management.get("/health").body()).contains("cannot be read", NAME);
        assertThat(asterisk.totalWebsocketCount()).isZero();

        resolve(NAME, Relay.ADDRESS);
        asterisk.awaitConnected(APP);
        controller.execute("call", "POST", "/bridges/b").assertStatus(200);

        relay.silence();
        resolve("other.example", SERVER);
        controller.execute("call", "POST", "/bridges/c").assertStatus(503);
        // its address may still be cached
        double errors = management.metric("ari_proxy_persistence_write_errors_total");
        awaitMetricAbove(errors + 2, management, "ari_proxy_persistence_write_errors_total");
        assertThat(management.get("/health").body()).contains("cannot be written");
        resolve(NAME, SERVER);

        Awaitility.await("store available")
            .until(() -> !management.get("/health").body().contains("cannot be written"));
        controller.execute("call", "POST", "/bridges/c").assertStatus(200);
        assertThat(proxy.isAlive()).isTrue();
      }
    }
    assertThat(Files.readAllLines(log))
        .filteredOn(line -> line.contains("Not consuming yet") && line.contains(NAME))
        .hasSize(1);
    assertThat(Files.readAllLines(log))
        .filteredOn(line -> line.contains("WriteBehind") && line.contains("cannot be written"))
        .hasSize(1);
  }

  private static void awaitMetricAbove(double value, ManagementClient management, String metric) {
    Awaitility.await(metric).ignoreExceptions().until(() -> management.metric(metric) > value);
  }

  private static int serverPort(Map<Setting<?>, String> store) {
    return store.values().stream()
        .map(Pattern.compile(Pattern.quote(SERVER + ":") + "(\\d+)")::matcher)
        .filter(Matcher::find)
        .map(matcher -> Integer.parseInt(matcher.group(1)))
        .findFirst()
        .orElseThrow();
  }

  private void resolve(String name, String address) throws IOException {
    Files.writeString(folder.resolve("hosts"), address + " " + name + "\n");
  }
}
