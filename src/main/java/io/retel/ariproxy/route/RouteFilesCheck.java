// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.SmallFile.UnsuitableFileException;
import io.retel.ariproxy.error.FatalErrors;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.ToDynamicDefinition;
import org.apache.camel.support.CamelContextHelper;

/** Checks whether route files would load, and what their routes are. */
public final class RouteFilesCheck {

  /** Of a URI, if it is not an expression. */
  private static final Pattern SCHEME = Pattern.compile("\\s*([\\w+.-]+):");

  /** In place of a scheme: an expression in a language follows. */
  private static final String EXPRESSION = "language";

  private final CamelContext context;
  private final RouteBeans beans;
  private final Set<String> requiredRoutes;
  private final CompiledRoutes compiledRoutes;

  /**
   * A file and its outcome.
   *
   * @param file the file
   * @param ids the routes and route configurations, if it would load
   * @param line of the problem, from 1; 0 if unknown
   * @param problem on one line; empty if it would load
   */
  public record Result(Path file, Collection<String> ids, int line, String problem) {

    public boolean loads() {
      return problem.isEmpty();
    }
  }

  /**
   * @param context has the beans of the proxy, and starts no routes
   * @param requiredRoutes ids of routes, each in the shipped file with its name
   * @param compiledRoutes the routes in effect without a file of the same id
   */
  public RouteFilesCheck(
      CamelContext context, Set<String> requiredRoutes, CompiledRoutes compiledRoutes) {
    this.context = context;
    this.compiledRoutes = compiledRoutes;
    this.requiredRoutes = Set.copyOf(requiredRoutes);
    this.beans = new RouteBeans(context, InterruptAfter.MAX_EDIT);
  }

  /**
   * Loads the files into the context, as the proxy does: all route configurations, then the shipped
   * routes, then the others.
   */
  public List<Result> check(List<Path> files) {
    List<Path> ordered = new ArrayList<>(files);
    ordered.sort(Comparator.comparing(file -> !RouteFiles.isShipped(file)));
    Map<String, Path> fileOfId = new HashMap<>();
    Map<String, Path> fileOfBean = new HashMap<>();
    Set<String> shippedSteps = new HashSet<>();
    Map<Path, Result> results = new LinkedHashMap<>();
    Map<Path, RouteFile> parsed = new LinkedHashMap<>();
    Map<Path, Set<String>> built = new HashMap<>();
    for (Path file : ordered) {
      results.put(
          file,
          attempt(
              file,
              content -> {
                RouteFile routes = parse(file, content);
                Set<String> ids = ids(file, routes, fileOfId);
                checkBeans(file, routes, fileOfBean);
                RouteFiles.addSteps(
                    routes.steps(), RouteFiles.isShipped(file) ? shippedSteps : new HashSet<>());
                routes
                    .configurations()
                    .forEach(
                        configuration ->
                            RouteConfigurations.replace(
                                ActiveRoutes.model(context), configuration));
                parsed.put(file, routes);
                return ids;
              }));
    }
    parsed.forEach(
        (file, routes) ->
            results.computeIfPresent(
                file,
                (key, result) ->
                    attempt(
                        file,
                        content -> {
                          beans.replace(
                              routes.beanNames(),
                              beans.create(routes.beans(), InterruptAfter.MAX_START));
                          if (RouteFiles.isShipped(file)) {
                            Optional<String> missing =
                                routes.missingConfiguration(
                                    ActiveRoutes.model(context).getRouteConfigurationDefinitions());
                            if (missing.isPresent()) {
                              throw new InvalidSettingException(missing.get());
                            }
                          }
                          built.put(file, routes.build());
                          requireComponents(routes);
                          return result.ids();
                        })));
    rejectRepeatedEndpoints(results, parsed, built);
    rejectMissingRoutes(results, fileOfId.keySet());
    return List.copyOf(results.values());
  }

  /**
   * Rejects a dynamic endpoint whose component is missing: Camel looks for it with the first
   * message. One whose scheme is an expression is accepted. Only here, since it creates components.
   */
  private void requireComponents(RouteFile file) throws Exception {
    for (RouteDefinition route : file.routes()) {
      // not one whose precondition is false
      if (route.getRouteId() == null
          || ActiveRoutes.model(context).getRouteDefinition(route.getRouteId()) != null) {
        for (ToDynamicDefinition step :
            ProcessorDefinitionHelper.filterTypeInOutputs(
                route.getOutputs(), ToDynamicDefinition.class)) {
          requireComponent(step);
        }
      }
    }
  }

  private void requireComponent(ToDynamicDefinition step) {
    if (step.getUri() == null
        || Boolean.TRUE.equals(CamelContextHelper.parseBoolean(context, step.getDisabled()))
        || Boolean.TRUE.equals(
            CamelContextHelper.parseBoolean(context, step.getIgnoreInvalidEndpoint()))) {
      return;
    }
    Matcher scheme = SCHEME.matcher(context.resolvePropertyPlaceholders(step.getUri()));
    if (scheme.lookingAt()
        && !scheme.group(1).equals(EXPRESSION)
        && context.getComponent(scheme.group(1), true, false) == null) {
      throw new InvalidStepException(
          step,
          "the component %s of the step %s is missing: add it to lib/extra"
              .formatted(
                  scheme.group(1),
                  step.hasCustomIdAssigned() ? step.getId() : step.getShortName()));
    }
  }

