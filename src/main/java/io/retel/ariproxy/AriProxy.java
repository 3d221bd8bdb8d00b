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

/**
 * Starts the proxy: reads the settings, binds what the routes refer to, and lets Camel run the
 * routes.
 */
public final class AriProxy {

  /** Exit code for a setting or a route file that cannot be read (EX_CONFIG of sysexits.h). */
  public static final int EXIT_INVALID_SETTING = 78;

  /** Exit code for a start that failed for any other reason. */
  public static final int EXIT_START_FAILED = 1;

  /**
   * Exit code after another client has taken over the Stasis application (EX_UNAVAILABLE of
   * sysexits.h): to be started again by itself would only throw that one out.
   */
  public static final int EXIT_REPLACED = 69;

  /** How long clients may take to close in a stop, beside what the settings allow. */
  private static final int SHUTDOWN_GRACE_SECONDS = 15;

  private static final Logger LOG = LoggerFactory.getLogger(AriProxy.class);
  private static final Path CONFIGURATION_FILE = Path.of("config", "application.properties");

  /** Without these there is no way from Asterisk to Kafka and back. */
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
   * Routes that need the topics and the memory of call contexts before they take anything, and the
   * policies that see to it; a pause of the commands needs its one as well.
   */
  private static final Map<String, String> REQUIRED_POLICIES =
      Map.of("events", "startupGatePolicy", "commands", "pausePolicy");

  private AriProxy() {}

  /** Runs until SIGTERM or Ctrl-C, or answers what is asked. */
  public static void main(String[] args) {
    // Camel 4.18 lowers options' names in the default locale: in Turkish it finds no groupId
    Locale.setDefault(Locale.ROOT);
    System.exit(run(args, System.getenv()));
  }

  /**
   * Runs to the end, or answers what is asked.
   *
   * @param environment the environment variables, which override the settings of the file
   * @return the exit code
   */
  static int run(String[] args, Map<String, String> environment) {
    try {
      OptionalInt exitCode =
          CommandLine.execute(args, () -> readSettings(environment), System.out, System.err);
      if (exitCode.isPresent()) {
        return exitCode.getAsInt();
      }
      // before what is missing, which may be what is meant
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
              + " is not there: start in the folder that has config/ and routes/");
    }
    return Settings.read(CONFIGURATION_FILE, environment);
  }

  /** Runs to the end, and returns the exit code. */
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
          "ari-proxy does not start: {}{}",
          StartupErrors.singleLine(e),
          invalidRouteFile ? ". " + RouteFiles.REMEDY : "");
      LOG.debug("It does not start", e);
      // or Camel takes the end of the process for a signal
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
        "{} of {} <-> Kafka at {}: events and responses to {}, commands from {}{}, call contexts in {}",
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
   * A Camel application that is the proxy, ready to run or to start.
   *
   * @param configuration the file with the settings, which may also have options of camel-main
   * @param settings what has been read from it
   */
  public static ProxyMain createMain(Path configuration, Settings settings) {
    ProxyMain main = new ProxyMain();
    main.setDefaultPropertyPlaceholderLocation("file:" + configuration + ";optional=true");
    main.addMainListener(
        new MainListenerSupport() {

          @Override
          public void beforeInitialize(BaseMainSupport mainSupport) {
            CamelContext context = mainSupport.getCamelContext();
            // what has been checked is what placeholders see, derived values included
            PropertiesComponent properties = (PropertiesComponent) context.getPropertiesComponent();
            properties.setOverrideProperties(settings.placeholders());
            // the environment has been read, and would stand before what follows from it
            properties.setEnvironmentVariableMode(ENVIRONMENT_VARIABLES_MODE_FALLBACK);
            try {
              ManagementPort.configure(main.configure(), settings);
              // what the store has not taken is written after the routes have stopped
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
                            "There is no route {} in {}: what it does is not done",
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
          "The route {} has no routePolicy: {} (with autoStartup: \"false\"): it takes what comes before it"
              + " can be told whose it is, or while commands are paused. Take both over from the file"
              + " that came with this version",
          routeId,
          policyName);
    }
  }

  /** Camel's application with an end that is the proxy's own. */
  public static final class ProxyMain extends Main {

    private volatile boolean replaced;

    private ProxyMain() {}

    private void onReplaced() {
      replaced = true;
      // the main thread stops all in order, as after SIGTERM
      completed();
    }
  }
}
