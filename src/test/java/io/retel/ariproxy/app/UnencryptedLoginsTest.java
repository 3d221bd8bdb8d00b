// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.callcontext.store.CassandraStoreProvider;
import io.retel.ariproxy.callcontext.store.JdbcStoreProvider;
import io.retel.ariproxy.callcontext.store.RedisStoreProvider;
import io.retel.ariproxy.config.Setting;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnencryptedLoginsTest {

  private static final String SECRET = "not-to-be-seen";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://localhost:8088/ari",
        "http://LOCALHOST/ari",
        "http://127.0.0.1:8088/ari",
        "http://127.1.2.3/ari",
        "http://[::1]:8088/ari",
        "https://pbx.example:8089/ari"
      })
  void acceptsEncryptedLoginAndOneToThisHost(String url) {
    assertThat(warning(Map.of(Setting.ARI_URL, url))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "http://pbx.example:8088/ari, pbx.example:8088",
    "http://pbx.example/ari, pbx.example",
    "http://192.0.2.1:8088/ari, 192.0.2.1:8088",
    "http://[2001:db8::1]:8088/ari, [2001:db8::1]:8088",
    "http://localhost.example/ari, localhost.example",
    "http://127.0.0.1.example/ari, 127.0.0.1.example"
  })
  void namesHost(String url, String host) {
    assertThat(warning(Map.of(Setting.ARI_URL, url)))
        .contains(
            "Logins are sent without encryption: ari.url to "
                + host
                + "; use TLS, see docs/security.md");
  }

  @Test
  void acceptsAddressesOfThisHost() throws Exception {
    for (NetworkInterface each : NetworkInterface.networkInterfaces().toList()) {
      for (InetAddress address : each.inetAddresses().toList()) {
        assertThat(UnencryptedLogins.isThisHost(address.getHostAddress())).isTrue();
      }
    }
  }

  @Test
  void namesKafkaWithLogin() {
    assertThat(
            warning(
                Map.of(
                    Setting.KAFKA_SECURITY_PROTOCOL,
                    "SASL_PLAINTEXT",
                    Setting.KAFKA_USERNAME,
                    "user",
                    Setting.KAFKA_PASSWORD,
                    SECRET,
                    Setting.KAFKA_BROKERS,
                    "kafka-1:9092, localhost:9092, kafka-2:9092")))
        .get()
        .asString()
        .contains(": kafka.brokers to kafka-1:9092 and kafka-2:9092; ")
        .doesNotContain(SECRET);
    assertThat(warning(Map.of(Setting.KAFKA_BROKERS, "kafka-1:9092"))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "redis://:not-to-be-seen@store.example, true",
    "redis://user:not-to-be-seen@store.example:6379/1, true",
    "redis://store.example, false",
    "redis://:not-to-be-seen@localhost, false",
    "rediss://:not-to-be-seen@store.example, false"
  })
  void namesRedisWithLogin(String uri, boolean named) {
    assertNamesStore(
        named, Map.of(Setting.CALLCONTEXT_STORE, "redis", RedisStoreProvider.URI, uri));
  }

  @ParameterizedTest
  @CsvSource({
    "jdbc:postgresql://store.example/db, user, true",
    "jdbc:postgresql://store.example/db?user=a&password=not-to-be-seen, '', true",
    "jdbc:postgresql://store.example/db?sslmode=prefer, user, true",
    "jdbc:postgresql://store.example/db?sslmode=verify-full, user, false",
    "jdbc:postgresql://store.example/db?sslmode=require, user, false",
    "jdbc:postgresql://store.example/db?ssl=true, user, false",
    "jdbc:postgresql://store.example/db, '', false",
    "jdbc:postgresql://store.example:5433/db?password=not-to-be-seen&user=a, '', true",
    "jdbc:postgresql://localhost/db, user, false",
    "jdbc:postgresql://127.0.0.1:1/db?password=not-to-be-seen&user=a, '', false",
    "jdbc:postgresql://[::1]:1/db?user=a&password=not-to-be-seen, '', false",
    "jdbc:postgresql:db?user=a&password=not-to-be-seen, '', false",
    "jdbc:postgresql:///db?user=a&password=not-to-be-seen, '', false",
    "jdbc:sqlite:store.example, user, false"
  })
  void namesPostgresqlWithLogin(String url, String username, boolean named) {
    assertNamesStore(
        named,
        Map.of(
            Setting.CALLCONTEXT_STORE,
            "jdbc",
            JdbcStoreProvider.URL,
            url,
            JdbcStoreProvider.USERNAME,
            username,
            JdbcStoreProvider.PASSWORD,
            SECRET));
  }

  @ParameterizedTest
  @CsvSource({
    "store.example:9042, user, false, true",
    "store.example:9042, '', false, false",
    "store.example:9042, user, true, false"
  })
  void namesCassandraWithLogin(String hosts, String username, boolean tls, boolean named) {
    assertNamesStore(
        named,
        Map.of(
            Setting.CALLCONTEXT_STORE,
            "cassandra",
            CassandraStoreProvider.HOSTS,
            hosts,
            CassandraStoreProvider.USERNAME,
            username,
            CassandraStoreProvider.PASSWORD,
            SECRET,
            CassandraStoreProvider.TLS,
            Boolean.toString(tls)));
  }

  private static void assertNamesStore(boolean named, Map<Setting<?>, String> settings) {
    if (named) {
      assertThat(warning(settings))
          .get()
          .asString()
          .contains(": callcontext.store to store.example")
          .doesNotContain(SECRET);
    } else {
      assertThat(warning(settings)).isEmpty();
    }
  }

  private static Optional<String> warning(Map<Setting<?>, String> settings) {
    return UnencryptedLogins.warning(RoutesUnderTest.settings(settings));
  }
}
