// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import static io.retel.ariproxy.config.SettingType.bool;
import static io.retel.ariproxy.config.SettingType.described;
import static io.retel.ariproxy.config.SettingType.duration;
import static io.retel.ariproxy.config.SettingType.file;
import static io.retel.ariproxy.config.SettingType.hostNames;
import static io.retel.ariproxy.config.SettingType.hosts;
import static io.retel.ariproxy.config.SettingType.integer;
import static io.retel.ariproxy.config.SettingType.list;
import static io.retel.ariproxy.config.SettingType.oneOf;
import static io.retel.ariproxy.config.SettingType.optional;
import static io.retel.ariproxy.config.SettingType.secret;
import static io.retel.ariproxy.config.SettingType.size;
import static io.retel.ariproxy.config.SettingType.tags;
import static io.retel.ariproxy.config.SettingType.text;
import static io.retel.ariproxy.config.SettingType.topic;
import static io.retel.ariproxy.config.SettingType.url;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.jspecify.annotations.Nullable;

/**
 * Every setting: name, type, range, default and documentation, defined once; those of a
 * call-context store by its {@link StoreType}. {@code config/application.properties} and {@code
 * docs/configuration.md} are generated from it.
 *
 * @param <T> the type of its value
 */
public final class Setting<T> {

  private static final List<Setting<?>> OWN = new ArrayList<>();

  /** Heap of a proxy without messages in bytes: 38 MB live (measured), and room for new objects. */
  public static final long HEAP_FOR_PROXY = 48L << 20;

  private static final UnaryOperator<String> LOWER_CASE = name -> name.toLowerCase(Locale.ROOT);

  // ---- Asterisk

  public static final Setting<URI> ARI_URL =
      new Setting<>(
          Section.ASTERISK,
          "ari.url",
          url(Setting::checkAriUrl),
          "http://127.0.0.1:8088/ari",
          """
          Base URL of ARI, as configured in http.conf and ari.conf. The websocket URL is derived from it; https implies
          wss.""");

  public static final Setting<List<String>> ARI_APP =
      new Setting<>(
          Section.ASTERISK,
          "ari.app",
          list("must name a Stasis application, or several separated by commas"),
          null,
          """
          Name of the Stasis application in the dialplan. Several applications, separated by commas, share one websocket.""");

  public static final Setting<String> ARI_USERNAME =
      new Setting<>(
          Section.ASTERISK,
          "ari.username",
          text("text", "[^:]*", "must not contain a colon, which basic authentication forbids"),
          null,
          """
          A user from ari.conf.""");

  public static final Setting<Secret> ARI_PASSWORD =
      new Setting<>(
          Section.ASTERISK,
          "ari.password",
          secret(),
          null,
          """
          Password of that user. Prefer ARI_PASSWORD or ARI_PASSWORD_FILE over this file.""");

  public static final Setting<String> ARI_CA_FILE =
      new Setting<>(
          Section.ASTERISK,
          "ari.ca-file",
          file(),
          "",
          """
          PEM file with the CA certificates to trust for https, instead of the JVM's. Empty: the JVM's.""");

  public static final Setting<Duration> ARI_CONNECT_TIMEOUT =
      new Setting<>(
          Section.ASTERISK,
          "ari.connect-timeout",
          duration("1ms", "10m"),
          "2s",
          """
          Timeout for connecting to ARI, for the TLS handshake, for the response to a ping on the new connection, and for
          waiting for a free connection, each in total.""");

  public static final Setting<Duration> ARI_RESPONSE_TIMEOUT =
      new Setting<>(
          Section.ASTERISK,
          "ari.response-timeout",
          duration("1ms", "10m"),
          "10s",
          """
          Timeout for a request and Asterisk's complete response. After that, the outcome is unknown (504).""");

  public static final Setting<Duration> ARI_RESYNC_TIMEOUT =
      new Setting<>(
          Section.ASTERISK,
          "ari.resync-timeout",
          duration("1ms", "10m"),
          "2s",
          """
          How long events wait for the resync after a connect. What Asterisk has not answered by then is published later.""");

