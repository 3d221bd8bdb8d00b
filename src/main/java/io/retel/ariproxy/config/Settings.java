// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import io.retel.ariproxy.config.SmallFile.UnsuitableFileException;
import java.io.IOException;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/** The validated values of all settings. Immutable; {@link #toString} shows no secret. */
public final class Settings {

  /** Largest {@link Setting#CONFIGURATION_FILE}. */
  public static final int MAX_FILE_BYTES = 1 << 20;

  /** Largest request of the Kafka producers: maxRequestSize in routes/publish.camel.yaml. */
  private static final int MAX_REQUEST_BYTES = 32 * 1024 * 1024;

  private final Map<Setting<?>, Object> values = new LinkedHashMap<>();
  private final Set<Setting<?>> loweredByHeap = new HashSet<>();
  private final boolean hasSecretInConfiguration;

  private Settings(ConfigSource config, long heap) {
    hasSecretInConfiguration = config.hasSecretInConfiguration();
    Map<Setting<?>, String> texts = new HashMap<>();
    for (Setting<?> setting : Setting.all()) {
      String text = config.valueOf(setting);
      if (text != null && !text.isBlank()) {
        texts.put(setting, text.strip());
      } else if (!setting.isRequired()) {
        String defaultText = setting.defaultText(heap);
        texts.put(setting, defaultText);
        if (!defaultText.equals(setting.defaultText())) {
          loweredByHeap.add(setting);
        }
      }
    }
    List<Setting<?>> missing =
        Setting.all().stream().filter(setting -> !texts.containsKey(setting)).toList();
    if (!missing.isEmpty()) {
      throw InvalidSettingException.ofMissing(missing);
    }
    Set<Setting<?>> unused =
        settingsOfOtherStores(Objects.requireNonNull(texts.get(Setting.CALLCONTEXT_STORE)));
    for (Setting<?> setting : Setting.all()) {
      String text = Objects.requireNonNull(texts.get(setting));
      String resolved =
          text.isEmpty()
              ? setting
                  .defaultSource()
                  .map(source -> texts.get(source) + setting.defaultSuffix())
                  .orElse(text)
              : text;
      texts.put(setting, resolved);
      try {
        values.put(
            setting,
            config
                .fileOf(setting)
                .map(file -> secretOf(setting, file, config))
                .orElseGet(() -> setting.parse(resolved)));
      } catch (InvalidSettingException e) {
        if (!setting.isSecret() || !unused.contains(setting)) {
          throw e;
        }
        values.put(setting, setting.parse(setting.defaultText()));
      }
    }
    check();
  }

  /** Returns the settings of all stores but the selected one. */
  private static Set<Setting<?>> settingsOfOtherStores(String selected) {
    Set<Setting<?>> settings = new HashSet<>();
    StoreType.all().stream()
        .filter(store -> !store.name().equalsIgnoreCase(selected))
        .forEach(store -> settings.addAll(store.settings()));
    return settings;
  }

  /**
   * Reads and validates the settings: from the environment variable, the file, or the default, in
   * this order; secrets also from files that either names.
   *
   * <p>Values are literal, since a password may look like a placeholder.
   *
   * @param configuration the file; may be absent
   * @param environment the environment variables
   * @throws InvalidSettingException for all missing settings, or the first malformed one
   */
  public static Settings read(Path configuration, Map<String, String> environment) {
    return read(configuration, environment, Runtime.getRuntime().maxMemory());
  }

  /**
   * Reads them for a heap of a given size, in bytes.
   *
   * @see #read(Path, Map)
   */
  public static Settings read(Path configuration, Map<String, String> environment, long heap) {
    Properties file = new Properties();
    if (Files.isRegularFile(configuration)) {
      try {
        file.load(new StringReader(SmallFile.readText(configuration, MAX_FILE_BYTES)));
      } catch (UnsuitableFileException e) {
        throw new InvalidSettingException(configuration + " " + e.getMessage());
      } catch (IOException | IllegalArgumentException e) {
        throw new InvalidSettingException(configuration + " cannot be read: " + e.getMessage());
      }
    }
    file.stringPropertyNames().forEach(key -> rejectUnknownKey(configuration, key));
    return new Settings(new ConfigSource(environment, file), heap);
  }

