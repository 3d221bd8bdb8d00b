package io.retel.ariproxy.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.envelope.Envelopes.EventResourcesFormat;
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
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where settings come from, and what is refused. */
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
    assertThat(settings.get(Setting.ARI_URL)).isEqualTo("http://localhost:8088/ari");
    assertThat(settings.number(Setting.COMMANDS_MAX_CONCURRENCY)).isEqualTo(64);
    assertThat(settings.seconds(Setting.CALLCONTEXT_IDLE_TIMEOUT)).isEqualTo(Duration.ofDays(1));
    assertThat(settings.seconds(Setting.CALLCONTEXT_GRACE_PERIOD)).isEqualTo(Duration.ofMinutes(1));
    assertThat(settings.eventResources()).isEqualTo(EventResourcesFormat.ARRAY);
  }

  @Test
  void parsesMetricsTagsInOrder() {
    assertThat(read().metricsTags()).isEmpty();
    set(Setting.METRICS_TAGS, "site=fra 2, asterisk=a1");
    assertThat(read().metricsTags())
        .containsExactly(Map.entry("site", "fra 2"), Map.entry("asterisk", "a1"));
  }

  @Test
  void derivesTopicAndGroupNames() {
    Settings settings = read();
    assertThat(settings.get(Setting.KAFKA_UNMAPPED_EVENTS_TOPIC)).isEqualTo("events-unmapped");
    assertThat(settings.get(Setting.KAFKA_GROUP_ID)).isEqualTo("commands");
    assertThat(settings.get(Setting.KAFKA_GENERIC_COMMANDS_TOPIC)).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      names = {
        "KAFKA_UNMAPPED_EVENTS_TOPIC",
        "KAFKA_COMMANDS_TOPIC",
        "KAFKA_GENERIC_COMMANDS_TOPIC"
      })
  void rejectsTopicUsedTwice(Setting setting) {
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
  @EnumSource(
      names = {
        "ARI_APP",
        "ARI_USERNAME",
        "ARI_PASSWORD",
        "KAFKA_EVENTS_AND_RESPONSES_TOPIC",
        "KAFKA_COMMANDS_TOPIC"
      })
  void namesMissingSettingWithEnvironmentVariable(Setting setting) {
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
            "ari.app, ari.username, ari.password, kafka.events-and-responses-topic, kafka.commands-topic are not set"
                + " (config/application.properties, or the environment variables ARI_APP, ARI_USERNAME,"
                + " ARI_PASSWORD, KAFKA_EVENTS_AND_RESPONSES_TOPIC, KAFKA_COMMANDS_TOPIC)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ARI_URL | localhost:8088",
        "MANAGEMENT_PORT | 65536",
        "MANAGEMENT_PORT | http",
        "METRICS_TAGS | site",
        "METRICS_TAGS | site=",
        "METRICS_TAGS | si te=fra",
        "METRICS_TAGS | site=fra,site=muc",
        "COMMANDS_ALLOWED | /channels/**",
        "COMMANDS_ALLOWED | HEAD /channels",
        "COMMANDS_ALLOWED | GET channels",
        "COMMANDS_ALLOWED | GET /channels POST /channels",
        "COMMANDS_ALLOWED | GET /channels,",
        "COMMANDS_ALLOWED | GET /chanels/**",
        "COMMANDS_ALLOWED | DELETE /channels/{channelId}/answer",
        "COMMANDS_MAX_AGE | -1",
        "COMMANDS_DEDUP_WINDOW | soon",
        "ARI_URL | ftp://localhost/ari",
        "ARI_URL | http:///ari",
        "ARI_URL | http://local host/ari",
        "ARI_URL | http://user:secret@localhost/ari",
        "ARI_URL | http://localhost/ari?api_key=a:secret",
        "ARI_URL | http://localhost/ari#x",
        "ARI_APP | a,,b",
        "ARI_APP | a,",
        "ARI_USERNAME | a:b",
        "ARI_CONNECT_TIMEOUT | 2s",
        "ARI_CONNECT_TIMEOUT | 0",
        "ARI_RESPONSE_TIMEOUT | -1",
        "ARI_MAX_REQUEST_BODY | 1",
        "ARI_MAX_RESPONSE_BODY | 1",
        "ARI_MAX_RESPONSE_BODY | 99999999999999999999",
        "ARI_MAX_MESSAGE_SIZE | 1e6",
        "ARI_MAX_MESSAGE_SIZE | 33554432",
        "KAFKA_MAX_IN_FLIGHT_BYTES | 2147483648",
        "ARI_BUFFER_SIZE | 1",
        "KAFKA_BROKERS | localhost",
        "KAFKA_BROKERS | localhost:9092,",
        "KAFKA_BROKERS | PLAINTEXT://localhost:9092",
        "KAFKA_EVENTS_AND_RESPONSES_TOPIC | a topic",
        "KAFKA_EVENTS_AND_RESPONSES_TOPIC | a?x=y",
        "KAFKA_UNMAPPED_EVENTS_TOPIC | {{x}}",
        "KAFKA_COMMANDS_TOPIC | a/b",
        "KAFKA_GENERIC_COMMANDS_TOPIC | a,b",
        "KAFKA_GENERIC_GROUP_ID | commands",
        "KAFKA_MAX_IN_FLIGHT_BYTES | 1000",
        "COMMANDS_MAX_CONCURRENCY | 0",
        "COMMANDS_MAX_CONCURRENCY | 1001",
        "COMMANDS_MAX_IN_FLIGHT | 20001",
        "CALLCONTEXT_IDLE_TIMEOUT | 0",
        "CALLCONTEXT_GRACE_PERIOD | -1",
        "CALLCONTEXT_STORE | postgresql",
        "ENVELOPE_EVENT_RESOURCES | list",
        "ROUTES_DIRECTORY | /no/such/folder",
        "SHUTDOWN_TIMEOUT | 0"
      })
  void namesMalformedSettingWithEnvironmentVariable(Setting setting, String value) {
    set(setting, value);
    assertRejected(setting);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "redis | CALLCONTEXT_REDIS_URI | localhost:6379",
        "redis | CALLCONTEXT_REDIS_URI | http://localhost:6379",
        "redis | CALLCONTEXT_REDIS_URI | redis://",
        "redis | CALLCONTEXT_REDIS_URI | redis://:secret@",
        "redis | CALLCONTEXT_REDIS_URI | redis://:sec@ret@localhost",
        "redis | CALLCONTEXT_REDIS_URI | redis://:secret/1@localhost",
        "redis | CALLCONTEXT_REDIS_URI | redis://:secret#1@localhost",
        "redis | CALLCONTEXT_REDIS_URI | redis://:secret%@localhost",
        "redis | CALLCONTEXT_REDIS_URI | redis://:secret@localhost:66666",
        "redis | CALLCONTEXT_REDIS_URI | redis://:secret@localhost/first",
        "redis | CALLCONTEXT_REDIS_URI | redis://localhost?password=secret",
        "jdbc | CALLCONTEXT_JDBC_URL | postgresql://localhost/secret",
        "jdbc | CALLCONTEXT_JDBC_URL | jdbc:mysql://localhost/d?password=secret",
        "jdbc | CALLCONTEXT_JDBC_URL | jdbc:sqlite:",
        "cassandra | CALLCONTEXT_CASSANDRA_HOSTS | localhost",
        "cassandra | CALLCONTEXT_CASSANDRA_HOSTS | localhost:9042,",
        "cassandra | CALLCONTEXT_CASSANDRA_KEYSPACE | my-keyspace"
      })
  void validatesStoreSettingsOfSelectedStoreOnly(String store, Setting setting, String value) {
    set(setting, value);
    assertThatCode(this::read).doesNotThrowAnyException();
    set(Setting.CALLCONTEXT_STORE, store);
    assertRejected(setting);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "redis | CALLCONTEXT_REDIS_URI | redis://localhost",
        "redis | CALLCONTEXT_REDIS_URI | redis://localhost:6379/",
        "redis | CALLCONTEXT_REDIS_URI | rediss://user:p%40ss%3Aw%2Frd@redis.example:6380/15",
        "redis | CALLCONTEXT_REDIS_URI | redis://:password@[::1]:6379/0",
        "Jdbc | CALLCONTEXT_JDBC_URL | jdbc:postgresql://a,b/d?user=u&password=p",
        "jdbc | CALLCONTEXT_JDBC_URL | jdbc:sqlite:/var/lib/ari-proxy/call-contexts.db",
        "cassandra | CALLCONTEXT_CASSANDRA_HOSTS | a:9042, [::1]:9042"
      })
  void acceptsStoreSettings(String store, Setting setting, String value) {
    set(Setting.CALLCONTEXT_STORE, store);
    set(setting, value);
    assertThatCode(this::read).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "KAFKA_BROKERS, 'a:1, b.c:9092'",
    "KAFKA_BROKERS, '[::1]:9092'",
    "ARI_APP, 'a,b'",
    "COMMANDS_ALLOWED, 'GET /**, * /channels/**,POST  /bridges/{bridgeId}/addChannel'",
    "ARI_URL, HTTPS://pbx.example:8089/prefix/ari/",
    "CALLCONTEXT_GRACE_PERIOD, 0",
    "ENVELOPE_EVENT_RESOURCES, Object"
  })
  void acceptsValue(Setting setting, String value) {
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
  @CsvSource({"1048576, 33554432", "33554433, 33554433", "2147483647, 2147483647"})
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
    assertThat(settings.get(Setting.ARI_APP)).isEqualTo("from the environment");
    assertThat(settings.get(Setting.KAFKA_GROUP_ID)).isEqualTo("from the file");
  }

  @Test
  void acceptsCamelOptionsInFile() throws IOException {
    writeFile("camel.main.name = x\n");
    assertThatCode(this::read).doesNotThrowAnyException();
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
    assertThat(read().password().reveal()).isEqualTo(PASSWORD);
  }

  @Test
  void masksPassword() {
    Settings settings = read();
    assertThat(settings.toString()).doesNotContain(PASSWORD);
    assertThat(settings.password()).hasToString("***");
    assertThat(settings.get(Setting.ARI_PASSWORD)).isEqualTo("***");
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

  private void assertRejected(Setting setting) {
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

  private void set(Setting setting, String value) {
    environment.put(setting.environmentVariable(), value);
  }
}
