// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.error.StartupErrors;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Routes in Java from the libraries that a user has added: services of the type {@link
 * RoutesBuilder}. Like an additional file, one that does not load is skipped.
 */
public final class LibraryRoutes {

  private static final Logger LOG = LoggerFactory.getLogger(LibraryRoutes.class);

  private final CamelContext context;
  private final RejectedRouteFiles rejected;
  private final Model model;
  private final Duration maxStart;
  private volatile @Nullable String loading;

  public LibraryRoutes(CamelContext context, RejectedRouteFiles rejected) {
    this(context, rejected, InterruptAfter.MAX_START);
  }

  LibraryRoutes(CamelContext context, RejectedRouteFiles rejected, Duration maxStart) {
    this.maxStart = maxStart;
    this.context = context;
    this.rejected = rejected;
    this.model = ActiveRoutes.model(context);
  }

  /** Adds the routes of all libraries. Call it once the context has started. */
  public void load() {
    Iterator<ServiceLoader.Provider<RoutesBuilder>> providers =
        ServiceLoader.load(RoutesBuilder.class).stream().iterator();
    try {
      while (providers.hasNext()) {
        add(providers.next());
      }
    } catch (Throwable e) {
      // such as a class for a newer Java; the iterator may not continue after it
      FatalErrors.exitIfOutOfMemory(e);
      reject("A service in lib/extra", e);
    }
  }

  /** Returns the class whose routes are being added. */
  public Optional<String> loading() {
    return Optional.ofNullable(loading);
  }

  /** A route that blocks its start must not block Camel, which starts one at a time. */
  void add(ServiceLoader.Provider<RoutesBuilder> provider) {
    String name = provider.type().getName();
    List<RouteDefinition> routes = List.copyOf(model.getRouteDefinitions());
    List<RouteConfigurationDefinition> configurations =
        List.copyOf(model.getRouteConfigurationDefinitions());
    loading = name;
    try {
      Set<String> ids;
      try (InterruptAfter limit = new InterruptAfter(maxStart)) {
        ids = build(provider);
      }
      LOG.info("{} loaded: {}", name, ids);
    } catch (Throwable e) {
      FatalErrors.exitIfOutOfMemory(e);
      reject(name, e);
      remove(routes);
      model.getRouteConfigurationDefinitions().retainAll(configurations);
    } finally {
      loading = null;
    }
  }

  private Set<String> build(ServiceLoader.Provider<RoutesBuilder> provider) throws Exception {
    Set<String> ids = routeIds(provider.get());
    for (String id : ids) {
      if (model.getRouteDefinition(id) != null) {
        throw new IllegalArgumentException("the route id " + id + " belongs to another route");
      }
    }
    // another instance, since the first one has built its routes
    context.addRoutes(provider.get());
    return ids;
  }

  private Set<String> routeIds(RoutesBuilder routes) throws Exception {
    if (!(routes instanceof RouteBuilder builder)) {
      throw new IllegalArgumentException("it is not a RouteBuilder");
    }
    Set<String> ids = new LinkedHashSet<>();
    for (RouteDefinition route : builder.configureRoutes(context).getRoutes()) {
      if (route.getRouteId() != null) {
        ids.add(route.getRouteId());
      }
    }
    return ids;
  }

  private void remove(List<RouteDefinition> previous) {
    for (RouteDefinition route : List.copyOf(model.getRouteDefinitions())) {
      if (!previous.contains(route)) {
        try {
          context.getRouteController().stopRoute(route.getRouteId());
          context.removeRoute(route.getRouteId());
          model.removeRouteDefinition(route);
        } catch (Exception e) {
          LOG.error("{} failed to stop: {}", route.getRouteId(), StartupErrors.singleLine(e));
        }
      }
    }
  }

  private void reject(String name, Throwable error) {
    String reason =
        "failed to load: %s (none of its routes run)".formatted(StartupErrors.singleLine(error));
    LOG.error("{} {}", name, reason);
    rejected.add(Path.of(name), reason);
  }
}