  private void rejectRepeatedEndpoints(
      Map<Path, Result> results, Map<Path, RouteFile> parsed, Map<Path, Set<String>> built) {
    List<RouteDefinition> routes = new ArrayList<>();
    Map<RouteDefinition, Path> fileOfRoute = new IdentityHashMap<>();
    parsed.forEach(
        (file, content) -> {
          for (RouteDefinition route : content.routes()) {
            // not one whose precondition is false
            if (built.containsKey(file)
                && (route.getRouteId() == null || built.get(file).contains(route.getRouteId()))) {
              routes.add(route);
              fileOfRoute.put(route, file);
            }
          }
        });
    for (SingleConsumers.Conflict conflict :
        SingleConsumers.conflicts(context, SingleConsumers.proxyFirst(withCompiled(routes)))) {
      Path file = fileOfRoute.get(conflict.route());
      if (file != null) {
        results.computeIfPresent(
            file,
            (key, result) ->
                result.loads()
                    ? invalid(file, new RouteFileError(conflict.line(), conflict.problem()))
                    : result);
      }
    }
  }

  /** Returns the routes, and the compiled ones that they do not replace. */
  private List<RouteDefinition> withCompiled(List<RouteDefinition> routes) {
    try {
      List<RouteDefinition> all = new ArrayList<>(compiledRoutes.routes(context));
      all.removeIf(
          compiled ->
              routes.stream().anyMatch(it -> compiled.getRouteId().equals(it.getRouteId())));
      all.addAll(routes);
      return all;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private RouteFile parse(Path file, String text) throws Exception {
    byte[] content = text.getBytes(StandardCharsets.UTF_8);
    String location = "file:" + file;
    Set<String> required = new HashSet<>(new RouteFile(context, location, content).routeIds());
    required.retainAll(requiredRoutes);
    return new RouteFile(context, location, content, required);
  }

  /** Of those that no file has, the file with the name would have to. */
  private void rejectMissingRoutes(Map<Path, Result> results, Set<String> ids) {
    for (String id : requiredRoutes) {
      if (!ids.contains(id)) {
        results.replaceAll(
            (file, result) ->
                result.loads() && file.getFileName().toString().equals(id + ".camel.yaml")
                    ? invalid(
                        file, new RouteFileError(0, "the required route " + id + " is missing"))
                    : result);
      }
    }
  }

  /** Checks a content; returns the ids that it contains. */
  private interface Check {
    Collection<String> run(String content) throws Exception;
  }

  private static Result attempt(Path file, Check check) {
    if (RouteFiles.isMisnamed(file)) {
      return invalid(file, new RouteFileError(0, RouteFiles.MISNAMED));
    }
    String content = "";
    try {
      content = new String(RouteFiles.read(file), StandardCharsets.UTF_8);
      if (content.isBlank()) {
        return invalid(file, new RouteFileError(0, "is empty"));
      }
      return new Result(file, check.run(content), 0, "");
    } catch (UnsuitableFileException e) {
      return invalid(file, new RouteFileError(0, "it " + e.getMessage()));
    } catch (InvalidSettingException e) {
      return invalid(file, new RouteFileError(0, String.valueOf(e.getMessage())));
    } catch (IOException e) {
      return invalid(file, new RouteFileError(0, "cannot be read: " + e));
    } catch (Throwable e) {
      FatalErrors.exitIfOutOfMemory(e);
      return invalid(file, RouteFileError.of(e, content));
    }
  }

  private static Set<String> ids(Path file, RouteFile routes, Map<String, Path> fileOfId) {
    if (!RouteFiles.isShipped(file)
        && routes.configurations().stream().anyMatch(RouteConfigurations::isGlobal)) {
      throw new InvalidSettingException(RouteConfigurations.GLOBAL_PROBLEM);
    }
    Set<String> ids = new TreeSet<>(routes.routeIds());
    ids.addAll(routes.configurationIds());
    for (String id : ids) {
      Path owner = fileOfId.putIfAbsent(id, file);
      if (owner != null) {
        throw new InvalidSettingException(
            "the id " + id + " belongs to " + owner.getFileName() + "; choose another one");
      }
    }
    return ids;
  }

  private void checkBeans(Path file, RouteFile routes, Map<String, Path> fileOfBean) {
    for (String name : routes.beanNames()) {
      // before any file is built
      if (context.getRegistry().lookupByName(name) != null) {
        throw new InvalidSettingException(RouteFiles.BEAN_OF_PROXY.formatted(name));
      }
      Path owner = fileOfBean.putIfAbsent(name, file);
      if (owner != null) {
        throw new InvalidSettingException(
            RouteFiles.BEAN_OF_FILE.formatted(name, owner.getFileName()));
      }
    }
  }

  private static Result invalid(Path file, RouteFileError error) {
    return new Result(file, List.of(), error.line(), error.reason());
  }
}
