// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Environment variables in examples; a misspelled name would have no effect. */
final class EnvironmentVariables {

  private static final Set<String> SETTINGS =
      Setting.all().stream().map(Setting::environmentVariable).collect(Collectors.toSet());
  private static final Set<String> SECRET_FILES =
      Setting.all().stream()
          .filter(Setting::isSecret)
          .map(setting -> setting.environmentVariable() + "_FILE")
          .collect(Collectors.toSet());

  private EnvironmentVariables() {}

  static void assertAllAreSettings(Collection<String> names) {
    assertThat(names)
        .isNotEmpty()
        .allMatch(name -> SETTINGS.contains(name) || SECRET_FILES.contains(name), "is a setting");
  }

  /**
   * @param passwordElsewhere whether the ARI password comes from another source
   */
  static void assertContainsRequired(Collection<String> names, boolean passwordElsewhere) {
    List<String> required =
        Setting.all().stream()
            .filter(Setting::isRequired)
            .filter(setting -> !(passwordElsewhere && setting == Setting.ARI_PASSWORD))
            .map(Setting::environmentVariable)
            .toList();
    assertThat(names.stream().map(name -> name.replaceAll("_FILE$", "")).toList())
        .containsAll(required);
  }
}