  /**
   * Returns the environment with some value for each required setting and the optional topic, and
   * without a store, so that routes can be checked where the proxy does not run.
   */
  public static Map<String, String> withPlaceholderValues(Map<String, String> environment) {
    Map<String, String> complete = new HashMap<>(environment);
    for (Setting<?> setting : Setting.all()) {
      if (setting.isRequired() || setting == Setting.KAFKA_GENERIC_COMMANDS_TOPIC) {
        complete.remove(setting.environmentVariable() + "_FILE");
        complete.putIfAbsent(
            setting.environmentVariable(), "check-" + setting.key().replace('.', '-'));
      }
    }
    complete.put(Setting.CALLCONTEXT_STORE.environmentVariable(), "memory");
    // otherwise spans of messages that nobody has sent
    complete.put(Setting.TRACING_OPENTELEMETRY.environmentVariable(), "false");
    return complete;
  }

  /** Returns a secret that follows its file. */
  private static Object secretOf(Setting<?> setting, Path file, ConfigSource config) {
    return Secret.of(
        setting.fileKey(),
        file,
        () ->
            ((Secret) setting.parse(Objects.requireNonNull(config.valueOf(setting)).strip()))
                .reveal());
  }

  /** Properties for custom routes are allowed, but not in the namespace of a setting. */
  private static void rejectUnknownKey(Path configuration, String key) {
    List<String> known =
        Setting.all().stream()
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
      throw new InvalidSettingException(configuration + " contains unknown setting " + key);
    }
  }

  private void check() {
    requireDistinctTopics();
    if (get(Setting.KAFKA_GENERIC_GROUP_ID).equals(get(Setting.KAFKA_GROUP_ID))) {
      throw new InvalidSettingException(
          Setting.KAFKA_GENERIC_GROUP_ID, "must differ from kafka.group-id");
    }
    get(Setting.CALLCONTEXT_STORE).validate(this);
    requireManagementToken();
    Path routes = Path.of(get(Setting.ROUTES_DIRECTORY));
    if (!Files.isDirectory(routes)) {
      throw new InvalidSettingException(
          Setting.ROUTES_DIRECTORY,
          "must be a directory, but " + routes.toAbsolutePath() + " is not");
    }
  }

  /** Without a token, JMX over HTTP is for users of this host only. */
  private void requireManagementToken() {
    if (get(Setting.MANAGEMENT_PORT) > 0
        && get(Setting.MANAGEMENT_JOLOKIA)
        && !isSet(Setting.MANAGEMENT_TOKEN)
        && !isLoopback(get(Setting.MANAGEMENT_HOST))) {
      throw new InvalidSettingException(
          Setting.MANAGEMENT_TOKEN,
          "must be set, since management.jolokia is true and management.host is not a loopback"
              + " address");
    }
  }

  private static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }

  /** A proxy that consumes what it publishes would process its own messages endlessly. */
  private void requireDistinctTopics() {
    Map<Object, Setting<?>> seen = new HashMap<>();
    for (Setting<?> setting : Setting.all()) {
      if (setting.isTopic() && isSet(setting)) {
        Setting<?> same = seen.put(get(setting), setting);
        if (same != null) {
          throw new InvalidSettingException(
              setting, "must name a different topic than " + same.key());
        }
      }
    }
  }

  /** A setting's value. */
  @SuppressWarnings("unchecked")
  public <T> T get(Setting<T> setting) {
    return (T) Objects.requireNonNull(values.get(setting));
  }

  /** Whether a setting has a lower value than its default because the heap is small. */
  public boolean isLoweredByHeap(Setting<?> setting) {
    return loweredByHeap.contains(setting);
  }

  /** Whether a text or secret is not empty. */
  public boolean isSet(Setting<?> setting) {
    return !(get(setting) instanceof Secret secret ? secret.reveal() : get(setting).toString())
        .isEmpty();
  }

  /**
   * Converts a setting's value to the type of the class that uses it.
   *
   * @throws InvalidSettingException if the function throws IllegalArgumentException
   */
  public <T, R> R get(Setting<T> setting, Function<T, R> parser) {
    try {
      return parser.apply(get(setting));
    } catch (IllegalArgumentException e) {
      throw new InvalidSettingException(setting, String.valueOf(e.getMessage()));
    }
  }

  /**
   * Reads the file that a setting names.
   *
   * @throws InvalidSettingException if the function throws IllegalArgumentException, or does not
   *     return within 10 s
   */
  public <R> R read(Setting<String> setting, Function<Path, R> reader) {
    return get(
        setting,
        file -> {
          try {
            return TimedRead.get(() -> reader.apply(Path.of(file)), TimedRead.TIMEOUT);
          } catch (IOException e) {
            throw new IllegalArgumentException("names " + file + ", which " + e.getMessage(), e);
          }
        });
  }

  /** The files that settings name: of secrets, certificates and keys. */
  public List<Path> files() {
    List<Path> files = new ArrayList<>();
    values.forEach(
        (setting, value) -> {
          if (value instanceof Secret secret) {
            secret.file().ifPresent(files::add);
          } else if (setting.isFile() && setting != Setting.ROUTES_DIRECTORY && isSet(setting)) {
            files.add(Path.of(value.toString()));
          }
        });
    return files;
  }

  /** The files that settings name and that contain a secret: passwords, tokens and keys. */
  public List<Path> secretFiles() {
    List<Path> files = new ArrayList<>();
    values.forEach(
        (setting, value) -> {
          if (value instanceof Secret secret) {
            secret.file().ifPresent(files::add);
          } else if (setting.isFile() && setting.key().endsWith("key-file") && isSet(setting)) {
            files.add(Path.of(value.toString()));
          }
        });
    return files;
  }

  /** Whether {@link Setting#CONFIGURATION_FILE} contains a secret itself. */
  public boolean hasSecretInConfiguration() {
    return hasSecretInConfiguration;
  }

  /** The topics that this proxy publishes to. */
  public List<String> publishedTopics() {
    return List.of(
        get(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC), get(Setting.KAFKA_UNMAPPED_EVENTS_TOPIC));
  }

  /** The topics whose partitions several consumers share: controllers, or proxies. */
  public List<String> sharedTopics() {
    return Stream.of(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC, Setting.KAFKA_GENERIC_COMMANDS_TOPIC)
        .map(this::get)
        .filter(topic -> !topic.isEmpty())
        .toList();
  }

  /** The other topics of this proxy, excluding the store's topic. */
  public List<String> ownTopics() {
    return List.of(get(Setting.KAFKA_UNMAPPED_EVENTS_TOPIC), get(Setting.KAFKA_COMMANDS_TOPIC));
  }

  /** The topics that this proxy consumes commands from. */
  public List<String> commandTopics() {
    return Stream.of(Setting.KAFKA_COMMANDS_TOPIC, Setting.KAFKA_GENERIC_COMMANDS_TOPIC)
        .map(this::get)
        .filter(topic -> !topic.isEmpty())
        .toList();
  }

  /** The consumer groups of this proxy. */
  public List<String> groups() {
    return isSet(Setting.KAFKA_GENERIC_COMMANDS_TOPIC)
        ? List.of(get(Setting.KAFKA_GROUP_ID), get(Setting.KAFKA_GENERIC_GROUP_ID))
        : List.of(get(Setting.KAFKA_GROUP_ID));
  }

  /**
   * The settings as Camel placeholders: by their keys, secrets masked, sizes in bytes, durations in
   * milliseconds. In addition {@code ari.websocket}, the websocket URL derived from {@code
   * ari.url}, and {@code kafka.producer-buffer}, the larger of {@code kafka.max-in-flight-bytes}
   * and the largest request.
   */
  public Properties placeholders() {
    Properties placeholders = new Properties();
    values.forEach(
        (setting, value) -> placeholders.setProperty(setting.key(), setting.placeholder(value)));
    placeholders.setProperty(
        "ari.websocket", get(Setting.ARI_URL).toString().replaceFirst("^http", "ws"));
    // a producer rejects records larger than its buffer, which allocates memory only as needed
    placeholders.setProperty(
        "kafka.producer-buffer",
        Long.toString(Math.max(MAX_REQUEST_BYTES, get(Setting.KAFKA_MAX_IN_FLIGHT_BYTES))));
    return placeholders;
  }

  /** The path of ARI's URL without a trailing slash, such as {@code /ari}. */
  public String ariPath() {
    return get(Setting.ARI_URL).getRawPath();
  }

  @Override
  public String toString() {
    return values.toString();
  }
}
