// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import io.retel.ariproxy.config.SmallFile.UnsuitableFileException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Looks up settings: first in the environment variable, then in the configuration. Either may name
 * a file that contains a secret, such as those that Docker and Kubernetes mount.
 *
 * @param environment the environment variables
 * @param configuration the content of {@code application.properties}
 * @param timeout for reading the file of a secret
 */
record ConfigSource(Map<String, String> environment, Properties configuration, Duration timeout) {

  private static final int MAX_SECRET_BYTES = 64 << 10;

  /** Addresses of stores, which are secrets only with a login. */
  private static final Pattern ADDRESS = Pattern.compile("(?:jdbc:|rediss?:)");

  private static final Pattern LOGIN = Pattern.compile("(?i)@|password=");

  ConfigSource(Map<String, String> environment, Properties configuration) {
    this(environment, configuration, TimedRead.TIMEOUT);
  }

  /**
   * The literal text of a setting; null if it is not set.
   *
   * @throws InvalidSettingException for a secret that is set twice or whose file is unusable
   */
  @Nullable String valueOf(Setting<?> setting) {
    String variable = environment.get(setting.environmentVariable());
    String property = configuration.getProperty(setting.key());
    if (!setting.isSecret()) {
      return variable == null ? property : variable;
    }
    String variableForFile = environment.get(setting.fileEnvironmentVariable());
    if (variable != null || isSet(variableForFile)) {
      return resolveSecret(setting, variable, variableForFile);
    }
    return resolveSecret(setting, property, configuration.getProperty(setting.fileKey()));
  }

  /**
   * Returns the file that contains a secret, if {@link #valueOf} reads one. A pipe can be read only
   * once, so it is not returned.
   */
  Optional<Path> fileOf(Setting<?> setting) {
    if (!setting.isSecret()) {
      return Optional.empty();
    }
    String variableForFile = environment.get(setting.fileEnvironmentVariable());
    String file =
        environment.get(setting.environmentVariable()) != null || isSet(variableForFile)
            ? variableForFile
            : configuration.getProperty(setting.fileKey());
    return Optional.ofNullable(file)
        .filter(ConfigSource::isSet)
        .map(name -> Path.of(name.strip()))
        .filter(Files::isRegularFile);
  }

  /** Whether the configuration itself contains a secret, also if a variable overrides it. */
  boolean hasSecretInConfiguration() {
    return Setting.all().stream()
        .filter(Setting::isSecret)
        .map(setting -> configuration.getProperty(setting.key(), "").strip())
        .anyMatch(
            value ->
                !value.isEmpty()
                    && (!ADDRESS.matcher(value).lookingAt() || LOGIN.matcher(value).find()));
  }

  private @Nullable String resolveSecret(
      Setting<?> secret, @Nullable String value, @Nullable String file) {
    if (file == null || file.isBlank()) {
      return value;
    }
    if (isSet(value)) {
      throw new InvalidSettingException(
          secret, "is set twice, directly and by the file in " + secret.fileKey());
    }
    return readSecretFile(secret, file.strip());
  }

  private String readSecretFile(Setting<?> secret, String file) {
    try {
      // editors and echo end the last line with a line break
      String content = SmallFile.readText(Path.of(file), MAX_SECRET_BYTES, timeout);
      content = content.replaceFirst("\\R\\z", "");
      if (content.isBlank()) {
        throw InvalidSettingException.inFile(secret, "names " + file + ", which is empty");
      }
      if (content.lines().count() > 1) {
        throw InvalidSettingException.inFile(
            secret, "names " + file + ", which has more than one line");
      }
      return content;
    } catch (NoSuchFileException | InvalidPathException e) {
      throw InvalidSettingException.inFile(secret, "names " + file + ", which does not exist");
    } catch (AccessDeniedException e) {
      throw InvalidSettingException.inFile(
          secret, "names " + file + ", which " + ReadAccess.denial(Path.of(file)));
    } catch (CharacterCodingException e) {
      throw InvalidSettingException.inFile(secret, "names " + file + ", which is not UTF-8 text");
    } catch (UnsuitableFileException e) {
      throw InvalidSettingException.inFile(secret, "names " + file + ", which " + e.getMessage());
    } catch (IOException e) {
      throw InvalidSettingException.inFile(secret, "names " + file + ", which cannot be read");
    }
  }

  private static boolean isSet(@Nullable String value) {
    return value != null && !value.isBlank();
  }
}
