// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.SettingType;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.kafka.KafkaTopics;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.slf4j.event.Level;

/** {@code callcontext.store = cassandra}. */
public final class CassandraStoreProvider implements CallContextStoreProvider {

  public static final Setting<String> HOSTS =
      Setting.ofStore(
          "callcontext.cassandra-hosts",
          // validated only if the store is selected
          SettingType.described("host:port, …", SettingType.text()),
          "localhost:9042",
          """
          For cassandra: contact points, separated by commas.""");

  public static final Setting<String> DATACENTER =
      Setting.ofStore(
          "callcontext.cassandra-datacenter",
          SettingType.text(),
          "datacenter1",
          """
          For cassandra: the local datacenter.""");

  public static final Setting<String> KEYSPACE =
      Setting.ofStore(
          "callcontext.cassandra-keyspace",
          SettingType.text(),
          "ari_proxy",
          """
          For cassandra: an existing keyspace. The table call_contexts is created if missing.""");

  public static final Setting<String> USERNAME =
      Setting.ofStore(
          "callcontext.cassandra-username",
          SettingType.text(),
          "",
          """
          For cassandra: the user. Empty: none.""");

  public static final Setting<Secret> PASSWORD =
      Setting.ofStore(
          "callcontext.cassandra-password",
          SettingType.secret(),
          "",
          """
          For cassandra: the password. Prefer CALLCONTEXT_CASSANDRA_PASSWORD or CALLCONTEXT_CASSANDRA_PASSWORD_FILE over
          this file.""");

  private static final Pattern KEYSPACE_NAME = Pattern.compile("\\w{1,48}");

  private static final String DRIVER = "com.datastax.oss.driver";

  @Override
  public String name() {
    return "cassandra";
  }

  @Override
  public List<Setting<?>> settings() {
    return List.of(HOSTS, DATACENTER, KEYSPACE, USERNAME, PASSWORD);
  }

  @Override
  public void validate(Settings settings) {
    settings.get(HOSTS, SettingType.hosts().parser());
    if (!KEYSPACE_NAME.matcher(settings.get(KEYSPACE)).matches()) {
      throw new InvalidSettingException(
          KEYSPACE, "must be a keyspace name: letters, digits, underscore");
    }
  }

  @Override
  public List<String> unencryptedLogins(Settings settings) {
    return settings.isSet(USERNAME) ? Arrays.asList(settings.get(HOSTS).split(",")) : List.of();
  }

  @Override
  public Map<String, Level> logLevels() {
    return Map.of(
        DRIVER,
        Level.WARN,
        DRIVER + ".internal.core.control.ControlConnection",
        Level.ERROR,
        DRIVER + ".internal.core.pool.ChannelPool",
        Level.ERROR,
        DRIVER + ".internal.core.cql.CqlRequestHandler",
        Level.ERROR,
        DRIVER + ".internal.core.util.concurrent.UncaughtExceptions",
        Level.ERROR);
  }

  @Override
  public CallContextStore create(
      Settings settings, Supplier<Map<String, Object>> kafkaClientConfig, KafkaTopics topics) {
    return new CassandraStore(
        settings.get(HOSTS),
        settings.get(DATACENTER),
        settings.get(KEYSPACE),
        settings.get(USERNAME),
        settings.get(PASSWORD),
        settings.get(Setting.CALLCONTEXT_NAMESPACE),
        CallContextStoreProvider.app(settings),
        settings.get(Setting.CALLCONTEXT_IDLE_TIMEOUT),
        settings.get(Setting.CALLCONTEXT_STORE_TIMEOUT));
  }
}
