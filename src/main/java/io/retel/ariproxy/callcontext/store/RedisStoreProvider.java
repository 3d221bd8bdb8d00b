// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.SettingType;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.kafka.KafkaTopics;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.slf4j.event.Level;

/** {@code callcontext.store = redis}. */
public final class RedisStoreProvider implements CallContextStoreProvider {

  // before the setting, which checks its default
  private static final Pattern DATABASE = Pattern.compile("(/\\d{0,9})?");

  public static final Setting<Secret> URI =
      Setting.ofStore(
          "callcontext.redis-uri",
          SettingType.secret(
              SettingType.text(
                  "text",
                  RedisStoreProvider::isWellFormed,
                  "must be a URI such as redis://localhost:6379 or rediss://user:password@host:6379/0,"
                      + " with special characters in the password percent-encoded")),
          "redis://localhost:6379",
          """
          For redis: redis[s]://[user:password@]host[:port][/database].""");

  @Override
  public String name() {
    return "redis";
  }

  @Override
  public List<Setting<?>> settings() {
    return List.of(URI);
  }

  @Override
  public List<String> unencryptedLogins(Settings settings) {
    URI uri = java.net.URI.create(settings.get(URI).reveal());
    return uri.getScheme().equals("redis") && uri.getRawUserInfo() != null
        ? List.of(uri.getHost())
        : List.of();
  }

  private static boolean isWellFormed(String text) {
    try {
      URI uri = new URI(text);
      return ("redis".equals(uri.getScheme()) || "rediss".equals(uri.getScheme()))
          && uri.getHost() != null
          && uri.getPort() <= 65_535
          && DATABASE.matcher(uri.getPath()).matches()
          && uri.getRawQuery() == null
          && uri.getRawFragment() == null;
    } catch (URISyntaxException e) {
      return false;
    }
  }

  @Override
  public Map<String, Level> logLevels() {
    return Map.of("io.lettuce", Level.WARN);
  }

  @Override
  public CallContextStore create(
      Settings settings, Supplier<Map<String, Object>> kafkaClientConfig, KafkaTopics topics) {
    return new RedisStore(
        settings.get(URI),
        settings.get(Setting.CALLCONTEXT_NAMESPACE),
        CallContextStoreProvider.app(settings),
        settings.get(Setting.CALLCONTEXT_IDLE_TIMEOUT),
        settings.get(Setting.CALLCONTEXT_STORE_TIMEOUT));
  }
}
