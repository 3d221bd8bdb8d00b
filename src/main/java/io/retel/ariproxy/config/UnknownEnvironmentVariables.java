// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Environment variables without effect: those that resemble settings but are not, such as
 * misspelled ones, and options of Camel's components. They are reported, not rejected, since they
 * may belong to another program.
 */
public final class UnknownEnvironmentVariables {

  /** Largest edit distance of a suggestion. */
  private static final int MAX_EDIT_DISTANCE = 3;

  private static final List<String> KNOWN_VARIABLES =
      Setting.all().stream()
          .flatMap(
              setting ->
                  setting.isSecret()
                      ? Stream.of(setting.environmentVariable(), setting.fileEnvironmentVariable())
                      : Stream.of(setting.environmentVariable()))
          .toList();

  private static final Set<String> PREFIXES =
      KNOWN_VARIABLES.stream()
          .map(name -> name.substring(0, name.indexOf('_') + 1))
          .collect(Collectors.toUnmodifiableSet());

  /** Variables with values that Kubernetes sets for a service, such as one named kafka. */
  private static final Pattern KUBERNETES_SERVICE_LINK =
      Pattern.compile(
          "\\w+_(SERVICE_HOST=|SERVICE_PORT(_\\w+)?=|PORT=\\w+://|PORT_\\d+_(TCP|UDP|SCTP)).*",
          Pattern.DOTALL);

  /**
   * Prefixes that Camel documents, but ignores in 4.18.0: it compares them with {@code
   * camel.component.} and so on. It applies {@code CAMEL_MAIN_} and others.
   */
  private static final List<String> IGNORED_BY_CAMEL =
      List.of("CAMEL_COMPONENT_", "CAMEL_DATAFORMAT_", "CAMEL_LANGUAGE_");

  private UnknownEnvironmentVariables() {}

  /** Lines that name the variables without effect, without values. */
  public static List<String> warnings(Map<String, String> environment) {
    return Stream.of(warning(environment), ignoredByCamel(environment))
        .flatMap(Optional::stream)
        .toList();
  }

  private static Optional<String> ignoredByCamel(Map<String, String> environment) {
    String named =
        environment.keySet().stream()
            .filter(name -> IGNORED_BY_CAMEL.stream().anyMatch(name::startsWith))
            .sorted()
            .collect(Collectors.joining(", "));
    return named.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "Environment variables have no effect, since Camel ignores them: "
                + named
                + "; set camel.component.… in config/application.properties");
  }

  private static Optional<String> warning(Map<String, String> environment) {
    String named =
        new TreeMap<>(environment)
            .entrySet().stream()
                .filter(variable -> PREFIXES.stream().anyMatch(variable.getKey()::startsWith))
                .filter(variable -> !KNOWN_VARIABLES.contains(variable.getKey()))
                .filter(variable -> !KUBERNETES_SERVICE_LINK.matcher(variable.toString()).matches())
                .map(Map.Entry::getKey)
                .map(name -> name + closest(name).map(known -> " (" + known + "?)").orElse(""))
                .collect(Collectors.joining(", "));
    return named.isEmpty()
        ? Optional.empty()
        : Optional.of("Environment variables resemble settings but are unknown: " + named);
  }

  private static Optional<String> closest(String name) {
    return KNOWN_VARIABLES.stream()
        .filter(known -> known.startsWith(name) || name.startsWith(known))
        .findFirst()
        .or(
            () ->
                KNOWN_VARIABLES.stream()
                    .min(Comparator.comparingInt(known -> editDistance(known, name)))
                    .filter(known -> editDistance(known, name) <= MAX_EDIT_DISTANCE));
  }

  /** Letters to insert, delete or replace to turn one text into the other (Levenshtein). */
  private static int editDistance(String one, String other) {
    int[] row = new int[other.length() + 1];
    Arrays.setAll(row, i -> i);
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= other.length(); j++) {
        int replaced = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[other.length()];
  }
}
