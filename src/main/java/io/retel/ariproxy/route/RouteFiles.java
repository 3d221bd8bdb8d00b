// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.SmallFile;
import io.retel.ariproxy.config.SmallFile.UnsuitableFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.FailedToCreateRouteException;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.support.CamelContextHelper;
import org.apache.camel.util.ObjectHelper;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Route files: listing and validation.
 *
 * <p>A shipped file makes up the proxy: the start fails if it is invalid. Any other file is
 * additional: an invalid one is skipped, so that it cannot take calls down.
 */
public final class RouteFiles {

  /** Names of the shipped files. */
  static final Set<String> SHIPPED =
      Set.of(
          "commands.camel.yaml",
          "events.camel.yaml",
          "execute-command.camel.yaml",
          "generic-commands.camel.yaml",
          "publish.camel.yaml");

  /** How to correct an invalid file before the next start. */
  public static final String REMEDY = "Correct it, or move it out of the folder";

  /** Log line for a route file and its target. */
  public static final String LINK_OUTSIDE =
      "Route file {} is a link to {}, outside the routes directory: anyone who can write there"
          + " controls the proxy";

  /** Why a file with the other suffix of YAML is not loaded. */
  static final String MISNAMED = "is ignored: its name must end in .yaml";

  /** Why a file must not define a bean. */
  static final String BEAN_OF_PROXY =
      "the bean %s belongs to the proxy, which needs it: choose another name";

  /** Why a file must not define a bean that another one defines. */
  static final String BEAN_OF_FILE = "the bean %s belongs to %s; choose another name";

  /** The key of an element with beans. */
  static final String BEANS = "beans";

  private static final int MAX_BYTES = 1 << 20;

  private RouteFiles() {}

