// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.metrics.MeterRegistries;
import io.retel.ariproxy.route.CompiledRoutes;
import io.retel.ariproxy.route.RouteFiles;
import io.retel.ariproxy.route.RouteFilesCheck;
import io.retel.ariproxy.text.LogText;
import io.retel.ariproxy.time.Moment;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.impl.DefaultCamelContext;

/**
 * The command {@code check}: loads the files of a folder with the beans and components of the
 * proxy, without servers. Nothing is started, so what only a server knows is not checked.
 */
final class CheckRoutes {

  private final Path configuration;
  private final Settings settings;

  /**
   * @param configuration the settings file, which can contain properties of routes
   * @param settings required ones can have any value
   */
  CheckRoutes(Path configuration, Settings settings) {
    this.configuration = configuration;
    this.settings = settings;
  }

  /**
   * Prints a line for each file.
   *
   * @param folder the route files; shipped ones that are not in it come from the proxy's folder
   * @return whether all would load
   * @throws InvalidSettingException if the folder cannot be read
   */
  boolean run(Path folder, PrintStream out) {
    List<Path> files = new ArrayList<>();
    List<Path> others;
    try {
      files.addAll(RouteFiles.list(folder));
      others =
          RouteFiles.list(Path.of(settings.get(Setting.ROUTES_DIRECTORY))).stream()
              .filter(RouteFiles::isShipped)
              .filter(file -> !Files.exists(folder.resolve(file.getFileName())))
              .toList();
    } catch (IOException e) {
      throw new InvalidSettingException("cannot read the folder " + e.getMessage());
    }
    if (files.isEmpty()) {
      throw new InvalidSettingException(folder + " contains no *.yaml file");
    }
    List<Path> all = new ArrayList<>(files);
    all.addAll(others);
    List<RouteFilesCheck.Result> results = load(all);
    results.stream()
        .filter(result -> files.contains(result.file()) || !result.loads())
        .forEach(result -> out.println(line(folder, result)));
    long invalid = results.stream().filter(result -> !result.loads()).count();
    out.println(
        invalid == 0
            ? "All %d files would load".formatted(files.size())
            : "%d of %d files would not load".formatted(invalid, files.size()));
    return invalid == 0;
  }

  private List<RouteFilesCheck.Result> load(List<Path> files) {
    try (DefaultCamelContext context = new DefaultCamelContext()) {
      PropertiesComponent properties = (PropertiesComponent) context.getPropertiesComponent();
      properties.setOverrideProperties(settings.placeholders());
      properties.setLocation("file:" + configuration + ";optional=true");
      context.disableJMX();
      context.setAutowiredEnabled(false);
      context.setAutoStartup(false);
      context.getShutdownStrategy().setTimeout(1);
      MeterRegistry meters = MeterRegistries.bind(context, settings.get(Setting.METRICS_TAGS));
      CompiledRoutes compiledRoutes =
          new ProxyModules(context, settings, meters, new Lifecycle(Moment::now), () -> {})
              .compiledRoutes();
      compiledRoutes.addRouteConfigurationsToCamelContext(context);
      context.start();
      return new RouteFilesCheck(context).check(files);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static String line(Path folder, RouteFilesCheck.Result result) {
    String name = folder.resolve(result.file().getFileName()).toString();
    String line =
        result.loads()
            ? "%s: ok, %s".formatted(name, result.ids().stream().collect(Collectors.joining(", ")))
            : "%s%s: %s"
                .formatted(name, result.line() > 0 ? ":" + result.line() : "", result.problem());
    return LogText.escape(line, LogText.MAX_MESSAGE_LENGTH);
  }
}