  public static final Setting<Long> ARI_MAX_REQUEST_BODY =
      new Setting<>(
          Section.ASTERISK,
          "ari.max-request-body",
          size("1KB", "512MB"),
          "40KB",
          """
          Largest request body that Asterisk accepts. A command with a larger one is rejected with 413 and not sent.""");

  public static final Setting<Long> ARI_MAX_RESPONSE_BODY =
      new Setting<>(
          Section.ASTERISK,
          "ari.max-response-body",
          // a response has at most 65 MB, with its head
          size("1KB", "64MB"),
          "512KB",
          """
          Largest response body to publish in a RESPONSE. A larger one becomes a 413.""");

  public static final Setting<Long> ARI_RESPONSE_BUFFER_SIZE =
      new Setting<>(
              Section.ASTERISK,
              "ari.response-buffer-size",
              size("64KB", "1024GB"),
              "32MB",
              """
              Heap for response bodies of more than 16 KB until they are in flight to Kafka, about four times their size. Above this limit, they wait in their sockets for up to half of ari.response-timeout, then become a 413.""")
          .atMostOfHeap(5);

  public static final Setting<Long> ARI_MAX_MESSAGE_SIZE =
      new Setting<>(
              Section.ASTERISK,
              "ari.max-message-size",
              // with its envelope it must fit in one request to Kafka
              size("1KB", "31MB"),
              "16MB",
              """
              Largest event to accept on the websocket.""")
          .atMostOfHeap(5);

  public static final Setting<Long> ARI_BUFFER_SIZE =
      new Setting<>(
              Section.ASTERISK,
              "ari.buffer-size",
              size("64KB", "1024GB"),
              "64MB",
              """
              Events to buffer between websocket and Kafka before the proxy stops reading from the websocket.""")
          .atMostOfHeap(10);

  // ---- Kafka

  public static final Setting<String> KAFKA_BROKERS =
      new Setting<>(
          Section.KAFKA,
          "kafka.brokers",
          hosts(),
          "localhost:9092",
          """
          Bootstrap brokers, separated by commas.""");

  public static final Setting<SecurityProtocol> KAFKA_SECURITY_PROTOCOL =
      new Setting<>(
          Section.KAFKA,
          "kafka.security-protocol",
          oneOf(SecurityProtocol.class, UnaryOperator.identity()),
          "PLAINTEXT",
          """
          Security protocol of the brokers' listener.""");

  public static final Setting<String> KAFKA_SASL_MECHANISM =
      new Setting<>(
          Section.KAFKA,
          "kafka.sasl-mechanism",
          oneOf("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"),
          "SCRAM-SHA-512",
          """
          SASL mechanism, for SASL_PLAINTEXT and SASL_SSL.""");

  public static final Setting<String> KAFKA_USERNAME =
      new Setting<>(
          Section.KAFKA,
          "kafka.username",
          text(),
          "",
          """
          SASL user.""");

  public static final Setting<Secret> KAFKA_PASSWORD =
      new Setting<>(
          Section.KAFKA,
          "kafka.password",
          secret(),
          "",
          """
          SASL password. Prefer KAFKA_PASSWORD or KAFKA_PASSWORD_FILE over this file.""");

  public static final Setting<String> KAFKA_CA_FILE =
      new Setting<>(
          Section.KAFKA,
          "kafka.ca-file",
          file(),
          "",
          """
          PEM file with the CA certificates to trust for SSL and SASL_SSL, instead of the JVM's. Empty: the JVM's.""");

  public static final Setting<String> KAFKA_CERTIFICATE_FILE =
      new Setting<>(
          Section.KAFKA,
          "kafka.certificate-file",
          file(),
          "",
          """
          PEM file with the client certificate, followed by intermediate CAs, for brokers that require one.""");

  public static final Setting<String> KAFKA_KEY_FILE =
      new Setting<>(
          Section.KAFKA,
          "kafka.key-file",
          file(),
          "",
          """
          PEM file with the client certificate's private key (PKCS #8).""");

