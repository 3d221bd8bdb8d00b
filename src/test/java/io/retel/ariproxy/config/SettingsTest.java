// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the sources of settings, and which values are rejected. */
class SettingsTest {

  private static final String PASSWORD = "p{{ss}}:w${rd}";

  @TempDir private Path folder;

  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void setRequiredSettings() {
    set(Setting.ARI_APP, "app");
    set(Setting.ARI_USERNAME, "user");
    set(Setting.ARI_PASSWORD, PASSWORD);
    set(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC, "events");
    set(Setting.KAFKA_COMMANDS_TOPIC, "commands");
    set(Setting.ROUTES_DIRECTORY, folder.toString());
  }

  @Test
  void appliesDefaults() {
    Settings settings = read();
    assertThat(settings.get(Setting.ARI_URL)).hasToString("http://127.0.0.1:8088/ari");
    assertThat(settings.get(Setting.COMMANDS_MAX_CONCURRENCY)).isEqualTo(48);
    assertThat(settings.get(Setting.CALLCONTEXT_IDLE_TIMEOUT)).isEqualTo(Duration.ofDays(1));
    assertThat(settings.get(Setting.CALLCONTEXT_GRACE_PERIOD)).isEqualTo(Duration.ofMinutes(1));
    assertThat(settings.get(Setting.ENVELOPE_EVENT_RESOURCES))
        .isEqualTo(EventResourcesFormat.ARRAY);
  }

  @Test
  void limitsResponseBodyToExchange() {
    set(Setting.ARI_MAX_RESPONSE_BODY, "64MB");
    assertThat(read().get(Setting.ARI_MAX_RESPONSE_BODY)).isEqualTo(64L << 20);
    set(Setting.ARI_MAX_RESPONSE_BODY, "65MB");
    assertThatThrownBy(this::read).isInstanceOf(InvalidSettingException.class);
  }

  @Test
  void parsesMetricsTagsInOrder() {
    assertThat(read().get(Setting.METRICS_TAGS)).isEmpty();
    set(Setting.METRICS_TAGS, "site=fra 2, asterisk=a1");
    assertThat(read().get(Setting.METRICS_TAGS))
        .containsExactly(Map.entry("site", "fra 2"), Map.entry("asterisk", "a1"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.0.0.0", "::", "192.0.2.1", "unknown.invalid"})
  void requiresTokenForJmxOnOtherAddressThanLoopback(String host) {
    set(Setting.MANAGEMENT_HOST, host);
    set(Setting.MANAGEMENT_JOLOKIA, "true");
    assertThatThrownBy(this::read)
        .isInstanceOf(InvalidSettingException.class)
        .hasMessage(
            "management.token must be set, since management.jolokia is true and management.host is"
                + " not a loopback address (config/application.properties, or the environment"
                + " variable MANAGEMENT_TOKEN)");

    set(Setting.MANAGEMENT_TOKEN, "sixteen-characte");
    assertThat(read().toString()).doesNotContain("sixteen-characte");
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "127.1.2.3", "::1", "localhost"})
  void requiresNoTokenOnLoopback(String host) {
    set(Setting.MANAGEMENT_HOST, host);
    set(Setting.MANAGEMENT_JOLOKIA, "true");
    assertThat(read().isSet(Setting.MANAGEMENT_TOKEN)).isFalse();
  }

  @Test
  void parsesAllowedHosts() {
    assertThat(read().get(Setting.MANAGEMENT_ALLOWED_HOSTS)).isEmpty();
    set(Setting.MANAGEMENT_ALLOWED_HOSTS, "Proxy.example, hawtio");
    assertThat(read().get(Setting.MANAGEMENT_ALLOWED_HOSTS))
        .containsExactly("proxy.example", "hawtio");
  }

  @Test
  void derivesTopicAndGroupNames() {
    Settings settings = read();
    assertThat(settings.get(Setting.KAFKA_UNMAPPED_EVENTS_TOPIC)).isEqualTo("events-unmapped");
    assertThat(settings.get(Setting.KAFKA_GROUP_ID)).isEqualTo("commands");
    assertThat(settings.get(Setting.KAFKA_GENERIC_COMMANDS_TOPIC)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "kafka.unmapped-events-topic",
        "kafka.commands-topic",
        "kafka.generic-commands-topic"
      })
  void rejectsTopicUsedTwice(Setting<?> setting) {
    set(setting, "events");
    assertRejected(setting);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "commands.alowed",
        "ari.passwort",
        "kafka.topic",
        "ari-proxy.route",
        "callcontext.x"
      })
  void namesUnknownKeyWithoutItsValue(String key) throws IOException {
    Files.writeString(folder.resolve("p"), key + " = hidden");
    assertThatThrownBy(this::read)
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageContaining(key)
        .hasMessageNotContaining("hidden");
  }

  @ParameterizedTest
  @ValueSource(strings = {"camel.main.name", "my.topic", "ari"})
  void acceptsKeysWithForeignPrefix(String key) throws IOException {
    Files.writeString(folder.resolve("p"), key + " = x");
    read();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ari.app",
        "ari.username",
        "ari.password",
        "kafka.events-and-responses-topic",
        "kafka.commands-topic"
      })
  void namesMissingSettingWithEnvironmentVariable(Setting<?> setting) {
    environment.remove(setting.environmentVariable());
    assertRejected(setting);
    set(setting, "  ");
    assertRejected(setting);
  }

