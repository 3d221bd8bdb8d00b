// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.command.RequireOpenWebsocket;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.DefaultKafkaClientFactory;
import org.apache.camel.component.kafka.KafkaClientFactory;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.Registry;
import org.apache.camel.support.RoutePolicySupport;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.producer.Producer;

/**
 * The routes of a folder with the beans and components of the proxy, for commands that check them
 * where there is neither an Asterisk nor a Kafka. No route is started.
 */
final class RoutesWithoutServers implements AutoCloseable {

  /** A port where nothing listens. */
  private static final String NO_BROKER = "127.0.0.1:1";

  private final Path folder;
  private final List<Path> files;
  private final List<Path> misnamed;
  private final DefaultCamelContext context = new DefaultCamelContext();
  private final List<RouteFilesCheck.Result> results;

  /**
   * @param configuration the settings file, which can contain properties of routes
   * @param settings required ones can have any value
   * @param folder the route files; shipped ones that are not in it come from the proxy's folder
   * @param beforeRoutes prepares the context before it loads routes
   * @throws InvalidSettingException if the folder has no route files
   */
  RoutesWithoutServers(
      Path configuration, Settings settings, Path folder, Consumer<CamelContext> beforeRoutes) {
    this.folder = folder;
    List<Path> all = new ArrayList<>();
    try {
      this.files = RouteFiles.list(folder);
      this.misnamed = RouteFiles.misnamed(folder);
      all.addAll(files);
      all.addAll(misnamed);
      RouteFiles.list(Path.of(settings.get(Setting.ROUTES_DIRECTORY))).stream()
          .filter(RouteFiles::isShipped)
          .filter(file -> !Files.exists(folder.resolve(file.getFileName())))
          .forEach(all::add);
    } catch (IOException e) {
      throw new InvalidSettingException("cannot read the folder " + e.getMessage());
    }
    if (files.isEmpty()) {
      throw new InvalidSettingException(folder + " contains no *.yaml file");
    }
    try {
      CompiledRoutes compiledRoutes = prepare(configuration, settings);
      beforeRoutes.accept(context);
      compiledRoutes.addRouteConfigurationsToCamelContext(context);
      context.start();
      this.results =
          new RouteFilesCheck(context, Set.copyOf(RequiredRoutes.IDS), compiledRoutes).check(all);
      compiledRoutes.addRoutesToCamelContext(context);
    } catch (Exception e) {
      context.stop();
      throw new IllegalStateException("The routes cannot be checked: " + e.getMessage(), e);
    }
  }

  private CompiledRoutes prepare(Path configuration, Settings settings) throws Exception {
    PropertiesComponent properties = (PropertiesComponent) context.getPropertiesComponent();
    Properties placeholders = settings.placeholders();
    // a producer connects as it is created, and its close would wait for a server that is silent
    placeholders.put(Setting.KAFKA_BROKERS.key(), NO_BROKER);
    properties.setOverrideProperties(placeholders);
    properties.setLocation("file:" + configuration + ";optional=true");
    context.disableJMX();
    context.setAutowiredEnabled(false);
    context.setAutoStartup(false);
    context.getShutdownStrategy().setTimeout(1);
    MeterRegistry meters = MeterRegistries.bind(context, settings.get(Setting.METRICS_TAGS));
    CompiledRoutes compiledRoutes =
        new ProxyModules(context, settings, meters, new Lifecycle(Moment::now), () -> {})
            .compiledRoutes();
    Registry registry = context.getRegistry();
    for (String policy :
        List.of(EventModule.POLICY, CommandModule.POLICY, "asteriskReachablePolicy")) {
      // the proxy's policies start routes, whose clients would take the place of a running proxy
      registry.unbind(policy);
      registry.bind(policy, new RoutePolicySupport() {});
    }
    KafkaClientFactory unconnected = new UnconnectedClientFactory();
    context.getComponent("kafka", KafkaComponent.class).setKafkaClientFactory(unconnected);
    registry.unbind("kafkaClients");
    registry.bind("kafkaClients", unconnected);
    registry.unbind("requireOpenWebsocket");
    registry.bind("requireOpenWebsocket", new RequireOpenWebsocket(() -> true));
    return compiledRoutes;
  }

  /** Camel starts producers as it builds a route, also those to brokers that a route names. */
  private static final class UnconnectedClientFactory extends DefaultKafkaClientFactory {

    @Override
    @SuppressWarnings("rawtypes") // Camel's signature
    public Producer getProducer(Properties properties) {
      properties.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, NO_BROKER);
      properties.put(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, "PLAINTEXT");
      return super.getProducer(properties);
    }
  }

  DefaultCamelContext context() {
    return context;
  }

  /** The number of files in the folder, with those that the proxy ignores. */
  int fileCount() {
    return files.size() + misnamed.size();
  }

  /** The files of the folder, and those of the proxy's folder that would not load. */
  List<RouteFilesCheck.Result> results() {
    return results.stream()
        .filter(result -> files.contains(result.file()) || !result.loads())
        .toList();
  }

  /** The ids of the routes in files of the folder that are not shipped ones. */
  List<String> ownIds() {
    return results.stream()
        .filter(result -> files.contains(result.file()) && !RouteFiles.isShipped(result.file()))
        .flatMap(result -> result.ids().stream())
        .filter(id -> context.getRoute(id) != null)
        .toList();
  }

  /** Returns a line for people about a file. */
  String describe(RouteFilesCheck.Result result) {
    String name = folder.resolve(result.file().getFileName()).toString();
    String line =
        result.loads()
            ? "%s: ok%s%s"
                .formatted(
                    name,
                    // Camel numbers routes without an id
                    result.ids().isEmpty() ? "" : ", " + String.join(", ", result.ids()),
                    RouteFiles.difference(result.file())
                        .map(lines -> "; differs from the shipped file: " + lines)
                        .orElse(""))
            : "%s%s: %s"
                .formatted(name, result.line() > 0 ? ":" + result.line() : "", result.problem());
    return LogText.escape(line, LogText.MAX_MESSAGE_LENGTH);
  }

  @Override
  public void close() {
    context.stop();
  }
}
