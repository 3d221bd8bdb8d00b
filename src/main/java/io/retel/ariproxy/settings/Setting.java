package io.retel.ariproxy.settings;

import java.util.Locale;

/**
 * Every setting, with its default as {@code config/application.properties} shows it; null means
 * that it is required.
 */
public enum Setting {
  ARI_URL("ari.url", "http://localhost:8088/ari"),
  ARI_APP("ari.app", null),
  ARI_USERNAME("ari.username", null),
  ARI_PASSWORD("ari.password", null, true),
  ARI_CA_FILE("ari.ca-file", ""),
  ARI_CONNECT_TIMEOUT("ari.connect-timeout", "2000"),
  ARI_RESPONSE_TIMEOUT("ari.response-timeout", "10000"),
  ARI_MAX_REQUEST_BODY("ari.max-request-body", "40960"),
  ARI_MAX_RESPONSE_BODY("ari.max-response-body", "524288"),
  ARI_MAX_MESSAGE_SIZE("ari.max-message-size", "16777216"),
  ARI_BUFFER_SIZE("ari.buffer-size", "67108864"),

  KAFKA_BROKERS("kafka.brokers", "localhost:9092"),
  KAFKA_SECURITY_PROTOCOL("kafka.security-protocol", "PLAINTEXT"),
  KAFKA_SASL_MECHANISM("kafka.sasl-mechanism", "SCRAM-SHA-512"),
  KAFKA_USERNAME("kafka.username", ""),
  KAFKA_PASSWORD("kafka.password", "", true),
  KAFKA_CA_FILE("kafka.ca-file", ""),
  KAFKA_CERTIFICATE_FILE("kafka.certificate-file", ""),
  KAFKA_KEY_FILE("kafka.key-file", ""),
  KAFKA_KEY_PASSWORD("kafka.key-password", "", true),
  KAFKA_EVENTS_AND_RESPONSES_TOPIC("kafka.events-and-responses-topic", null),
  KAFKA_UNMAPPED_EVENTS_TOPIC("kafka.unmapped-events-topic", ""),
  KAFKA_COMMANDS_TOPIC("kafka.commands-topic", null),
  KAFKA_GROUP_ID("kafka.group-id", ""),
  KAFKA_GENERIC_COMMANDS_TOPIC("kafka.generic-commands-topic", ""),
  KAFKA_GENERIC_GROUP_ID("kafka.generic-group-id", "ari-proxy-generic-commands"),
  KAFKA_CREATE_TOPICS("kafka.create-topics", "true"),
  KAFKA_MAX_IN_FLIGHT_BYTES("kafka.max-in-flight-bytes", "268435456"),

  COMMANDS_MAX_CONCURRENCY("commands.max-concurrency", "64"),
  COMMANDS_MAX_IN_FLIGHT("commands.max-in-flight", "2000"),
  COMMANDS_ALLOWED("commands.allowed", ""),
  COMMANDS_MAX_AGE("commands.max-age", "0"),
  COMMANDS_DEDUP_WINDOW("commands.dedup-window", "300"),
  COMMANDS_DEDUP_CACHE_SIZE("commands.dedup-cache-size", "67108864"),

  CALLCONTEXT_IDLE_TIMEOUT("callcontext.idle-timeout", "86400"),
  CALLCONTEXT_GRACE_PERIOD("callcontext.grace-period", "60"),
  CALLCONTEXT_STORE("callcontext.store", "kafka"),
  CALLCONTEXT_STORE_TIMEOUT("callcontext.store-timeout", "5000"),
  CALLCONTEXT_NAMESPACE("callcontext.namespace", ""),
  CALLCONTEXT_KAFKA_TOPIC("callcontext.kafka-topic", ""),
  CALLCONTEXT_REDIS_URI("callcontext.redis-uri", "redis://localhost:6379", true),
  CALLCONTEXT_JDBC_URL("callcontext.jdbc-url", "jdbc:sqlite:call-contexts.db", true),
  CALLCONTEXT_JDBC_USERNAME("callcontext.jdbc-username", ""),
  CALLCONTEXT_JDBC_PASSWORD("callcontext.jdbc-password", "", true),
  CALLCONTEXT_CASSANDRA_HOSTS("callcontext.cassandra-hosts", "localhost:9042"),
  CALLCONTEXT_CASSANDRA_DATACENTER("callcontext.cassandra-datacenter", "datacenter1"),
  CALLCONTEXT_CASSANDRA_KEYSPACE("callcontext.cassandra-keyspace", "ari_proxy"),
  CALLCONTEXT_CASSANDRA_USERNAME("callcontext.cassandra-username", ""),
  CALLCONTEXT_CASSANDRA_PASSWORD("callcontext.cassandra-password", "", true),

  MANAGEMENT_HOST("management.host", "127.0.0.1"),
  MANAGEMENT_PORT("management.port", "9000"),
  MANAGEMENT_JOLOKIA("management.jolokia", "false"),
  METRICS_TAGS("metrics.tags", ""),

  LOGGING_FORMAT("logging.format", "text"),
  LOGGING_LEVEL("logging.level", "INFO"),
  LOGGING_MASK("logging.mask", "true"),
  TRACING_OPENTELEMETRY("tracing.opentelemetry", "false"),

  ENVELOPE_EVENT_RESOURCES("ari-proxy.envelope.event-resources", "array"),
  ROUTES_DIRECTORY("ari-proxy.routes-directory", "routes"),
  SHUTDOWN_TIMEOUT("ari-proxy.shutdown-timeout", "30");

  /** The file that has them, in the folder that the proxy is started in. */
  public static final String CONFIGURATION_FILE = "config/application.properties";

  private final String key;
  private final String defaultValue;
  private final boolean isSecret;

  Setting(String key, String defaultValue) {
    this(key, defaultValue, false);
  }

  Setting(String key, String defaultValue, boolean isSecret) {
    this.key = key;
    this.defaultValue = defaultValue;
    this.isSecret = isSecret;
  }

  /** Its name in {@code application.properties}. */
  public String key() {
    return key;
  }

  /** Its default; empty for none; null if it is required. */
  public String defaultValue() {
    return defaultValue;
  }

  /** Whether its value, which may have a password in it, is never shown. */
  public boolean isSecret() {
    return isSecret;
  }

  /** The environment variable that overrides it. */
  public String environmentVariable() {
    return environmentVariable(key);
  }

  /** For a secret, the name in {@code application.properties} of a file that it may stand in. */
  String fileKey() {
    return key + "-file";
  }

  /** The environment variable that may name that file, as Docker's own images have it. */
  String fileEnvironmentVariable() {
    return environmentVariable(fileKey());
  }

  private static String environmentVariable(String key) {
    return key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }
}