  @Test
  void namesAllMissingSettingsInOneLine() {
    environment.clear();
    assertThatThrownBy(this::read)
        .isInstanceOf(InvalidSettingException.class)
        .hasMessage(
            "ari.app, ari.username, ari.password, kafka.events-and-responses-topic,"
                + " kafka.commands-topic are not set (config/application.properties, or the"
                + " environment variables ARI_APP, ARI_USERNAME, ARI_PASSWORD,"
                + " KAFKA_EVENTS_AND_RESPONSES_TOPIC, KAFKA_COMMANDS_TOPIC)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ari.url | localhost:8088",
        "management.port | 65536",
        "management.port | http",
        "management.token | fifteen-charact",
        "management.token | sixteen characters",
        "management.allowed-hosts | proxy.example:9000",
        "management.allowed-hosts | http://proxy.example",
        "management.allowed-hosts | a,,b",
        "metrics.tags | site",
        "metrics.tags | site=",
        "metrics.tags | si te=fra",
        "metrics.tags | site=fra,site=muc",
        "commands.max-age | 10",
        "commands.dedup-window | soon",
        "ari.url | ftp://localhost/ari",
        "ari.url | http:///ari",
        "ari.url | http://local host/ari",
        "ari.url | http://user:secret@localhost/ari",
        "ari.url | http://localhost/ari?api_key=a:secret",
        "ari.url | http://localhost/ari#x",
        "ari.app | a,,b",
        "ari.app | a,",
        "ari.username | a:b",
        "ari.connect-timeout | 2000",
        "ari.connect-timeout | 0ms",
        "ari.response-timeout | -1s",
        "ari.resync-timeout | 0s",
        "ari.max-request-body | 40960",
        "ari.max-response-body | 1B",
        "ari.max-response-body | 99999999999999999999B",
        "ari.max-message-size | 1e6B",
        "ari.max-message-size | 32MB",
        "kafka.max-in-flight-bytes | 2GB",
        "ari.buffer-size | 1KB",
        "kafka.brokers | localhost",
        "kafka.brokers | localhost:9092,",
        "kafka.brokers | localhost:0",
        "kafka.brokers | localhost:65536",
        "kafka.brokers | br\u00f6ker:9092",
        "kafka.brokers | PLAINTEXT://localhost:9092",
        "kafka.brokers | secret@localhost:9092",
        "kafka.brokers | user:secret@localhost:9092",
        "kafka.events-and-responses-topic | a topic",
        "kafka.events-and-responses-topic | a?x=y",
        "kafka.unmapped-events-topic | {{x}}",
        "kafka.commands-topic | a/b",
        "kafka.generic-commands-topic | a,b",
        "kafka.generic-group-id | commands",
        "kafka.max-in-flight-bytes | 1000KB",
        "commands.max-concurrency | 0",
        "commands.max-concurrency | 1001",
        "commands.max-in-flight | 20001",
        "callcontext.idle-timeout | 0s",
        "callcontext.grace-period | -1s",
        "callcontext.comparison-interval | -1s",
        "callcontext.store | postgresql",
        "ari-proxy.envelope.event-resources | list",
        "ari-proxy.routes-directory | /no/such/folder",
        "ari-proxy.shutdown-timeout | 0s"
      })
  void namesMalformedSettingWithEnvironmentVariable(Setting<?> setting, String value) {
    set(setting, value);
    assertRejected(setting);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "redis | callcontext.redis-uri | localhost:6379",
        "redis | callcontext.redis-uri | http://localhost:6379",
        "redis | callcontext.redis-uri | redis://",
        "redis | callcontext.redis-uri | redis://:secret@",
        "redis | callcontext.redis-uri | redis://:sec@ret@localhost",
        "redis | callcontext.redis-uri | redis://:secret/1@localhost",
        "redis | callcontext.redis-uri | redis://:secret#1@localhost",
        "redis | callcontext.redis-uri | redis://:secret%@localhost",
        "redis | callcontext.redis-uri | redis://:secret@localhost:66666",
        "redis | callcontext.redis-uri | redis://:secret@localhost/first",
        "redis | callcontext.redis-uri | redis://localhost?password=secret",
        "jdbc | callcontext.jdbc-url | postgresql://localhost/secret",
        "jdbc | callcontext.jdbc-url | jdbc:mysql://localhost/d?password=secret",
        "jdbc | callcontext.jdbc-url | jdbc:sqlite:",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql://user:secret@localhost/d",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql://user:secret@127.0.0.1:1/d?user=u",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql://user@localhost/secret",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql://a,user:secret@b:5432,c/d",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql://user:se/cret@localhost/secret",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql://user:1?secret@localhost/d",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql:user:secret@localhost/d",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql:/user:secret@localhost/d",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql://localhost:secret/d",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql://localhost:66666/d?password=secret",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql://localhost/d?password=se%zcret",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql://localhost/d?password=x&#secret",
        "cassandra | callcontext.cassandra-hosts | user:secret@localhost:9042",
        "cassandra | callcontext.cassandra-hosts | secret@localhost:9042",
        "cassandra | callcontext.cassandra-hosts | a:1, cassandra://secret@localhost:9042",
        "cassandra | callcontext.cassandra-hosts | localhost",
        "cassandra | callcontext.cassandra-hosts | localhost:9042,",
        "cassandra | callcontext.cassandra-keyspace | my-keyspace",
        "cassandra | callcontext.cassandra-ca-file | requires-tls.pem",
        "cassandra | callcontext.cassandra-certificate-file | requires-tls.pem",
        "cassandra | callcontext.cassandra-key-file | requires-tls.pem",
        "cassandra | callcontext.cassandra-key-password | secret"
      })
  void validatesStoreSettingsOfSelectedStoreOnly(String store, Setting<?> setting, String value) {
    set(setting, value);
    assertThatCode(this::read).doesNotThrowAnyException();
    set(Setting.CALLCONTEXT_STORE, store);
    assertRejected(setting);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "redis | callcontext.redis-uri | redis://localhost",
        "redis | callcontext.redis-uri | redis://localhost:6379/",
        "redis | callcontext.redis-uri | rediss://user:p%40ss%3Aw%2Frd@redis.example:6380/15",
        "redis | callcontext.redis-uri | redis://:password@[::1]:6379/0",
        "Jdbc | callcontext.jdbc-url | jdbc:postgresql://a,b/d?user=u&password=p",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql://[::1]:5432,b-1.example:5433/d%40e?ssl",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql://h/d?password=p@ss:w/rd%26&user=u@x&",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql:database",
        "jdbc | callcontext.jdbc-url | jdbc:postgresql:///d",
        "jdbc | callcontext.jdbc-url | jdbc:sqlite:/var/lib/ari-proxy/call-contexts.db",
        "cassandra | callcontext.cassandra-hosts | a:9042, [::1]:9042"
      })
  void acceptsStoreSettings(String store, Setting<?> setting, String value) {
    set(Setting.CALLCONTEXT_STORE, store);
    set(setting, value);
    assertThatCode(this::read).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "kafka.brokers, 'a:1, b.c:9092'",
    "kafka.brokers, '[::1]:9092'",
    "ari.app, 'a,b'",
    "commands.allowed, 'GET /**, * /channels/**,POST  /bridges/{bridgeId}/addChannel'",
    "ari.url, HTTPS://pbx.example:8089/prefix/ari/",
    "callcontext.grace-period, 0",
    "callcontext.comparison-interval, 0",
    "ari-proxy.envelope.event-resources, Object"
  })
  void acceptsValue(Setting<?> setting, String value) {
    set(setting, value);
    assertThatCode(this::read).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "http://h:8088/ari, http://h:8088/ari, ws://h:8088/ari",
    "http://h:8088/ari/, http://h:8088/ari, ws://h:8088/ari",
    "https://h/ari, https://h/ari, wss://h/ari",
    "HTTPS://h/a/b, https://h/a/b, wss://h/a/b",
    "http://h, http://h, ws://h",
    "http://h/, http://h, ws://h",
    "http://[::1]:8088/ari, http://[::1]:8088/ari, ws://[::1]:8088/ari"
  })
  void derivesWebsocketUrlFromAriUrl(String url, String httpUrl, String websocketUrl) {
    set(Setting.ARI_URL, url);
    assertThat(read().placeholders())
        .containsEntry("ari.url", httpUrl)
        .containsEntry("ari.websocket", websocketUrl);
  }

  @ParameterizedTest
  @CsvSource({"1MB, 33554432", "40MB, 41943040", "2047MB, 2146435072"})
  void producerBufferFitsLargestRequest(String maxInFlightBytes, String producerBuffer)
      throws IOException {
    set(Setting.KAFKA_MAX_IN_FLIGHT_BYTES, maxInFlightBytes);
    assertThat(read().placeholders()).containsEntry("kafka.producer-buffer", producerBuffer);
    assertThat(Files.readAllLines(Path.of("routes", "publish.camel.yaml")))
        .filteredOn(line -> line.contains("maxRequestSize"))
        .hasSize(2)
        .allMatch(line -> line.endsWith("maxRequestSize: 33554432"));
  }

  @Test
  void environmentOverridesFile() throws IOException {
    environment.remove(Setting.KAFKA_GROUP_ID.environmentVariable());
    writeFile("ari.app = from the file\nkafka.group-id = from the file\n");
    set(Setting.ARI_APP, "from the environment");
    Settings settings = read();
    assertThat(settings.get(Setting.ARI_APP)).containsExactly("from the environment");
    assertThat(settings.get(Setting.KAFKA_GROUP_ID)).isEqualTo("from the file");
  }

  /** Asterisk would replace the application with itself, as if another client took it over. */
  @Test
  void ignoresDuplicateApplication() {
    set(Setting.ARI_APP, "a, b,a");
    assertThat(read().get(Setting.ARI_APP)).containsExactly("a", "b");
    assertThat(read().placeholders()).containsEntry("ari.app", "a,b");
  }

  @Test
  void acceptsCamelOptionsInFile() throws IOException {
    writeFile("camel.main.name = x\n");
    assertThatCode(this::read).doesNotThrowAnyException();
  }

  @Test
  void limitsSizeOfFile() throws IOException {
    writeFile("#".repeat(Settings.MAX_FILE_BYTES + 1));
    assertThatThrownBy(this::read)
        .isInstanceOf(InvalidSettingException.class)
        .hasMessage(folder.resolve("p") + " is larger than 1024 KB");
  }

  @ParameterizedTest
  @ValueSource(strings = {"ari.password = \\u12", "ari.password = \u00ff\n"})
  void reportsMalformedFileWithoutItsContent(String content) throws IOException {
    Files.write(folder.resolve("p"), content.getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(this::read)
        .isInstanceOf(InvalidSettingException.class)
        .message()
        .startsWith(folder.resolve("p") + " cannot be read")
        .doesNotContain("\n", "\u00ff");
  }

  @Test
  void readsPasswordVerbatim() {
    assertThat(read().get(Setting.ARI_PASSWORD).reveal()).isEqualTo(PASSWORD);
  }

  @Test
  void masksPassword() {
    Settings settings = read();
    assertThat(settings.toString()).doesNotContain(PASSWORD);
    assertThat(settings.get(Setting.ARI_PASSWORD)).hasToString("***");
    assertThat(settings.placeholders().toString()).doesNotContain(PASSWORD);
  }

  @Test
  void masksPasswordInPlaceholders() {
    assertThat(read().placeholders()).containsEntry("ari.password", "***");
  }

  @Test
  void exceptionOmitsPassword() {
    set(Setting.COMMANDS_MAX_CONCURRENCY, "none");
    assertThatThrownBy(this::read).hasMessageNotContaining(PASSWORD);
  }

  @Test
  void derivesEnvironmentVariableFromKey() {
    assertThat(Setting.ENVELOPE_EVENT_RESOURCES.environmentVariable())
        .isEqualTo("ARI_PROXY_ENVELOPE_EVENT_RESOURCES");
  }

  private void assertRejected(Setting<?> setting) {
    assertThatThrownBy(this::read)
        .isInstanceOf(InvalidSettingException.class)
        .message()
        .startsWith(setting.key() + " ")
        .contains(setting.environmentVariable())
        .doesNotContain("\n", "secret");
  }

  private Settings read() {
    return Settings.read(folder.resolve("p"), environment);
  }

  private void writeFile(String content) throws IOException {
    Files.writeString(folder.resolve("p"), content);
  }

  private void set(Setting<?> setting, String value) {
    environment.put(setting.environmentVariable(), value);
  }
}
