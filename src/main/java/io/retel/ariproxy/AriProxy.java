package io.retel.ariproxy;

import static org.apache.camel.component.properties.PropertiesComponent.ENVIRONMENT_VARIABLES_MODE_FALLBACK;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.command.AllowedOperations;
import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.config.UnknownEnvironmentVariables;
import io.retel.ariproxy.kafka.KafkaSecuritySettings;
import io.retel.ariproxy.management.ManagementPort;
import io.retel.ariproxy.metrics.MeterRegistries;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.spi.RoutePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Main class: reads the settings, binds the beans of the routes and runs Camel. */
public final class AriProxy {

  /** Exit code for an invalid setting or route file (EX_CONFIG of sysexits.h). */
  public static final int EXIT_INVALID_SETTING = 78;

  /** Exit code for any other startup failure. */
  public static final int EXIT_START_FAILED = 1;

  /**
   * Exit code after another client replaced this one in the Stasis application (EX_UNAVAILABLE of
   * sysexits.h). A supervisor must not restart the proxy: it would replace that client in turn.
   */
  public static final int EXIT_REPLACED = 69;

  /** Time for clients to close on shutdown, in addition to the configured timeouts. */
  private static final int SHUTDOWN_GRACE_SECONDS = 15;

  private static final Logger LOG = LoggerFactory.getLogger(AriProxy.class);
  private static final Path CONFIGURATION_FILE = Path.of("config", "application.properties");

  /** Routes without which events or commands do not flow between Asterisk and Kafka. */
  private static final List<String> REQUIRED_ROUTES =
      List.of(
          "events",
          "resync",
          "query-asterisk",
          "find-ended-media",
          "restore-subscriptions",
          "publish-missed-events",
          "commands",
          "execute-command",
          "publish");

  /**
   * Routes that must not consume before topics exist and call contexts are restored, with the
   * policies that ensure it. {@code pausePolicy} also implements the pause of commands.
   */
  private static final Map<String, String> REQUIRED_POLICIES =
      Map.of("events", "startupGatePolicy", "commands", "pausePolicy");

  private AriProxy() {}

  /** Runs until SIGTERM or Ctrl-C, or executes a command-line option. */
  public static void main(String[] args) {
    // Camel 4.18 lowercases option names in the default locale: in Turkish, groupId is not found
    Locale.setDefault(Locale.ROOT);
    System.exit(run(args, System.getenv()));
  }

  /**
   * Runs until shutdown, or executes a command-line option.
   *
   * @param environment the environment variables, which override the settings file
   * @return the exit code
   */
  static int run(String[] args, Map<String, String> environment) {
    try {
      OptionalInt exitCode =
          CommandLine.execute(args, () -> readSettings(environment), System.out, System.err);
      if (exitCode.isPresent()) {
        return exitCode.getAsInt();
      }
      // before a missing setting is reported, since its name may just be misspelled
      UnknownEnvironmentVariables.warning(environment).ifPresent(LOG::warn);
      return run(readSettings(environment));
    } catch (InvalidSettingException e) {
      LOG.error("{}", e.getMessage());
      return EXIT_INVALID_SETTING;
    }
  }

  private static Settings readSettings(Map<String, String> environment) {
    if (!Files.isRegularFile(CONFIGURATION_FILE)) {
      throw new InvalidSettingException(
          CONFIGURATION_FILE.toAbsolutePath()
              + " does not exist: start in the folder that contains config/ and routes/");
    }
    return Settings.read(CONFIGURATION_FILE, environment);
  }

  /** Runs until shutdown and returns the exit code. */
  private static int run(Settings settings) {
    validate(settings);
    logConfiguration(settings);
    new CommandTimeouts(settings).shutdownWarning().ifPresent(LOG::warn);
    ProxyMain main = createMain(CONFIGURATION_FILE, settings);
    try {
      int exitCode = main.run(new String[0]);
      return main.replaced ? EXIT_REPLACED : exitCode;
    } catch (Exception e) {
      boolean invalidRouteFile = RouteFiles.isRouteFileError(e);
      LOG.error(
          "ari-proxy failed to start: {}{}",
          StartupErrors.singleLine(e),
          invalidRouteFile ? ". " + RouteFiles.REMEDY : "");
      LOG.debug("Startup failed", e);
      // otherwise Camel handles the exit of the process as a signal
      main.completed();
      return invalidRouteFile ? EXIT_INVALID_SETTING : EXIT_START_FAILED;
    }
  }

  /** Rejects what only the classes that use a setting can judge: files, operations, routes. */
  private static void validate(Settings settings) {
    OutboundClients.ariTrustedCertificates(settings);
    KafkaSecuritySettings.read(settings);
    settings.get(Setting.COMMANDS_ALLOWED, AllowedOperations::parse);
    RouteFiles.validate(Path.of(settings.get(Setting.ROUTES_DIRECTORY)));
  }

