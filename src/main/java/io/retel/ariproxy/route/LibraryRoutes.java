// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.error.StartupErrors;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteDefinition;
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

  public LibraryRoutes(CamelContext context, RejectedRouteFiles rejected) {
    this.context = context;
    this.rejected = rejected;
    this.model = ActiveRoutes.model(context);
  }

  /** Adds the routes of all libraries. Call it once the context has started. */
  public void load() {
    Iterator<ServiceLoader.Provider<RoutesBuilder>> providers =
        ServiceLoader.load(RoutesBuilder.class).stream().iterator();
    while (true) {
      try {
        if (!providers.hasNext()) {
          return;
        }
        add(providers.next());
      } catch (ServiceConfigurationError e) {
        // the iterator continues with the next service
        reject("A service in lib/extra", e);
      }
    }
  }

  private void add(ServiceLoader.Provider<RoutesBuilder> provider) {
    String name = provider.type().getName();
    List<RouteDefinition> previous = List.copyOf(model.getRouteDefinitions());
    try {
      Set<String> ids = new LinkedHashSet<>();
      // another instance, since the one that is added must be new
      if (provider.get() instanceof RouteBuilder builder) {
        builder.configureRoutes(context).getRoutes().stream()
            .map(RouteDefinition::getRouteId)
            .forEach(ids::add);
      }
      for (String id : ids) {
        if (id != null && model.getRouteDefinition(id) != null) {
          throw new IllegalArgumentException("the route id " + id + " belongs to another route");
        }
      }
      context.addRoutes(provider.get());
      LOG.info("{} loaded: {}", name, ids);
    } catch (Exception | LinkageError | ServiceConfigurationError e) {
      FatalErrors.exitIfOutOfMemory(e);
      reject(name, e);
      remove(previous);
    }
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