  public static final Setting<Secret> KAFKA_KEY_PASSWORD =
      new Setting<>(
          Section.KAFKA,
          "kafka.key-password",
          secret(),
          "",
          """
          Password of that key. Empty: the key is not encrypted.""");

  public static final Setting<String> KAFKA_EVENTS_AND_RESPONSES_TOPIC =
      new Setting<>(
          Section.KAFKA,
          "kafka.events-and-responses-topic",
          topic(),
          null,
          """
          Topic for events and RESPONSEs, keyed by call context. All proxies share it.""");

  public static final Setting<String> KAFKA_UNMAPPED_EVENTS_TOPIC =
      new Setting<>(
              Section.KAFKA,
              "kafka.unmapped-events-topic",
              topic(),
              "",
              """
              Topic for events without a call context.""")
          .defaultsTo(KAFKA_EVENTS_AND_RESPONSES_TOPIC, "-unmapped");

  public static final Setting<String> KAFKA_COMMANDS_TOPIC =
      new Setting<>(
          Section.KAFKA,
          "kafka.commands-topic",
          topic(),
          null,
          """
          Topic for commands to this proxy's Asterisk. Never shared by two proxies.""");

  public static final Setting<String> KAFKA_GROUP_ID =
      new Setting<>(
              Section.KAFKA,
              "kafka.group-id",
              text(),
              "",
              """
              Consumer group of that topic.""")
          .defaultsTo(KAFKA_COMMANDS_TOPIC, "");

  public static final Setting<String> KAFKA_GENERIC_COMMANDS_TOPIC =
      new Setting<>(
          Section.KAFKA,
          "kafka.generic-commands-topic",
          optional(topic()),
          "",
          """
          Topic for commands to any Asterisk, shared by all proxies with the same ari.app. Empty: none.""");

  public static final Setting<String> KAFKA_GENERIC_GROUP_ID =
      new Setting<>(
          Section.KAFKA,
          "kafka.generic-group-id",
          text(),
          "ari-proxy-generic-commands",
          """
          Consumer group of that topic, the same for all proxies.""");

  public static final Setting<Boolean> KAFKA_CREATE_TOPICS =
      new Setting<>(
          Section.KAFKA,
          "kafka.create-topics",
          bool(),
          "true",
          """
          Creates missing topics, at startup and while the proxy runs. If false, the proxy waits for them.""");

  public static final Setting<Integer> KAFKA_TOPIC_PARTITIONS =
      new Setting<>(
          Section.KAFKA,
          "kafka.topic-partitions",
          integer(1, 10_000),
          "12",
          """
          Partitions of topics that the proxy creates. The call-context store's topic has one.""");

  public static final Setting<Integer> KAFKA_TOPIC_REPLICATION_FACTOR =
      new Setting<>(
          Section.KAFKA,
          "kafka.topic-replication-factor",
          integer(1, 10),
          "3",
          """
          Replicas of topics that the proxy creates, or as many as Kafka has brokers. From three on, min.insync.replicas is 2.""");

  public static final Setting<Long> KAFKA_MAX_IN_FLIGHT_BYTES =
      new Setting<>(
              Section.KAFKA,
              "kafka.max-in-flight-bytes",
              // the producer's buffer has the same size, and Camel reads that as an int
              size("1MB", "2047MB"),
              "256MB",
              """
              Heap for records that Kafka has not acknowledged. Above this limit, events and commands wait.""")
          .atMostOfHeap(40);

  // ---- Commands

  public static final Setting<Integer> COMMANDS_MAX_CONCURRENCY =
      new Setting<>(
          Section.COMMANDS,
          "commands.max-concurrency",
          integer(1, 1_000),
          "48",
          """
          Commands to execute concurrently: the largest number of connections for commands. Commands of one call are
          executed in order. Those of one operation, such as POST /channels/{channelId}/answer, take at most two
          thirds; if more operations are slow, they share that.""");

  public static final Setting<Integer> COMMANDS_MAX_IN_FLIGHT =
      new Setting<>(
          Section.COMMANDS,
          "commands.max-in-flight",
          integer(1, 20_000),
          "2000",
          """
          Commands without an acknowledged RESPONSE before the proxy stops fetching more.""");

