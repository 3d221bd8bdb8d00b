// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Collection;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.util.URISupport;

/** Options of Camel's components that have no effect where a route sets the same parameter. */
final class OverriddenOptions {

  private static final String PREFIX = "camel.component.";

  private OverriddenOptions() {}

  /** Returns a line that names the options, if any. */
  static Optional<String> warning(CamelContext context) {
    // such as kafka.maxpollrecords
    Set<String> ofRoutes =
        context.getEndpoints().stream()
            .map(Endpoint::getEndpointUri)
            .flatMap(OverriddenOptions::parameters)
            .collect(Collectors.toSet());
    String overridden =
        Stream.of(
                context.getPropertiesComponent().loadProperties(name -> true).stringPropertyNames(),
                System.getProperties().stringPropertyNames())
            .flatMap(Collection::stream)
            .filter(option -> option.startsWith(PREFIX))
            .filter(option -> ofRoutes.contains(normalized(option.substring(PREFIX.length()))))
            .distinct()
            .sorted()
            .collect(Collectors.joining(", "));
    return overridden.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "Component options have no effect on routes that set the same parameter: "
                + overridden
                + "; edit these routes");
  }

  private static Stream<String> parameters(String uri) {
    try {
      URI parsed = new URI(uri);
      return URISupport.parseParameters(parsed).keySet().stream()
          .map(parameter -> normalized(parsed.getScheme() + "." + parameter));
    } catch (URISyntaxException e) {
      return Stream.empty();
    }
  }

  private static String normalized(String option) {
    return option.replace(".configuration.", ".").replace("-", "").toLowerCase(Locale.ROOT);
  }
}
