// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import io.retel.ariproxy.config.Setting.Section;
import java.util.ArrayList;
import java.util.List;

/** Generates the configuration file and its reference page from the settings. */
final class ConfigurationReference {

  private static final int LINE_LENGTH = 120;

  private static final String FILE_HEADER =
      """
      # Settings of ari-proxy; docs/configuration.md lists types and ranges. An environment variable overrides each setting:
      # ARI_URL overrides ari.url. Settings without a value here are required or optional, as described.
      # Durations need a unit (ms, s, m, h, d), sizes too (B, KB, MB, GB; 1KB is 1024 bytes).
      # A secret can be read from a file instead: ari.password-file = /run/secrets/ari, or ARI_PASSWORD_FILE.
      """;

  private static final String PAGE_HEADER =
      """
      # Configuration

      Set a value in `config/application.properties`, or in the environment variable of the same
      name in upper case, which takes precedence: `KAFKA_COMMANDS_TOPIC` overrides `kafka.commands-topic`.

      - **Durations** need a unit: `ms`, `s`, `m`, `h`, `d`. **Sizes** also need one: `B`, `KB`, `MB`, `GB`; 1KB is 1024 bytes.
      - **Secrets** can be read from a file: `ari.password-file = /run/secrets/ari`, or `ARI_PASSWORD_FILE`. Secrets never
        appear in logs, URIs, routes or JMX.
      - **Errors**: a missing or malformed setting, or an unknown key in the namespace of a setting, stops startup with exit
        code 78 and one line that names it. Unknown environment variables that resemble a setting are reported at startup.
      - **Camel**: every option of camel-main and of Camel's components can be set in the same file, such as
        `camel.component.kafka.clientId`. A parameter that a route sets takes precedence. Of environment variables, Camel
        applies `CAMEL_MAIN_…`, but ignores `CAMEL_COMPONENT_…`: one line at startup names those.
      """;

  private ConfigurationReference() {}

  /** The part of {@code config/application.properties} that defines settings. */
  static String propertiesFile() {
    StringBuilder file = new StringBuilder(FILE_HEADER);
    for (Section section : Section.values()) {
      file.append("\n# ---- ").append(section.title()).append("\n\n");
      for (Setting<?> setting : settings(section)) {
        wrap(setting.documentation() + defaultSentence(setting))
            .forEach(line -> file.append("# ").append(line).append('\n'));
        file.append(setting.key()).append(" =");
        boolean hasValue = !setting.defaultText().isEmpty() && !setting.isLimitedByHeap();
        file.append(hasValue ? " " + setting.defaultText() : "");
        file.append('\n');
      }
    }
    return file.toString();
  }

  /** {@code docs/configuration.md}. */
  static String page() {
    StringBuilder page = new StringBuilder(PAGE_HEADER);
    for (Section section : Section.values()) {
      page.append("\n## ").append(section.title()).append("\n\n");
      page.append("| setting | default | values | description |\n|---|---|---|---|\n");
      for (Setting<?> setting : settings(section)) {
        page.append(
            "| `%s` | %s | %s | %s |\n"
                .formatted(
                    setting.key(),
                    defaultCell(setting),
                    (setting.isSecret() ? "secret " : "")
                        + setting.typeDescription().replace("|", "\\|"),
                    setting.documentation().replace("|", "\\|").replace("*", "\\*")));
      }
    }
    return page.toString();
  }

  private static List<Setting<?>> settings(Section section) {
    return Setting.all().stream()
        .filter(setting -> setting.section() == section)
        .<Setting<?>>map(setting -> setting)
        .toList();
  }

  private static String defaultCell(Setting<?> setting) {
    if (setting.isRequired()) {
      return "**required**";
    }
    return setting
        .defaultSource()
        .map(source -> "`<" + source.key() + ">" + setting.defaultSuffix() + "`")
        .orElse(
            setting.defaultText().isEmpty()
                ? ""
                : "`"
                    + setting.defaultText()
                    + "`"
                    + (setting.isLimitedByHeap() ? ", " + setting.heapLimit() : ""));
  }

  private static String defaultSentence(Setting<?> setting) {
    if (setting.isRequired()) {
      return " Required.";
    }
    if (setting.isLimitedByHeap()) {
      return " Empty: " + setting.defaultText() + ", " + setting.heapLimit() + ".";
    }
    return setting
        .defaultSource()
        .map(
            source ->
                " Empty: the value of "
                    + source.key()
                    + (setting.defaultSuffix().isEmpty()
                        ? "."
                        : " followed by " + setting.defaultSuffix() + "."))
        .orElse("");
  }

  private static List<String> wrap(String text) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split(" ")) {
      if (line.length() + word.length() + 3 > LINE_LENGTH) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }
}