  public static final Setting<String> COMMANDS_ALLOWED =
      new Setting<>(
          Section.COMMANDS,
          "commands.allowed",
          described("METHOD /path, …", text()),
          "",
          """
          Operations that commands may use, as ARI documents them, separated by commas: GET /**, * /channels/**,
          POST /bridges/{bridgeId}/addChannel. * is any method; ?, * and ** match in paths. Others are rejected with 403.
          Empty: all are allowed.""");

  public static final Setting<Integer> COMMANDS_MAX_RETRIES =
      new Setting<>(
          Section.COMMANDS,
          "commands.max-retries",
          integer(0, 10),
          "3",
          """
          Retries of a command while Asterisk is unreachable, before it is rejected with 503 or released. Only a command of which nothing was sent is retried.""");

  public static final Setting<Duration> COMMANDS_RETRY_DELAY =
      new Setting<>(
          Section.COMMANDS,
          "commands.retry-delay",
          duration("1ms", "1m"),
          "200ms",
          """
          Delay before the first retry. It doubles with each, up to 1m.""");

  public static final Setting<Duration> COMMANDS_MAX_AGE =
      new Setting<>(
          Section.COMMANDS,
          "commands.max-age",
          duration("0s", "3650d"),
          "0s",
          """
          Age at which a waiting command is rejected with 410. 0s: never.""");

  public static final Setting<Duration> COMMANDS_INITIAL_LOOKBACK =
      new Setting<>(
          Section.COMMANDS,
          "commands.initial-lookback",
          duration("0s", "3650d"),
          "1m",
          """
          How far before its start, or before it last consumed a topic, the proxy consumes commands if its consumer group
          has no committed offsets for the topic: it is new, or they have expired. Older commands are skipped and counted.""");

  public static final Setting<Duration> COMMANDS_DEDUP_WINDOW =
      new Setting<>(
          Section.COMMANDS,
          "commands.dedup-window",
          duration("0s", "3650d"),
          "5m",
          """
          A command with the same callContext, commandId, method, url and body within this time is a duplicate: it gets the
          recorded response and is not executed again. 0s: never.""");

  public static final Setting<Long> COMMANDS_DEDUP_CACHE_SIZE =
      new Setting<>(
              Section.COMMANDS,
              "commands.dedup-cache-size",
              size("0B", "1024GB"),
              "64MB",
              """
              Heap for recorded responses.""")
          .atMostOfHeap(10);

  // ---- Call contexts

  public static final Setting<Duration> CALLCONTEXT_IDLE_TIMEOUT =
      new Setting<>(
          Section.CALL_CONTEXTS,
          "callcontext.idle-timeout",
          duration("1s", "3650d"),
          "1d",
          """
          Removes a mapping that no event or command has used for this long, even if its resource has not ended.""");

  public static final Setting<Duration> CALLCONTEXT_GRACE_PERIOD =
      new Setting<>(
          Section.CALL_CONTEXTS,
          "callcontext.grace-period",
          duration("0s", "3650d"),
          "60s",
          """
          How long a mapping is available to late events after its resource has ended.""");

  public static final Setting<Duration> CALLCONTEXT_COMPARISON_INTERVAL =
      new Setting<>(
          Section.CALL_CONTEXTS,
          "callcontext.comparison-interval",
          duration("0s", "3650d"),
          "5m",
          """
          How often to compare mappings with Asterisk and end those whose resource no longer exists although no event reported
          its end. 0s: never.""");

  public static final Setting<StoreType> CALLCONTEXT_STORE =
      own(
          new Setting<>(
              Section.CALL_CONTEXTS,
              "callcontext.store",
              oneOf(StoreType::all, StoreType::name),
              "kafka",
              Setting::storeDocumentation));

  public static final Setting<Duration> CALLCONTEXT_STORE_TIMEOUT =
      new Setting<>(
          Section.CALL_CONTEXTS,
          "callcontext.store-timeout",
          duration("100ms", "10m"),
          "5s",
          """
          Timeout for the store to acknowledge the mappings of a command that creates a resource; after that, the command is rejected with 503.
          Also limits writing pending changes at shutdown.""");