  private static void logConfiguration(Settings settings) {
    LOG.info(
        "Stasis application {} of {}, Kafka at {}: events and RESPONSEs to {}, commands from {}{}, call contexts in {}",
        String.join(",", settings.get(Setting.ARI_APP)),
        settings.get(Setting.ARI_URL),
        settings.get(Setting.KAFKA_BROKERS),
        settings.get(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC),
        settings.get(Setting.KAFKA_COMMANDS_TOPIC),
        settings.get(Setting.KAFKA_GENERIC_COMMANDS_TOPIC).isEmpty()
            ? ""
            : " and " + settings.get(Setting.KAFKA_GENERIC_COMMANDS_TOPIC),
        settings.get(Setting.CALLCONTEXT_STORE).name().toLowerCase(Locale.ROOT));
  }

  /**
   * Returns the proxy as a Camel application, ready to run or start.
   *
   * @param configuration the settings file, which can also contain camel-main options
   * @param settings the settings read from it
   */
  public static ProxyMain createMain(Path configuration, Settings settings) {
    ProxyMain main = new ProxyMain();
    main.setDefaultPropertyPlaceholderLocation("file:" + configuration + ";optional=true");
    main.addMainListener(
        new MainListenerSupport() {

          @Override
          public void beforeInitialize(BaseMainSupport mainSupport) {
            CamelContext context = mainSupport.getCamelContext();
            // placeholders resolve to the validated settings, derived values included
            PropertiesComponent properties = (PropertiesComponent) context.getPropertiesComponent();
            properties.setOverrideProperties(settings.placeholders());
            // settings already include the environment, which would override derived values
            properties.setEnvironmentVariableMode(ENVIRONMENT_VARIABLES_MODE_FALLBACK);
            try {
              ManagementPort.configure(main.configure(), settings);
              // pending store writes are flushed after the routes have stopped
              main.configure()
                  .withShutdownTimeout(
                      Math.toIntExact(
                          settings.get(Setting.SHUTDOWN_TIMEOUT).plusMillis(999).toSeconds()))
                  .setExtraShutdownTimeout(
                      SHUTDOWN_GRACE_SECONDS
                          + (int) settings.get(Setting.CALLCONTEXT_STORE_TIMEOUT).toSeconds());
              ManagementPort.addPaths(context);
              MeterRegistry meters =
                  MeterRegistries.bind(context, settings.get(Setting.METRICS_TAGS));
              OutboundClients clients = new OutboundClients(context, settings, meters);
              RouteBeans routeBeans =
                  new RouteBeans(context, settings, meters, clients, main::onReplaced);
              new ProxyServices(context, settings, meters, clients, routeBeans).register();
            } catch (Exception e) {
              throw new IllegalStateException(ErrorMessages.singleLine(e), e);
            }
          }

          @Override
          public void afterStart(BaseMainSupport mainSupport) {
            CamelContext context = mainSupport.getCamelContext();
            REQUIRED_ROUTES.stream()
                .filter(route -> context.getRoute(route) == null)
                .forEach(
                    route ->
                        LOG.error(
                            "Required route {} is missing in {}; restore its shipped file",
                            route,
                            Path.of(settings.get(Setting.ROUTES_DIRECTORY)).toAbsolutePath()));
            REQUIRED_POLICIES.forEach(
                (route, policy) -> logIfPolicyMissing(context, route, policy));
          }

          @Override
          public void afterConfigure(BaseMainSupport mainSupport) {
            RouteReloader.watch(
                mainSupport.getCamelContext(),
                Path.of(settings.get(Setting.ROUTES_DIRECTORY)),
                Set.copyOf(REQUIRED_ROUTES));
          }
        });
    return main;
  }

  private static void logIfPolicyMissing(CamelContext context, String routeId, String policyName) {
    Route route = context.getRoute(routeId);
    RoutePolicy requiredPolicy =
        context.getRegistry().lookupByNameAndType(policyName, RoutePolicy.class);
    if (route != null
        && (route.getRoutePolicyList() == null
            || !route.getRoutePolicyList().contains(requiredPolicy))) {
      LOG.error(
          "Route {} lacks routePolicy: {} (with autoStartup: \"false\"), so it consumes before startup"
              + " completes or while commands are paused. Copy both from the shipped file",
          routeId,
          policyName);
    }
  }

  /** Camel application that ends when another client replaces the proxy in Asterisk. */
  public static final class ProxyMain extends Main {

    private volatile boolean replaced;

    private ProxyMain() {}

    private void onReplaced() {
      replaced = true;
      // the main thread shuts down in order, as after SIGTERM
      completed();
    }
  }
}
