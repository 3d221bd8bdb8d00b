package io.retel.ariproxy.settings;

import io.retel.ariproxy.command.AllowedOperations;
import io.retel.ariproxy.envelope.Envelopes.EventResourcesFormat;
import io.retel.ariproxy.kafka.KafkaSecurity;
import java.io.IOException;
import java.io.Reader;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The settings of this proxy, all checked. Immutable; {@link #toString} shows no secret.
 *
 * <p>Sizes are in bytes, times in milliseconds where the name does not say otherwise.
 */
public final class Settings {

  /** The maxRequestSize of routes/publish.camel.yaml. */
  private static final int LARGEST_REQUEST = 32 * 1024 * 1024;

  private static final Pattern TOPIC = Pattern.compile("[a-zA-Z0-9._-]{1,249}");
  private static final Pattern HOST_AND_PORT =
      Pattern.compile("[^:,\\s]+:\\d{1,5}|\\[[0-9a-fA-F:.]+]:\\d{1,5}");
  private static final Pattern REDIS_DATABASE = Pattern.compile("(/\\d{0,9})?");
  private static final Pattern TAG = Pattern.compile("(?<name>[a-zA-Z_]\\w*)=(?<value>[^=]+)");
  private static final Pattern KEYSPACE = Pattern.compile("\\w{1,48}");

  private final Map<Setting, String> values = new EnumMap<>(Setting.class);
  private final Map<Setting, Secret> secrets = new EnumMap<>(Setting.class);

  private Settings(Function<Setting, String> lookup) {
    for (Setting setting : Setting.values()) {
      String value = lookup.apply(setting);
      values.put(
          setting, value == null || value.isBlank() ? setting.defaultValue() : value.strip());
    }
    List<Setting> missing =
        Arrays.stream(Setting.values()).filter(setting -> values.get(setting) == null).toList();
    if (!missing.isEmpty()) {
      throw InvalidSettingException.missing(missing);
    }
    for (Setting setting : Setting.values()) {
      if (setting.isSecret()) {
        Secret secret = new Secret(get(setting));
        secrets.put(setting, secret);
        values.put(setting, secret.toString());
      }
    }
    check();
  }

  /**
   * Reads and checks the settings: from an environment variable, else from the file, else the
   * default; secrets also from files that either names.
   *
   * <p>A value is taken as it is written, since a password may look like a placeholder.
   *
   * @param configuration the file; it need not be there
   * @param environment the environment variables
   * @throws InvalidSettingException for all that are missing, or the first that is malformed
   */
  public static Settings read(Path configuration, Map<String, String> environment) {
    Properties file = new Properties();
    if (Files.isRegularFile(configuration)) {
      try (Reader reader = Files.newBufferedReader(configuration)) {
        file.load(reader);
      } catch (IOException | IllegalArgumentException e) {
        throw new InvalidSettingException(configuration + " cannot be read: " + e.getMessage());
      }
    }
    file.stringPropertyNames().forEach(key -> refuseIfMisspelled(configuration, key));
    return new Settings(new SettingSources(environment, file)::valueOf);
  }

  /** What has a name like a setting's must be one; what routes of one's own need has another. */
  private static void refuseIfMisspelled(Path configuration, String key) {
    List<String> known =
        Arrays.stream(Setting.values())
            .flatMap(
                setting ->
                    setting.isSecret()
                        ? Stream.of(setting.key(), setting.fileKey())
                        : Stream.of(setting.key()))
            .toList();
    String group = key.substring(0, key.indexOf('.') + 1);
    if (!group.isEmpty()
        && !known.contains(key)
        && known.stream().anyMatch(setting -> setting.startsWith(group))) {
      throw new InvalidSettingException(configuration + " has " + key + ", which is no setting");
    }
  }

  private void check() {
    ariUrl();
    for (String app : get(Setting.ARI_APP).split(",", -1)) {
      if (app.isBlank()) {
        throw new InvalidSettingException(
            Setting.ARI_APP, "must name a Stasis application, or several with commas");
      }
    }
    if (get(Setting.ARI_USERNAME).contains(":")) {
      throw new InvalidSettingException(
          Setting.ARI_USERNAME, "must not contain a colon, which basic authentication forbids");
    }
    trustedForAri();
    hosts(Setting.KAFKA_BROKERS);
    kafkaSecurity();
    defaultTo(
        Setting.KAFKA_UNMAPPED_EVENTS_TOPIC,
        get(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC) + "-unmapped");
    defaultTo(Setting.KAFKA_GROUP_ID, get(Setting.KAFKA_COMMANDS_TOPIC));
    defaultTo(Setting.CALLCONTEXT_NAMESPACE, get(Setting.KAFKA_COMMANDS_TOPIC));
    defaultTo(
        Setting.CALLCONTEXT_KAFKA_TOPIC, get(Setting.KAFKA_COMMANDS_TOPIC) + "-call-contexts");
    topic(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC);
    topic(Setting.KAFKA_UNMAPPED_EVENTS_TOPIC);
    topic(Setting.KAFKA_COMMANDS_TOPIC);
    topic(Setting.CALLCONTEXT_KAFKA_TOPIC);
    if (!get(Setting.KAFKA_GENERIC_COMMANDS_TOPIC).isEmpty()) {
      topic(Setting.KAFKA_GENERIC_COMMANDS_TOPIC);
    }
    topicsDiffer();
    if (get(Setting.KAFKA_GENERIC_GROUP_ID).equals(get(Setting.KAFKA_GROUP_ID))) {
      throw new InvalidSettingException(
          Setting.KAFKA_GENERIC_GROUP_ID, "must be another group than kafka.group-id");
    }
    number(Setting.ARI_CONNECT_TIMEOUT, 1, 600_000);
    number(Setting.ARI_RESPONSE_TIMEOUT, 1, 600_000);
    number(Setting.ARI_MAX_REQUEST_BODY, 1_024, 512 * 1024 * 1024);
    number(Setting.ARI_MAX_RESPONSE_BODY, 1_024, 512 * 1024 * 1024);
    // with its envelope it must go into one request to Kafka
    number(Setting.ARI_MAX_MESSAGE_SIZE, 1_024, LARGEST_REQUEST - 1024 * 1024);
    number(Setting.ARI_BUFFER_SIZE, 64 * 1024, Long.MAX_VALUE);
    // the producer's buffer is as large, which Camel takes as an int
    number(Setting.KAFKA_MAX_IN_FLIGHT_BYTES, 1024 * 1024, Integer.MAX_VALUE);
    number(Setting.COMMANDS_MAX_CONCURRENCY, 1, 1_000);
    number(Setting.COMMANDS_MAX_IN_FLIGHT, 1, 20_000);
    allowedOperations();
    number(Setting.COMMANDS_MAX_AGE, 0, Integer.MAX_VALUE);
    number(Setting.COMMANDS_DEDUP_WINDOW, 0, Integer.MAX_VALUE);
    number(Setting.COMMANDS_DEDUP_CACHE_SIZE, 0, Long.MAX_VALUE);
    number(Setting.CALLCONTEXT_IDLE_TIMEOUT, 1, Integer.MAX_VALUE);
    number(Setting.CALLCONTEXT_GRACE_PERIOD, 0, Integer.MAX_VALUE);
    number(Setting.CALLCONTEXT_STORE_TIMEOUT, 100, 600_000);
    trueOrFalse(Setting.KAFKA_CREATE_TOPICS);
    switch (store()) {
      case REDIS -> redisUri();
      case JDBC -> jdbcUrl();
      case CASSANDRA -> cassandra();
      case KAFKA, MEMORY -> {
        // they need nothing else
      }
    }
    number(Setting.MANAGEMENT_PORT, 0, 65_535);
    trueOrFalse(Setting.MANAGEMENT_JOLOKIA);
    metricsTags();
    oneOf(Setting.LOGGING_FORMAT, List.of("text", "json"));
    oneOf(Setting.LOGGING_LEVEL, List.of("ERROR", "WARN", "INFO", "DEBUG", "TRACE"));
    trueOrFalse(Setting.LOGGING_MASK);
    trueOrFalse(Setting.TRACING_OPENTELEMETRY);
    number(Setting.SHUTDOWN_TIMEOUT, 1, 3_600);
    eventResources();
    if (!Files.isDirectory(Path.of(get(Setting.ROUTES_DIRECTORY)))) {
      throw new InvalidSettingException(
          Setting.ROUTES_DIRECTORY,
          "names the folder "
              + Path.of(get(Setting.ROUTES_DIRECTORY)).toAbsolutePath()
              + ", which is not there");
    }
  }

  private void redisUri() {
    boolean wellFormed;
    try {
      URI uri = new URI(secret(Setting.CALLCONTEXT_REDIS_URI).reveal());
      wellFormed =
          ("redis".equals(uri.getScheme()) || "rediss".equals(uri.getScheme()))
              && uri.getHost() != null
              && uri.getPort() <= 65_535
              && REDIS_DATABASE.matcher(uri.getPath()).matches()
              && uri.getRawQuery() == null
              && uri.getRawFragment() == null;
    } catch (URISyntaxException e) {
      wellFormed = false;
    }
    if (!wellFormed) {
      throw new InvalidSettingException(
          Setting.CALLCONTEXT_REDIS_URI,
          "must be like redis://localhost:6379 or rediss://user:password@host:6379/0, and what is"
              + " no letter and no digit in the password percent-encoded");
    }
  }

  private void jdbcUrl() {
    String url = secret(Setting.CALLCONTEXT_JDBC_URL).reveal();
    if (!url.matches("jdbc:(postgresql|sqlite):.+")) {
      throw new InvalidSettingException(
          Setting.CALLCONTEXT_JDBC_URL,
          "must be like jdbc:postgresql://host/database or jdbc:sqlite:file");
    }
  }

  private void cassandra() {
    hosts(Setting.CALLCONTEXT_CASSANDRA_HOSTS);
    if (!KEYSPACE.matcher(get(Setting.CALLCONTEXT_CASSANDRA_KEYSPACE)).matches()) {
      throw new InvalidSettingException(
          Setting.CALLCONTEXT_CASSANDRA_KEYSPACE,
          "is no name for a keyspace: letters, digits, underscore");
    }
  }

  private void hosts(Setting setting) {
    for (String host : get(setting).split(",", -1)) {
      if (!HOST_AND_PORT.matcher(host.strip()).matches()) {
        throw new InvalidSettingException(setting, "must be host:port, or several with commas");
      }
    }
  }

  /** A setting's value; secrets are masked. */
  public String get(Setting setting) {
    return values.get(setting);
  }

  /** A setting that is a number. */
  public long number(Setting setting) {
    return Long.parseLong(get(setting));
  }

  /** The Stasis applications. */
  public Set<String> applications() {
    return Arrays.stream(get(Setting.ARI_APP).split(","))
        .map(String::strip)
        .collect(Collectors.toSet());
  }

  /** The password for ARI. */
  public Secret password() {
    return secret(Setting.ARI_PASSWORD);
  }

  /** A setting that is secret. */
  public Secret secret(Setting setting) {
    return secrets.get(setting);
  }

  /** A setting that is a number of milliseconds. */
  public Duration milliseconds(Setting setting) {
    return Duration.ofMillis(number(setting));
  }

  /** A setting that is true or false. */
  public boolean isTrue(Setting setting) {
    return Boolean.parseBoolean(get(setting));
  }

  /** Where call contexts outlive the process. */
  public StoreType store() {
    try {
      return StoreType.valueOf(get(Setting.CALLCONTEXT_STORE).toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw new InvalidSettingException(
          Setting.CALLCONTEXT_STORE, "must be kafka, memory, redis, jdbc or cassandra");
    }
  }

  /** The topics that this proxy writes to or reads from. */
  public List<String> topics() {
    return Stream.of(
            Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC,
            Setting.KAFKA_UNMAPPED_EVENTS_TOPIC,
            Setting.KAFKA_COMMANDS_TOPIC,
            Setting.KAFKA_GENERIC_COMMANDS_TOPIC)
        .map(this::get)
        .filter(topic -> !topic.isEmpty())
        .toList();
  }

  /** A setting that is a number of seconds. */
  public Duration seconds(Setting setting) {
    return Duration.ofSeconds(number(setting));
  }

  /** Whose certificates are trusted for ARI; empty for those that the JVM trusts. */
  public List<X509Certificate> trustedForAri() {
    return new SecuritySettings(this).ariTrustedCertificates();
  }

  /** How Kafka's clients encrypt and log in. */
  public KafkaSecurity kafkaSecurity() {
    return new SecuritySettings(this).kafkaSecurity();
  }

  /** What controllers may ask of Asterisk. */
  public AllowedOperations allowedOperations() {
    try {
      return AllowedOperations.parse(get(Setting.COMMANDS_ALLOWED));
    } catch (IllegalArgumentException e) {
      throw new InvalidSettingException(Setting.COMMANDS_ALLOWED, e.getMessage());
    }
  }

  /** The tags that all metrics have, in their order. */
  public Map<String, String> metricsTags() {
    Map<String, String> tags = new LinkedHashMap<>();
    if (get(Setting.METRICS_TAGS).isEmpty()) {
      return tags;
    }
    for (String tag : get(Setting.METRICS_TAGS).split(",", -1)) {
      Matcher parts = TAG.matcher(tag.strip());
      if (!parts.matches() || tags.put(parts.group("name"), parts.group("value")) != null) {
        throw new InvalidSettingException(
            Setting.METRICS_TAGS,
            "must be like site=fra,asterisk=a1: names of letters, digits and underscores, each once");
      }
    }
    return tags;
  }

  /** How an event's resources are published. */
  public EventResourcesFormat eventResources() {
    try {
      return EventResourcesFormat.valueOf(
          get(Setting.ENVELOPE_EVENT_RESOURCES).toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw new InvalidSettingException(
          Setting.ENVELOPE_EVENT_RESOURCES, "must be array or object");
    }
  }

  /**
   * What the routes' placeholders see: the settings by their keys, secrets masked, and beside them
   * {@code ari.websocket}, the websocket's address that follows from {@code ari.url}, and {@code
   * kafka.producer-buffer}, which is {@code kafka.max-in-flight-bytes} or one largest request.
   */
  public Properties placeholders() {
    Properties placeholders = new Properties();
    values.forEach((setting, value) -> placeholders.setProperty(setting.key(), value));
    URI url = ariUrl();
    String http =
        url.getScheme().toLowerCase(Locale.ROOT) + "://" + url.getRawAuthority() + path(url);
    placeholders.setProperty(Setting.ARI_URL.key(), http);
    placeholders.setProperty("ari.websocket", "ws" + http.substring("http".length()));
    // a producer refuses what is larger than its buffer, which takes memory only as it is needed
    placeholders.setProperty(
        "kafka.producer-buffer",
        Long.toString(Math.max(LARGEST_REQUEST, number(Setting.KAFKA_MAX_IN_FLIGHT_BYTES))));
    return placeholders;
  }

  /** The path of ARI's address, as {@code /ari}. */
  public String ariPath() {
    return path(ariUrl());
  }

  private URI ariUrl() {
    URI url;
    try {
      url = new URI(get(Setting.ARI_URL));
    } catch (URISyntaxException e) {
      throw new InvalidSettingException(Setting.ARI_URL, "is no URL");
    }
    boolean http =
        "http".equalsIgnoreCase(url.getScheme()) || "https".equalsIgnoreCase(url.getScheme());
    if (!http || url.getHost() == null) {
      throw new InvalidSettingException(Setting.ARI_URL, "must be like http://localhost:8088/ari");
    }
    if (url.getRawUserInfo() != null) {
      throw new InvalidSettingException(
          Setting.ARI_URL,
          "must not contain a user; that is what ari.username and ari.password are for");
    }
    if (url.getRawQuery() != null || url.getRawFragment() != null) {
      throw new InvalidSettingException(Setting.ARI_URL, "must end with ARI's path");
    }
    return url;
  }

  private static String path(URI url) {
    String path = url.getRawPath() == null ? "" : url.getRawPath();
    return path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
  }

  private void defaultTo(Setting setting, String value) {
    if (get(setting).isEmpty()) {
      values.put(setting, value);
    }
  }

  /** A proxy that reads what it writes would answer itself, for ever. */
  private void topicsDiffer() {
    Map<String, Setting> seen = new HashMap<>();
    for (Setting setting :
        List.of(
            Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC,
            Setting.KAFKA_UNMAPPED_EVENTS_TOPIC,
            Setting.KAFKA_COMMANDS_TOPIC,
            Setting.KAFKA_GENERIC_COMMANDS_TOPIC,
            Setting.CALLCONTEXT_KAFKA_TOPIC)) {
      Setting same = seen.put(get(setting), setting);
      if (same != null) {
        throw new InvalidSettingException(setting, "must be another topic than " + same.key());
      }
    }
  }

  private void topic(Setting setting) {
    if (!TOPIC.matcher(get(setting)).matches()) {
      throw new InvalidSettingException(
          setting, "is no name for a Kafka topic: letters, digits, dot, dash, underscore");
    }
  }

  private void trueOrFalse(Setting setting) {
    if (!get(setting).equals("true") && !get(setting).equals("false")) {
      throw new InvalidSettingException(setting, "must be true or false");
    }
  }

  private void oneOf(Setting setting, List<String> values) {
    if (!values.contains(get(setting))) {
      throw new InvalidSettingException(setting, "must be one of " + String.join(", ", values));
    }
  }

  private void number(Setting setting, long least, long most) {
    try {
      long value = Long.parseLong(get(setting));
      if (value >= least && value <= most) {
        return;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new InvalidSettingException(
        setting,
        "must be a whole number of at least "
            + least
            + (most == Long.MAX_VALUE ? "" : " and at most " + most));
  }

  @Override
  public String toString() {
    return values.toString();
  }
}