  public static final Setting<String> CALLCONTEXT_NAMESPACE =
      new Setting<>(
              Section.CALL_CONTEXTS,
              "callcontext.namespace",
              text(),
              "",
              """
              Separates this Asterisk's mappings from those of other Asterisk instances in a shared store.""")
          .defaultsTo(KAFKA_COMMANDS_TOPIC, "");

  // ---- Management

  public static final Setting<String> MANAGEMENT_HOST =
      new Setting<>(
          Section.MANAGEMENT,
          "management.host",
          text(),
          "127.0.0.1",
          """
          Address to listen on. Anyone who can connect can read the proxy's state: use 0.0.0.0 on a trusted network only.""");

  public static final Setting<Integer> MANAGEMENT_PORT =
      new Setting<>(
          Section.MANAGEMENT,
          "management.port",
          integer(0, 65_535),
          "9000",
          """
          Port for health and metrics. 0: none.""");

  public static final Setting<Boolean> MANAGEMENT_JOLOKIA =
      new Setting<>(
          Section.MANAGEMENT,
          "management.jolokia",
          bool(),
          "false",
          """
          Serves JMX over HTTP at /observe/jolokia: reads state, pauses commands, traces. Anyone who can connect can do this unless
          management.token is set.""");

  public static final Setting<Secret> MANAGEMENT_TOKEN =
      new Setting<>(
          Section.MANAGEMENT,
          "management.token",
          secret(
              optional(
                  text("text", "[!-~]{16,}", "must have at least 16 characters, without spaces"))),
          "",
          """
          Token that requests for JMX must contain, as Bearer token or as password. Required if management.jolokia is true and
          management.host is not a loopback address.""");

  public static final Setting<List<String>> MANAGEMENT_ALLOWED_HOSTS =
      new Setting<>(
          Section.MANAGEMENT,
          "management.allowed-hosts",
          hostNames(),
          "",
          """
          Host names by which clients reach the management port, separated by commas. IP addresses and localhost are always allowed. A
          console in a browser, such as Hawtio, needs the host name of its own address here.""");

  public static final Setting<Map<String, String>> METRICS_TAGS =
      new Setting<>(
          Section.MANAGEMENT,
          "metrics.tags",
          tags(),
          "",
          """
          Tags of all metrics, separated by commas, such as site=fra,asterisk=a1.""");

  // ---- Logging and tracing

  public static final Setting<String> LOGGING_FORMAT =
      new Setting<>(
          Section.LOGGING,
          "logging.format",
          oneOf("text", "json"),
          "text",
          """
          Log format: text, or json with one object per line.""");

  public static final Setting<String> LOGGING_LEVEL =
      new Setting<>(
          Section.LOGGING,
          "logging.level",
          oneOf("ERROR", "WARN", "INFO", "DEBUG", "TRACE"),
          "INFO",
          """
          Log level. DEBUG logs every event, command and RESPONSE with its payload.""");

  public static final Setting<Boolean> LOGGING_MASK =
      new Setting<>(
          Section.LOGGING,
          "logging.mask",
          bool(),
          "true",
          """
          Masks names, numbers and dialed digits in payloads, at DEBUG and in traces.""");

  public static final Setting<Boolean> TRACING_OPENTELEMETRY =
      new Setting<>(
          Section.LOGGING,
          "tracing.opentelemetry",
          bool(),
          "false",
          """
          Creates OpenTelemetry spans and propagates trace contexts through Kafka records. OTEL_EXPORTER_OTLP_ENDPOINT and the
          other OTEL_ environment variables configure the exporter.""");

  // ---- Proxy

  public static final Setting<EventResourcesFormat> ENVELOPE_EVENT_RESOURCES =
      new Setting<>(
          Section.PROXY,
          "ari-proxy.envelope.event-resources",
          oneOf(EventResourcesFormat.class, LOWER_CASE),
          "array",
          """
          Format of an event's resources: array, or object with only the resource that determined the call context.""");

