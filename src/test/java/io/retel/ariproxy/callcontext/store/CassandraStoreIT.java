// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.store.CassandraServer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@FullRun("Cassandra starts slowly")
class CassandraStoreIT extends StoreServerContract {

  private static final String KEYSPACE = "ari_proxy_test";

  private static final String USERNAME = "ari";

  /** Unlike the default, not part of any class name in the log. */
  private static final String PASSWORD = "c4ss:p@ss/w%rd&";

  private static CassandraServer server;

  @BeforeAll
  static void launch() {
    server = CassandraServer.launch();
    server.createKeyspace(KEYSPACE);
    server.createUser(USERNAME, PASSWORD);
  }

  @AfterAll
  static void close() {
    if (server != null) {
      server.close();
    }
  }

  @Override
  CassandraServer server() {
    return server;
  }

  @Override
  Map<Setting<?>, String> settings() {
    return Map.of(
        Setting.CALLCONTEXT_STORE,
        "cassandra",
        CassandraStoreProvider.HOSTS,
        server.hosts(),
        CassandraStoreProvider.DATACENTER,
        CassandraServer.DATACENTER,
        CassandraStoreProvider.KEYSPACE,
        KEYSPACE,
        CassandraStoreProvider.USERNAME,
        USERNAME,
        CassandraStoreProvider.PASSWORD,
        PASSWORD);
  }

  @Override
  String password() {
    return PASSWORD;
  }

  @Override
  void changePassword(String required) {
    server.execute("ALTER ROLE " + USERNAME + " WITH PASSWORD = '" + required + "'");
    // otherwise sessions and cached passwords remain
    server.stop();
    server.start();
  }

  @Override
  Map<Setting<?>, String> withPassword(String password) {
    return Map.of(CassandraStoreProvider.PASSWORD, password);
  }

  @Override
  Map<Setting<?>, String> withAddress(String address) {
    return Map.of(CassandraStoreProvider.HOSTS, address);
  }

  @Override
  String threadPrefix() {
    return "call-contexts";
  }

  @Test
  void writesAfterEndOfDriverThread() throws Exception {
    assertWritesAfterEndOfDriverThread();
  }

  @Test
  void entriesExpireAfterTwoIdleTimeouts() throws Exception {
    write(new Change("CHANNEL:1", "a"));
    try (CqlSession session = server.session()) {
      assertThat(
              session
                  .execute(
                      SimpleStatement.newInstance(
                          "SELECT TTL(value) FROM "
                              + KEYSPACE
                              + ".call_contexts WHERE asterisk = ? AND app = ? AND resource = ?"
                              + " ALLOW FILTERING",
                          namespace,
                          APP,
                          "CHANNEL:1"))
                  .one()
                  .getInt(0))
          .isBetween(
              (int) (2 * IDLE_TIMEOUT.toSeconds() - 60), (int) (2 * IDLE_TIMEOUT.toSeconds()));
    }
  }

  @Test
  void missingKeyspaceIsNamed() throws Exception {
    try (CallContextStore store =
        store(Map.of(CassandraStoreProvider.KEYSPACE, "no_such_one"), DefaultTimeout.DURATION)) {
      assertThatThrownBy(() -> readAll(store)).hasMessageContaining("no keyspace no_such_one");
      server.createKeyspace("no_such_one");
      assertThatCode(() -> readAll(store)).doesNotThrowAnyException();
    }
  }

  @Test
  void unknownDatacenterIsNamedWithExistingOnes() throws Exception {
    try (CallContextStore store =
        store(Map.of(CassandraStoreProvider.DATACENTER, "elsewhere"), DefaultTimeout.DURATION)) {
      assertThatThrownBy(() -> readAll(store))
          .hasMessageContaining("no datacenter elsewhere")
          .hasMessageContaining(CassandraServer.DATACENTER);
    }
  }

  /**
   * Cassandra fails reads that scan 100,000 tombstones; a busy proxy creates that many within
   * minutes.
   */
  /** Those of a partition. */
  @Test
  void readsLargeValues() throws Exception {
    assertReadsLargeValues(
        i -> Math.floorMod(("CHANNEL:" + i).hashCode(), CassandraStore.BUCKETS) == 0);
  }

  @Test
  void readsPastHundredThousandDeletions() throws Exception {
    try (CallContextStore store = store()) {
      store.write(List.of(new Change("CHANNEL:lives", "a")));
      for (int from = 0; from < 100_000; from += 5_000) {
        store.write(
            IntStream.range(from, from + 5_000)
                .mapToObj(i -> new Change("CHANNEL:1532965104." + i, null))
                .toList());
      }
    }
    assertThat(read()).containsOnly(Map.entry("CHANNEL:lives", "a"));
  }

  // Cassandra takes half a minute for each; CI runs them with Redis and PostgreSQL

  @Test
  @Override
  @Tag(FullRun.ON_DEMAND)
  void failsWithinTimeoutAndRecoversAfterRejectedLogin() throws Exception {
    super.failsWithinTimeoutAndRecoversAfterRejectedLogin();
  }

  @Test
  @Override
  @Tag(FullRun.ON_DEMAND)
  void stoppedServerDelaysNeitherConstructorNorClose() throws Exception {
    super.stoppedServerDelaysNeitherConstructorNorClose();
  }

  @Test
  @Override
  @Tag(FullRun.ON_DEMAND)
  void nextConnectionUsesReplacedPasswordFile(@TempDir Path folder) throws Exception {
    super.nextConnectionUsesReplacedPasswordFile(folder);
  }

  @Test
  @Override
  @Tag(FullRun.ON_DEMAND)
  void passwordIsNotLoggedDuringOutage() throws Exception {
    super.passwordIsNotLoggedDuringOutage();
  }
}
