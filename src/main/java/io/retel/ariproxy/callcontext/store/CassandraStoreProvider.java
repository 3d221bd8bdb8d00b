// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.SettingType;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.kafka.KafkaTopics;
import io.retel.ariproxy.tls.CertificateSettings;
import io.retel.ariproxy.tls.SslContexts;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  public static final Setting<Boolean> TLS =
      Setting.ofStore(
          "callcontext.cassandra-tls",
          SettingType.bool(),
          "false",
          """
          For cassandra: TLS. A node's certificate must contain its name in callcontext.cassandra-hosts, or its address if
          it is not named there.""");

  public static final Setting<String> CA_FILE =
      Setting.ofStore(
          "callcontext.cassandra-ca-file",
          SettingType.file(),
          "",
          """
          For cassandra: PEM file with the CA certificates to trust, instead of the JVM's. Empty: the JVM's.""");

  public static final Setting<String> CERTIFICATE_FILE =
      Setting.ofStore(
          "callcontext.cassandra-certificate-file",
          SettingType.file(),
          "",
          """
          For cassandra: PEM file with the client certificate, followed by intermediate CAs, for nodes that require one.""");

  public static final Setting<String> KEY_FILE =
      Setting.ofStore(
          "callcontext.cassandra-key-file",
          SettingType.file(),
          "",
          """
          For cassandra: PEM file with the client certificate's private key (PKCS #8).""");

  public static final Setting<Secret> KEY_PASSWORD =
      Setting.ofStore(
          "callcontext.cassandra-key-password",
          SettingType.secret(),
          "",
          """
          For cassandra: password of that key. Empty: the key is not encrypted.""");

  private static final Pattern KEYSPACE_NAME = Pattern.compile("\\w{1,48}");

  private static final String DRIVER = "com.datastax.oss.driver";

  @Override
  public String name() {
    return "cassandra";
  }

  @Override
  public List<Setting<?>> settings() {
    return List.of(
        HOSTS,
        DATACENTER,
        KEYSPACE,
        USERNAME,
        PASSWORD,
        TLS,
        CA_FILE,
        CERTIFICATE_FILE,
        KEY_FILE,
        KEY_PASSWORD);
  }

  @Override
  public void validate(Settings settings) {
    settings.get(HOSTS, SettingType.hosts().parser());
    if (!KEYSPACE_NAME.matcher(settings.get(KEYSPACE)).matches()) {
      throw new InvalidSettingException(
          KEYSPACE, "must be a keyspace name: letters, digits, underscore");
    }
    tls(settings);
  }

  private static Optional<SslContexts> tls(Settings settings) {
    if (settings.get(TLS)) {
      return Optional.of(
          new SslContexts(
              CertificateSettings.trusted(settings, CA_FILE),
              CertificateSettings.client(settings, CERTIFICATE_FILE, KEY_FILE, KEY_PASSWORD)));
    }
    for (Setting<?> setting : List.of(CA_FILE, CERTIFICATE_FILE, KEY_FILE, KEY_PASSWORD)) {
      if (settings.isSet(setting)) {
        throw new InvalidSettingException(setting, "requires " + TLS.key() + " = true");
      }
    }
    return Optional.empty();
  }

  @Override
  public List<String> unencryptedLogins(Settings settings) {
    return settings.isSet(USERNAME) && !settings.get(TLS)
        ? Arrays.asList(settings.get(HOSTS).split(","))
        : List.of();
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
        tls(settings),
        settings.get(Setting.CALLCONTEXT_NAMESPACE),
        CallContextStoreProvider.app(settings),
        settings.get(Setting.CALLCONTEXT_IDLE_TIMEOUT),
        settings.get(Setting.CALLCONTEXT_STORE_TIMEOUT));
  }
}