  public static final Setting<String> ROUTES_DIRECTORY =
      new Setting<>(
          Section.PROXY,
          "ari-proxy.routes-directory",
          file(),
          "routes",
          """
          Directory of the routes.""");

  public static final Setting<Duration> SHUTDOWN_TIMEOUT =
      new Setting<>(
          Section.PROXY,
          "ari-proxy.shutdown-timeout",
          duration("1s", "1h"),
          "30s",
          """
          Time for a shutdown to finish commands and events in flight; commands from the generic topic get half of it. Set it to
          more than twice ari.response-timeout, so that no other proxy executes an unfinished command again.""");

  /** The file with the settings, relative to the working directory. */
  public static final String CONFIGURATION_FILE = "config/application.properties";

  /** Sections of the configuration file and its reference. */
  enum Section {
    ASTERISK("Asterisk"),
    KAFKA("Kafka"),
    COMMANDS("Commands"),
    CALL_CONTEXTS("Call contexts"),
    MANAGEMENT("Management: health and metrics over HTTP"),
    LOGGING("Logging and tracing"),
    PROXY("Proxy");

    private final String title;

    Section(String title) {
      this.title = title;
    }

    String title() {
      return title;
    }
  }

  private final Section section;
  private final String key;
  private final SettingType<T> type;
  private final @Nullable String defaultText;
  private final Supplier<String> documentation;
  private @Nullable Setting<String> defaultSource;
  private String defaultSuffix = "";
  private int heapPercentage;

  private Setting(
      Section section,
      String key,
      SettingType<T> type,
      @Nullable String defaultText,
      String documentation) {
    this(section, key, type, defaultText, () -> documentation);
    OWN.add(this);
  }

  private Setting(
      Section section,
      String key,
      SettingType<T> type,
      @Nullable String defaultText,
      Supplier<String> documentation) {
    this.section = section;
    this.key = key;
    this.type = type;
    this.defaultText = defaultText;
    this.documentation = documentation;
  }

  private static <T> Setting<T> own(Setting<T> setting) {
    OWN.add(setting);
    return setting;
  }

  /**
   * A setting of one call-context store, which returns it in {@link StoreType#settings}.
   *
   * @param key {@code callcontext.}, the name of the store, a dash, and its own name
   * @param defaultText its default as text; a store setting is never required
   * @param documentation what it does, in one paragraph that begins with the name of the store
   */
  public static <T> Setting<T> ofStore(
      String key, SettingType<T> type, String defaultText, String documentation) {
    return new Setting<>(
        Section.CALL_CONTEXTS, key, type, Objects.requireNonNull(defaultText), () -> documentation);
  }

  /**
   * A setting of one call-context store whose default is the value of another setting, with a
   * suffix.
   */
  public static <T> Setting<T> ofStore(
      String key,
      SettingType<T> type,
      Setting<String> defaultSource,
      String defaultSuffix,
      String documentation) {
    return ofStore(key, type, "", documentation).defaultsTo(defaultSource, defaultSuffix);
  }

  private Setting<T> defaultsTo(Setting<String> source, String suffix) {
    defaultSource = source;
    defaultSuffix = suffix;
    return this;
  }

  /** Limits the default, a size, to a percentage of {@link #heapForMessages}. */
  private Setting<T> atMostOfHeap(int percentage) {
    heapPercentage = percentage;
    return this;
  }

  /** Loaded on first use, since the stores create their settings with this class. */
  private static final class All {

    static final List<Setting<?>> SETTINGS =
        Stream.concat(
                OWN.stream(), StoreType.all().stream().flatMap(store -> store.settings().stream()))
            .sorted(Comparator.comparing(setting -> setting.section))
            .toList();
  }

  /** Every setting, including those of all stores, in the order of the configuration file. */
  public static List<Setting<?>> all() {
    return All.SETTINGS;
  }

  /**
   * The setting with a key.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Setting<?> of(String key) {
    return all().stream()
        .filter(setting -> setting.key.equals(key))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("unknown setting " + key));
  }

  /** Its name in {@code application.properties}. */
  public String key() {
    return key;
  }

