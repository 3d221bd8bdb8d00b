// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.route.ConfigMapVolume;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A changed settings file is named until the next start. */
class SettingsFileChangeTest {

  private static final String NAME = "application.properties";

  @TempDir private Path folder;
  @AutoClose private final CapturedLog log = new CapturedLog();

  @Test
  void namesChangedFileOfConfigMapOnce() {
    ConfigMapVolume volume = new ConfigMapVolume(folder);
    volume.update(Map.of(NAME, "ari.app = one"));
    Path file = folder.resolve(NAME);
    SettingsFileChange change = new SettingsFileChange(file);
    assertThat(change.describe()).isEmpty();

    volume.update(Map.of(NAME, "ari.app = one", "other", "key"));
    assertThat(change.describe()).as("same content").isEmpty();

    volume.update(Map.of(NAME, "ari.app = two"));
    String changed = file + " has changed since the start; restart the proxy to apply it";
    assertThat(change.describe()).hasValue(changed);
    assertThat(change.describe()).hasValue(changed);
    assertThat(log.lines(Level.WARN)).containsExactly(changed);

    volume.update(Map.of("other", "key"));
    assertThat(change.describe()).as("deleted").hasValue(changed);
    volume.update(Map.of(NAME, "ari.app = one"));
    assertThat(change.describe()).as("as at the start").isEmpty();
  }
}
