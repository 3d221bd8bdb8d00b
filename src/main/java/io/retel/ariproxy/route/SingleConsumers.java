// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.config.InvalidSettingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.MultipleConsumersSupport;
import org.apache.camel.StartupListener;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.support.CamelContextHelper;
import org.apache.camel.util.URISupport;
import org.jspecify.annotations.Nullable;

/**
 * Finds routes that consume the same endpoint, if only one of them may: Camel's own error, at the
 * start of the second route, names neither file nor line. At the start, one in a shipped file ends
 * the proxy.
 */
public final class SingleConsumers implements StartupListener {

  /** Components whose endpoints are the same if their names are, regardless of options. */
  private static final Set<String> BY_NAME = Set.of("direct", "handover", "lanes");

  private static final String SHIPPED_SUFFIX = ".camel.yaml";

  /**
   * A route that consumes the endpoint of another one.
   *
   * @param route the route that has to change
   * @param owner the other route
   * @param endpoint as in the file
   */
  record Conflict(RouteDefinition route, RouteDefinition owner, String endpoint) {

    /** The line of the endpoint, from 1; 0 if unknown. */
    int line() {
      return Math.max(0, route.getInput().getLineNumber());
    }

    Optional<Path> file() {
      return SingleConsumers.file(route);
    }

    Optional<Path> ownerFile() {
      return SingleConsumers.file(owner);
    }

    /** Returns a sentence. */
    String problem() {
      return "the endpoint %s belongs to the route %s%s; choose another one"
          .formatted(
              endpoint,
              owner.getRouteId(),
              ownerFile()
                  .filter(file -> !file().equals(Optional.of(file)))
                  .map(file -> " of " + file.getFileName())
                  .orElse(""));
    }
  }

  /** Returns the routes that consume the endpoint of an earlier one. */
  static List<Conflict> conflicts(CamelContext context, List<RouteDefinition> routes) {
    List<Conflict> conflicts = new ArrayList<>();
    for (int i = 0; i < routes.size(); i++) {
      RouteDefinition route = routes.get(i);
      routes.subList(0, i).stream()
          .filter(owner -> isSame(context, route, owner))
          .findFirst()
          .ifPresent(
              owner -> conflicts.add(new Conflict(route, owner, name(resolved(context, route)))));
    }
    return conflicts;
  }

  /**
   * Returns the routes with those of the proxy first, which keep their endpoints: compiled ones,
   * and shipped ones.
   */
  static List<RouteDefinition> proxyFirst(List<RouteDefinition> routes) {
    List<RouteDefinition> ordered = new ArrayList<>(routes);
    ordered.sort(Comparator.comparing(route -> !isOfProxy(route)));
    return ordered;
  }

  private static boolean isOfProxy(RouteDefinition route) {
    return route.getResource() == null
        || RouteFiles.isShipped(Path.of(route.getRouteId() + SHIPPED_SUFFIX));
  }

  private static boolean isSame(CamelContext context, RouteDefinition one, RouteDefinition other) {
    String uri = resolved(context, one);
    if (uri.isEmpty()
        || !key(uri).equals(key(resolved(context, other)))
        || !startsWithContext(context, one)
        || !startsWithContext(context, other)) {
      return false;
    }
    return BY_NAME.contains(scheme(uri)) || !acceptsSeveral(context, uri);
  }

  /** Another one, such as one with a policy for certain hours, can start when the other ends. */
  private static boolean startsWithContext(CamelContext context, RouteDefinition route) {
    return !Boolean.FALSE.equals(CamelContextHelper.parseBoolean(context, route.getAutoStartup()));
  }

  private static boolean acceptsSeveral(CamelContext context, String uri) {
    try {
      return context.getEndpoint(uri) instanceof MultipleConsumersSupport several
          && several.isMultipleConsumersSupported();
    } catch (RuntimeException e) {
      // the route does not load, which is reported
      return true;
    }
  }

  /** Returns an empty text if a placeholder is unknown, or the address is invalid. */
  private static String resolved(CamelContext context, RouteDefinition route) {
    if (route.getInput() == null) {
      return "";
    }
    try {
      return URISupport.normalizeUri(
          context.resolvePropertyPlaceholders(route.getInput().getEndpointUri()).trim());
    } catch (Exception e) {
      return "";
    }
  }

  private static String key(String uri) {
    return BY_NAME.contains(scheme(uri)) ? name(uri) : uri;
  }

  private static String scheme(String uri) {
    return uri.replaceFirst(":.*", "");
  }

  /** Returns an address without options, as people write it. */
  private static String name(String uri) {
    return uri.replaceFirst("\\?.*", "").replaceFirst("://", ":");
  }

  private static Optional<Path> file(RouteDefinition route) {
    return Optional.ofNullable(route.getResource()).map(ActiveRoutes::toPath);
  }

  /**
   * Ends the start if two routes consume the same endpoint.
   *
   * @throws InvalidSettingException names the file and the line
   */
  @Override
  public void onCamelContextStarting(CamelContext context, boolean alreadyStarted) {
    List<RouteDefinition> built =
        ActiveRoutes.model(context).getRouteDefinitions().stream()
            // without a status, its precondition is false
            .filter(route -> isBuilt(context, route.getRouteId()))
            .toList();
    for (Conflict conflict : conflicts(context, proxyFirst(built))) {
      throw new InvalidSettingException(
          "%s%s: %s"
              .formatted(
                  conflict.file().map(Path::toString).orElse("The route " + conflict.route()),
                  conflict.line() > 0 ? ":" + conflict.line() : "",
                  conflict.problem()));
    }
  }

  private static boolean isBuilt(CamelContext context, @Nullable String routeId) {
    return routeId != null && context.getRouteController().getRouteStatus(routeId) != null;
  }

  @Override
  public void onCamelContextStarted(CamelContext context, boolean alreadyStarted) {
    // checked before the start
  }
}