  /** The environment variable that overrides it. */
  public String environmentVariable() {
    return environmentVariable(key);
  }

  /** Whether it must be set. */
  public boolean isRequired() {
    return defaultText == null;
  }

  /** Its default as text; empty if it has none, is required or follows another setting. */
  public String defaultText() {
    return defaultText == null ? "" : defaultText;
  }

  /** The part of a heap that can hold messages, in bytes. */
  public static long heapForMessages(long heap) {
    return Math.max(heap - HEAP_FOR_PROXY, HEAP_FOR_PROXY / 4);
  }

  /** Its default as text in a heap of a given size, in bytes. */
  String defaultText(long heap) {
    long limit = heapForMessages(heap) * heapPercentage / 100;
    return isLimitedByHeap() && limit < Units.bytes(defaultText()) ? limit + "B" : defaultText();
  }

  /** Whether its default follows a small heap. */
  boolean isLimitedByHeap() {
    return heapPercentage > 0;
  }

  /** How its default follows a small heap, in words. */
  String heapLimit() {
    return "at most %d %% of the heap beyond %dMB".formatted(heapPercentage, HEAP_FOR_PROXY >> 20);
  }

  /** Whether its value is the name of a Kafka topic. */
  boolean isTopic() {
    return type.isTopic();
  }

  boolean isFile() {
    return type.isFile();
  }

  /** Whether its value may contain a password, and is never shown. */
  public boolean isSecret() {
    return type.isSecret();
  }

  /** The setting whose value, with {@link #defaultSuffix}, is its default. */
  public Optional<Setting<String>> defaultSource() {
    return Optional.ofNullable(defaultSource);
  }

  String defaultSuffix() {
    return defaultSuffix;
  }

  Section section() {
    return section;
  }

  String typeDescription() {
    return type.description().get();
  }

  /** What it does, in one paragraph. */
  public String documentation() {
    return documentation.get().replace('\n', ' ');
  }

  /**
   * Its value.
   *
   * @throws InvalidSettingException if the text is malformed or out of range
   */
  T parse(String text) {
    try {
      return type.parser().apply(text);
    } catch (IllegalArgumentException e) {
      throw new InvalidSettingException(this, String.valueOf(e.getMessage()));
    }
  }

  /** Whether a text is a valid value. */
  public boolean isValid(String text) {
    try {
      T unused = type.parser().apply(text);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  String placeholder(Object value) {
    return type.placeholder(value);
  }

  /** For a secret: the key of the setting that names a file with its value. */
  String fileKey() {
    return key + "-file";
  }

  /** For a secret: the environment variable that names that file, as in Docker's own images. */
  String fileEnvironmentVariable() {
    return environmentVariable(fileKey());
  }

  private static String environmentVariable(String key) {
    return key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }

  private static String storeDocumentation() {
    return StoreType.all().stream()
        .map(
            store ->
                store.name() + (store.location().isEmpty() ? "" : " (" + store.location() + ")"))
        .collect(
            Collectors.joining(
                ", ",
                "Where mappings survive a restart: ",
                ". To change it, see \"Change the store\" in docs/concepts.md."));
  }

  private static URI checkAriUrl(URI url) {
    boolean http =
        "http".equalsIgnoreCase(url.getScheme()) || "https".equalsIgnoreCase(url.getScheme());
    if (!http || url.getHost() == null) {
      throw new IllegalArgumentException("must be a URL such as http://127.0.0.1:8088/ari");
    }
    if (url.getRawUserInfo() != null) {
      throw new IllegalArgumentException(
          "must not contain a user; use ari.username and ari.password");
    }
    if (url.getRawQuery() != null || url.getRawFragment() != null) {
      throw new IllegalArgumentException("must end with ARI's path, without query or fragment");
    }
    String path = url.getRawPath() == null ? "" : url.getRawPath();
    return URI.create(
        url.getScheme().toLowerCase(Locale.ROOT)
            + "://"
            + url.getRawAuthority()
            + (path.endsWith("/") ? path.substring(0, path.length() - 1) : path));
  }

  @Override
  public String toString() {
    return key;
  }
}
