// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.SmallFile.UnsuitableFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.camel.CamelContext;

/** Checks whether route files would load, and what their routes are. */
public final class RouteFilesCheck {

  private final CamelContext context;

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
   */
  public RouteFilesCheck(CamelContext context) {
    this.context = context;
  }

  /** Loads the files into the context: the shipped ones first, as the proxy does. */
  public List<Result> check(List<Path> files) {
    Map<String, Path> fileOfId = new HashMap<>();
    List<Result> results = new ArrayList<>();
    for (boolean shipped : new boolean[] {true, false}) {
      files.stream()
          .filter(file -> RouteFiles.isShipped(file) == shipped)
          .map(file -> check(file, fileOfId))
          .forEach(results::add);
    }
    return results;
  }

  private Result check(Path file, Map<String, Path> fileOfId) {
    String content = "";
    try {
      content = new String(RouteFiles.read(file), StandardCharsets.UTF_8);
      if (content.isBlank()) {
        return invalid(file, new RouteFileError(0, "is empty"));
      }
      return new Result(file, load(file, content, fileOfId), 0, "");
    } catch (UnsuitableFileException e) {
      return invalid(file, new RouteFileError(0, "it " + e.getMessage()));
    } catch (InvalidSettingException e) {
      return invalid(file, new RouteFileError(0, String.valueOf(e.getMessage())));
    } catch (IOException e) {
      return invalid(file, new RouteFileError(0, "cannot be read: " + e));
    } catch (Exception | LinkageError | StackOverflowError e) {
      return invalid(file, RouteFileError.of(e, content));
    }
  }

  private Set<String> load(Path file, String content, Map<String, Path> fileOfId) throws Exception {
    RouteFile parsed =
        new RouteFile(context, "file:" + file, content.getBytes(StandardCharsets.UTF_8));
    Set<String> ids = new TreeSet<>(parsed.routeIds());
    ids.addAll(parsed.configurationIds());
    for (String id : ids) {
      Path owner = fileOfId.putIfAbsent(id, file);
      if (owner != null) {
        throw new InvalidSettingException(
            "the id " + id + " belongs to " + owner.getFileName() + "; choose another one");
      }
    }
    parsed
        .configurations()
        .forEach(
            configuration ->
                RouteConfigurations.replace(ActiveRoutes.model(context), configuration));
    parsed.build();
    return ids;
  }

  private static Result invalid(Path file, RouteFileError error) {
    return new Result(file, List.of(), error.line(), error.reason());
  }
}
