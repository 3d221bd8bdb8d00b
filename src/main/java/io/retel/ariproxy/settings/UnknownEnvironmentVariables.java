package io.retel.ariproxy.settings;

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
 * Environment variables that look like settings and are none: a slip of the pen sets nothing. They
 * are not refused, since an environment may have variables of others.
 */
public final class UnknownEnvironmentVariables {

  /** How many letters a slip of the pen takes. */
  private static final int SLIP = 3;

  private static final List<String> KNOWN =
      Arrays.stream(Setting.values())
          .flatMap(
              setting ->
                  setting.isSecret()
                      ? Stream.of(setting.environmentVariable(), setting.fileEnvironmentVariable())
                      : Stream.of(setting.environmentVariable()))
          .toList();

  private static final Set<String> GROUPS =
      KNOWN.stream()
          .map(name -> name.substring(0, name.indexOf('_') + 1))
          .collect(Collectors.toUnmodifiableSet());

  /** With their values, what Kubernetes tells of a service that is called kafka, for example. */
  private static final Pattern OF_A_SERVICE =
      Pattern.compile(
          "\\w+_(SERVICE_HOST=|SERVICE_PORT(_\\w+)?=|PORT=\\w+://|PORT_\\d+_(TCP|UDP|SCTP)).*",
          Pattern.DOTALL);

  private UnknownEnvironmentVariables() {}

  /** A line that names those of an environment; empty if there are none. No value is in it. */
  public static Optional<String> in(Map<String, String> environment) {
    String named =
        new TreeMap<>(environment)
            .entrySet().stream()
                .filter(variable -> GROUPS.stream().anyMatch(variable.getKey()::startsWith))
                .filter(variable -> !KNOWN.contains(variable.getKey()))
                .filter(variable -> !OF_A_SERVICE.matcher(variable.toString()).matches())
                .map(Map.Entry::getKey)
                .map(name -> name + meant(name).map(known -> " (" + known + "?)").orElse(""))
                .collect(Collectors.joining(", "));
    return named.isEmpty()
        ? Optional.empty()
        : Optional.of("Environment variables that look like settings and are none: " + named);
  }

  private static Optional<String> meant(String name) {
    return KNOWN.stream()
        .min(Comparator.comparingInt(known -> slips(known, name)))
        .filter(known -> slips(known, name) <= SLIP)
        .or(
            () ->
                KNOWN.stream()
                    .filter(known -> known.startsWith(name) || name.startsWith(known))
                    .findFirst());
  }

  /** Letters to add, take away or exchange until one text is the other (Levenshtein). */
  private static int slips(String one, String other) {
    int[] row = new int[other.length() + 1];
    Arrays.setAll(row, i -> i);
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= other.length(); j++) {
        int exchanged = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(exchanged, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[other.length()];
  }
}
