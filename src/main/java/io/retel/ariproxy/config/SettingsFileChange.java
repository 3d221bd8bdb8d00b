// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Detects that the settings file differs from that of the start, such as in a changed ConfigMap of
 * Kubernetes: only the next start uses it. Thread-safe.
 */
public final class SettingsFileChange {

  private static final Logger LOG = LoggerFactory.getLogger(SettingsFileChange.class);

  private final Path file;
  private final byte @Nullable [] content;
  private final AtomicBoolean logged = new AtomicBoolean();

  /** The latest version whose content is known to be that of the start. */
  private volatile String unchanged;

  /** Reads the file as it is now. */
  public SettingsFileChange(Path file) {
    this.file = file;
    this.unchanged = version();
    this.content = content();
  }

  /** Describes a change in one sentence, and logs it once; empty if the content is the same. */
  public Optional<String> describe() {
    String version = version();
    if (version.equals(unchanged)) {
      return Optional.empty();
    }
    // a ConfigMap replaces the files of all its keys
    if (Arrays.equals(content(), content)) {
      unchanged = version;
      logged.set(false);
      return Optional.empty();
    }
    String change = file + " has changed since the start; restart the proxy to apply it";
    if (!logged.getAndSet(true)) {
      LOG.warn("{}", change);
    }
    return Optional.of(change);
  }

  private String version() {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      return attributes.fileKey() + " " + attributes.lastModifiedTime() + " " + attributes.size();
    } catch (IOException e) {
      return "missing";
    }
  }

  private byte @Nullable [] content() {
    try {
      return SmallFile.readRegular(file, Settings.MAX_FILE_BYTES);
    } catch (IOException e) {
      return null;
    }
  }
}