  /** Returns the YAML files of a folder, as absolute paths in the order of their names. */
  public static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(RouteFiles::isRouteFile)
          .map(file -> file.toAbsolutePath().normalize())
          .sorted()
          .toList();
    }
  }

  /** Returns whether the name is that of a YAML file. */
  static boolean isRouteFile(Path file) {
    return file.toString().endsWith(".yaml");
  }

  /** Returns the files that an author probably takes for route files. */
  public static List<Path> misnamed(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> isMisnamed(file) && !Files.isDirectory(file))
          .map(file -> file.toAbsolutePath().normalize())
          .sorted()
          .toList();
    }
  }

  static boolean isMisnamed(Path file) {
    return file.toString().endsWith(".yml");
  }

  /** Returns whether the name is that of a shipped file, also if its content was edited. */
  public static boolean isShipped(Path file) {
    return SHIPPED.contains(String.valueOf(file.getFileName()));
  }

  /**
   * Rejects shipped files that are empty or unreadable, since Camel's error does not always name
   * the file, and those with an element that a reload would reject.
   *
   * @throws InvalidSettingException if a file is empty, cannot be read, or has such an element
   */
  public static void validate(Path folder) {
    Path current = folder.toAbsolutePath();
    try {
      for (Path file : list(folder).stream().filter(RouteFiles::isShipped).toList()) {
        current = file;
        byte[] content = read(file);
        if (new String(content, StandardCharsets.UTF_8).isBlank()) {
          throw invalidFile(file, "is empty");
        }
        validateElements(file, content);
      }
    } catch (UnsuitableFileException e) {
      throw invalidFile(current, String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw invalidFile(current, "cannot be read: " + e);
    }
  }

  private static void validateElements(Path file, byte[] content) {
    try {
      if (parse(content) instanceof List<?> elements) {
        RouteFileElements.validate(elements, true);
      }
    } catch (YamlEngineException e) {
      // Camel's error names the line
    } catch (InvalidSettingException e) {
      throw invalidFile(file, "is invalid: " + e.getMessage());
    }
  }

  /**
   * Returns how a file differs from the one shipped with this version, such as {@code 3 lines
   * added, 1 removed}; empty if it does not, cannot be read, or no such file is shipped.
   */
  public static Optional<String> difference(Path file) {
    try {
      return ShippedFiles.difference(
          String.valueOf(file.getFileName()), new String(read(file), StandardCharsets.UTF_8));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Returns the shipped files that were edited, each with its difference. */
  public static List<String> edited(Path folder) throws IOException {
    List<String> edited = new ArrayList<>();
    for (Path file : list(folder).stream().filter(RouteFiles::isShipped).toList()) {
      difference(file)
          .ifPresent(lines -> edited.add("%s (%s)".formatted(file.getFileName(), lines)));
    }
    return edited;
  }

  /**
   * Returns the content of a file.
   *
   * @throws UnsuitableFileException if it is not a regular file of at most 1 MB
   */
  static byte[] read(Path file) throws IOException {
    return SmallFile.readRegular(file, MAX_BYTES);
  }

  /**
   * Rejects content that Camel accepts without a route, that applies to the routes of other files,
   * or whose steps could lose messages of shipped routes.
   *
   * @param content empty for a deleted file
   * @param shipped whether a shipped file has its name
   * @throws InvalidSettingException names the problem
   */
  static void validateStructure(byte[] content, boolean shipped) {
    if (content.length == 0) {
      return;
    }
    Object root = parse(content);
    if (!(root instanceof List<?> elements) || elements.isEmpty()) {
      throw new InvalidSettingException(
          "it is not a list of routes: each one starts with '- route:'");
    }
    RouteFileElements.validate(elements, shipped);
  }

  /** Whether neither Camel nor a policy, which can wait for a condition, starts a route. */
  public static boolean neverStarts(CamelContext context, RouteDefinition route) {
    return Boolean.FALSE.equals(CamelContextHelper.parseBoolean(context, route.getAutoStartup()))
        && route.getRoutePolicyRef() == null
        && (route.getRoutePolicies() == null || route.getRoutePolicies().isEmpty());
  }

  /** Returns the names of the beans that a content defines. */
  static Set<String> beanNames(byte[] content) {
    Set<String> names = new LinkedHashSet<>();
    if (content.length > 0 && parse(content) instanceof List<?> elements) {
      for (Object element : elements) {
        if (element instanceof Map<?, ?> keys && keys.get(BEANS) instanceof List<?> beans) {
          for (Object bean : beans) {
            if (bean instanceof Map<?, ?> properties && properties.get("name") != null) {
              names.add(properties.get("name").toString());
            }
          }
        }
      }
    }
    return names;
  }

  private static @Nullable Object parse(byte[] content) {
    return new Load(LoadSettings.builder().build())
        .loadFromString(new String(content, StandardCharsets.UTF_8));
  }

  /**
   * Adds the ids of steps to those of other files.
   *
   * @throws InvalidStepException names an id that exists twice
   */
  static void addSteps(List<ProcessorDefinition<?>> steps, Set<String> known) {
    for (ProcessorDefinition<?> step : steps) {
      if (!known.add(step.getId())) {
        throw new InvalidStepException(
            step, "the step id " + step.getId() + " exists twice; choose another one");
      }
    }
  }

  /**
   * Returns the target of a link that leads out of the folder; empty for any other file, including
   * links within a ConfigMap of Kubernetes.
   */
  public static Optional<Path> targetOutside(Path folder, Path file) throws IOException {
    Path real = folder.toRealPath();
    return Optional.of(file.toRealPath()).filter(target -> !target.startsWith(real));
  }

  private static InvalidSettingException invalidFile(Path file, String problem) {
    return new InvalidSettingException(file + " " + problem + ". " + REMEDY);
  }

  /**
   * Returns whether a file is not YAML or its route cannot be created; the failure then names it.
   */
  public static boolean isRouteFileError(Throwable failure) {
    return ObjectHelper.getException(YamlEngineException.class, failure) != null
        || ObjectHelper.getException(FailedToCreateRouteException.class, failure) != null;
  }
}
