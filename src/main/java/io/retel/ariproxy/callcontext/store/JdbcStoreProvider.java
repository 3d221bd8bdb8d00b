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
import java.util.regex.Pattern;
import org.postgresql.ds.PGSimpleDataSource;

/** {@code callcontext.store = jdbc}. */
public final class JdbcStoreProvider implements CallContextStoreProvider {

  // before the setting, which checks its default
  private static final Pattern HOST = Pattern.compile("([^@:/?,\\[\\]]*|\\[[\\w:.%]*])(:\\d*)?");

  private static final String PARAMETER = "(\\w+(=[^&]*)?)?";

  private static final Pattern POSTGRESQL_URL =
      Pattern.compile(
          "jdbc:postgresql:(//%1$s(,%1$s)*(/[^@?]*)?|(?!//)[^@?]*)(\\?%2$s(&%2$s)*)?"
              .formatted(HOST, PARAMETER));

  public static final Setting<Secret> URL =
      Setting.ofStore(
          "callcontext.jdbc-url",
          SettingType.secret(
              SettingType.text(
                  "text",
                  JdbcStoreProvider::isWellFormed,
                  "must be a URL such as jdbc:postgresql://host/database or jdbc:sqlite:file,"
                      + " without a user before the host; use callcontext.jdbc-username and"
                      + " callcontext.jdbc-password")),
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

  private static boolean isWellFormed(String url) {
    if (!url.startsWith("jdbc:postgresql:")) {
      return url.startsWith("jdbc:sqlite:") && url.length() > "jdbc:sqlite:".length();
    }
    if (!POSTGRESQL_URL.matcher(url).matches()) {
      return false;
    }
    try {
      JdbcStore.postgresql(url);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  @Override
  public List<String> unencryptedLogins(Settings settings) {
    String url = settings.get(URL).reveal();
    if (!url.startsWith("jdbc:postgresql:")) {
      return List.of();
    }
    PGSimpleDataSource database = JdbcStore.postgresql(url);
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
