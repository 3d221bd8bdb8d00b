// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import org.slf4j.event.Level;

/**
 * A value of {@code callcontext.store}, with the settings and log levels that it adds. Found by
 * {@link ServiceLoader}, in the order of its file in {@code META-INF/services}.
 */
public interface StoreType {

  /** Every store. */
  static List<StoreType> all() {
    return ServiceLoader.load(StoreType.class, StoreType.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .toList();
  }

  /** Its value in {@code callcontext.store}, in lower case. */
  String name();

  /** Where it stores mappings, for the documentation; empty if its name states it. */
  default String location() {
    return "";
  }

  /** Its settings, created by {@link Setting#ofStore}, in the order of the configuration file. */
  default List<Setting<?>> settings() {
    return List.of();
  }

  /**
   * Validates its settings beyond their types. Called only if this store is selected.
   *
   * @throws InvalidSettingException if a setting is malformed
   */
  default void validate(Settings settings) {}

  /**
   * The servers that receive a login without TLS, as {@code host} or {@code host:port}. Called only
   * if this store is selected.
   */
  default List<String> unencryptedLogins(Settings settings) {
    return List.of();
  }

  /**
   * Levels of the driver's loggers that must not log more, such as passwords and values.
   *
   * <p>An operator cannot lower them, except a logger that descends from another one here: it can
   * be lowered to the level of that one.
   */
  default Map<String, Level> logLevels() {
    return Map.of();
  }
}
