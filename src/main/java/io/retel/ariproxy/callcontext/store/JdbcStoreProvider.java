// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.SettingType;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.kafka.KafkaTopics;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.postgresql.ds.PGSimpleDataSource;

/** {@code callcontext.store = jdbc}. */
public final class JdbcStoreProvider implements CallContextStoreProvider {

  public static final Setting<Secret> URL =
      Setting.ofStore(
          "callcontext.jdbc-url",
          SettingType.secret(
              SettingType.text(
                  "text",
                  "jdbc:(postgresql|sqlite):.+",
                  "must be a URL such as jdbc:postgresql://host/database or jdbc:sqlite:file")),
          "jdbc:sqlite:call-contexts.db",
          """
          For jdbc: jdbc:postgresql://host/database or jdbc:sqlite:file. The table ari_proxy_call_contexts is created if missing.""");

  public static final Setting<String> USERNAME =
      Setting.ofStore(
          "callcontext.jdbc-username",
          SettingType.text(),
          "",
          """
          For jdbc: the database user. Empty: none.""");

  public static final Setting<Secret> PASSWORD =
      Setting.ofStore(
          "callcontext.jdbc-password",
          SettingType.secret(),
          "",
          """
          For jdbc: the password. Prefer CALLCONTEXT_JDBC_PASSWORD or CALLCONTEXT_JDBC_PASSWORD_FILE over this file.""");

  private static final Set<String> ENCRYPTING_MODES = Set.of("require", "verify-ca", "verify-full");

  @Override
  public String name() {
    return "jdbc";
  }

  @Override
  public List<Setting<?>> settings() {
    return List.of(URL, USERNAME, PASSWORD);
  }

  @Override
  public List<String> unencryptedLogins(Settings settings) {
    String url = settings.get(URL).reveal();
    if (!url.startsWith("jdbc:postgresql:")) {
      return List.of();
    }
    PGSimpleDataSource database = new PGSimpleDataSource();
    try {
      database.setURL(url);
    } catch (IllegalArgumentException e) {
      // create() rejects it
      return List.of();
    }
    boolean hasLogin = settings.isSet(USERNAME) || database.getUser() != null;
    // the driver's default, prefer, accepts a server without TLS
    boolean encrypts =
        database.getSslMode() == null
            ? database.getSsl()
            : ENCRYPTING_MODES.contains(database.getSslMode());
    return hasLogin && !encrypts ? List.of(database.getServerNames()) : List.of();
  }

  @Override
  public CallContextStore create(
      Settings settings, Supplier<Map<String, Object>> kafkaClientConfig, KafkaTopics topics) {
    return new JdbcStore(
        settings.get(URL),
        settings.get(USERNAME),
        settings.get(PASSWORD),
        settings.get(Setting.CALLCONTEXT_NAMESPACE),
        CallContextStoreProvider.app(settings),
        settings.get(Setting.CALLCONTEXT_STORE_TIMEOUT));
  }
}
