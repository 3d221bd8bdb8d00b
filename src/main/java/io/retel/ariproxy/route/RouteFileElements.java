// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.config.InvalidSettingException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Elements of Camel's YAML DSL that have another effect than their author expects: on the routes of
 * other files, on messages of shipped routes, or none.
 */
final class RouteFileElements {

  private static final String TEMPLATE_PROBLEM =
      "a route template creates no route in a file: write the route itself";

  private static final String INTERCEPT_PROBLEM =
      "intercept and interceptFrom are not for the proxy's own routes, nor for route configurations,"
          + " which those could use: put the steps into the route";

  private static final String SEND_PROBLEM =
      "an interceptSendToEndpoint applies to the routes of all files until the proxy stops: put its"
          + " steps before the endpoint";

  private static final Pattern DASH = Pattern.compile("-([a-z])");

  /** Elements that Camel applies to the whole context, or ignores. */
  private static final Map<String, String> OF_ALL_FILES =
      Map.of(
          "errorHandler",
          "an errorHandler outside a route applies to the routes of all files: put it into a route",
          "interceptSendToEndpoint",
          SEND_PROBLEM,
          "routeTemplate",
          TEMPLATE_PROBLEM,
          "templatedRoute",
          TEMPLATE_PROBLEM);

  /** Elements whose steps are not watched: a stop there would lose a RESPONSE without a line. */
  private static final Map<String, String> INTERCEPTS =
      Map.of(
          "intercept",
          INTERCEPT_PROBLEM,
          "interceptFrom",
          INTERCEPT_PROBLEM,
          "interceptSendToEndpoint",
          SEND_PROBLEM);

  private RouteFileElements() {}

  /**
   * Rejects elements of a file.
   *
   * @param shipped whether a shipped file has its name
   * @throws InvalidSettingException names the problem
   */
  static void validate(List<?> elements, boolean shipped) {
    for (Object element : elements) {
      if (element instanceof Map<?, ?> keys) {
        keys.forEach((key, value) -> validate(camelCase(key), value, shipped));
      }
    }
  }

  private static void validate(String key, @Nullable Object value, boolean shipped) {
    reject(key, OF_ALL_FILES);
    if (shipped) {
      reject(key, INTERCEPTS);
    }
    if (key.equals("routeConfiguration") && value instanceof Map<?, ?> configuration) {
      // shipped routes can use it
      configuration.keySet().forEach(inner -> reject(camelCase(inner), INTERCEPTS));
    }
  }

  private static void reject(String key, Map<String, String> problems) {
    String problem = problems.get(key);
    if (problem != null) {
      throw new InvalidSettingException(problem);
    }
  }

  /** The YAML DSL accepts both {@code error-handler} and {@code errorHandler}. */
  private static String camelCase(Object key) {
    return DASH.matcher(key.toString())
        .replaceAll(letter -> letter.group(1).toUpperCase(Locale.ROOT));
  }
}
