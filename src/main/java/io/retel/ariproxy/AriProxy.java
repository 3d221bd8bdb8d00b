package io.retel.ariproxy;

import static org.apache.camel.component.properties.PropertiesComponent.ENVIRONMENT_VARIABLES_MODE_FALLBACK;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.management.ManagementPort;
import io.retel.ariproxy.metrics.MeterRegistries;
import io.retel.ariproxy.settings.InvalidSettingException;
import io.retel.ariproxy.settings.Setting;
import io.retel.ariproxy.settings.Settings;
import io.retel.ariproxy.settings.UnknownVariables;
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
  public static final int INVALID_SETTING = 78;

  /** Exit code for a start that failed for any other reason. */
  public static final int START_FAILED = 1;

  /**
   * Exit code after another client has taken over the Stasis application (EX_UNAVAILABLE of
   * sysexits.h): to be started again by itself would only throw that one out.
   */
  public static final int REPLACED = 69;

  /** How long clients may take to close in a stop, beside what the settings allow. */
  private static final int EXTRA_SECONDS = 15;

  private static final Logger LOG = LoggerFactory.getLogger(AriProxy.class);
  private static final Path CONFIGURATION = Path.of("config", "application.properties");

  /** Without these there is no way from Asterisk to Kafka and back. */
  private static final List<String> MAIN_ROUTES =
      List.of(
          "events",
          "connected",
          "asterisk-now",
          "ended-media",
          "forgotten-subscriptions",
          "missed",
          "commands",
          "execute-command",
          "publish");

  /**
   * Routes that need the topics and the memory of call contexts before they take anything, and the
   * policies that see to it; a pause of the commands needs its one as well.
   */
  private static final Map<String, String> POLICIES =
      Map.of("events", "oncePrepared", "commands", "unlessPaused");

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
      OptionalInt answered =
          CommandLine.answer(args, () -> readSettings(environment), System.out, System.err);
      if (answered.isPresent()) {
        return answered.getAsInt();
      }
      // before what is missing, which may be what is meant
      UnknownVariables.in(environment).ifPresent(LOG::warn);
      return run(readSettings(environment));
    } catch (InvalidSettingException e) {
      LOG.error("{}", e.getMessage());
      return INVALID_SETTING;
    }
  }

  private static Settings readSettings(Map<String, String> environment) {
    if (!Files.isRegularFile(CONFIGURATION)) {
      throw new InvalidSettingException(
          CONFIGURATION.toAbsolutePath()
              + " is not there: start in the folder that has config/ and routes/");
    }
    return Settings.read(CONFIGURATION, environment);
  }

  /** Runs to the end, and returns the exit code. */
  private static int run(Settings settings) {
    RouteFiles.check(Path.of(settings.get(Setting.ROUTES)));
    sayWhatConnects(settings);
    new CommandTimes(settings).trouble().ifPresent(LOG::warn);
    ProxyMain main = application(CONFIGURATION, settings);
    try {
      int exitCode = main.run(new String[0]);
      return main.replaced ? REPLACED : exitCode;
    } catch (Exception e) {
      boolean routeFile = RouteFiles.isCauseOf(e);
      LOG.error(
          "ari-proxy does not start: {}{}",
          StartFailure.inOneLine(e),
          routeFile ? ". " + RouteFiles.WHAT_TO_DO : "");
      LOG.debug("It does not start", e);
      // or Camel takes the end of the process for a signal
      main.completed();
      return routeFile ? INVALID_SETTING : START_FAILED;
    }
  }

  private static void sayWhatConnects(Settings settings) {
    LOG.info(
        "{} of {} <-> Kafka at {}: events and responses to {}, commands from {}{}, call contexts in {}",
        settings.get(Setting.ARI_APP),
        settings.get(Setting.ARI_URL),
        settings.get(Setting.KAFKA_BROKERS),
        settings.get(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC),
        settings.get(Setting.KAFKA_COMMANDS_TOPIC),
        settings.get(Setting.KAFKA_GENERIC_COMMANDS_TOPIC).isEmpty()
            ? ""
            : " and " + settings.get(Setting.KAFKA_GENERIC_COMMANDS_TOPIC),
        settings.get(Setting.CALLCONTEXT_STORE));
  }

  /**
   * A Camel application that is the proxy, ready to run or to start.
   *
   * @param configuration the file with the settings, which may also have options of camel-main
   * @param settings what has been read from it
   */
  public static ProxyMain application(Path configuration, Settings settings) {
    ProxyMain main = new ProxyMain();
    main.setDefaultPropertyPlaceholderLocation("file:" + configuration + ";optional=true");
    main.addMainListener(
        new MainListenerSupport() {

          @Override
          public void beforeInitialize(BaseMainSupport starting) {
            CamelContext context = starting.getCamelContext();
            // what has been checked is what placeholders see, derived values included
            PropertiesComponent properties = (PropertiesComponent) context.getPropertiesComponent();
            properties.setOverrideProperties(settings.placeholders());
            // the environment has been read, and would stand before what follows from it
            properties.setEnvironmentVariableMode(ENVIRONMENT_VARIABLES_MODE_FALLBACK);
            try {
              ManagementPort.configure(main.configure(), settings);
              // what the store has not taken is written after the routes have stopped
              main.configure()
                  .setExtraShutdownTimeout(
                      EXTRA_SECONDS
                          + (int)
                              settings.milliseconds(Setting.CALLCONTEXT_STORE_TIMEOUT).toSeconds());
              ManagementPort.addPaths(context);
              MeterRegistry meters = MeterRegistries.bind(context, settings.metricsTags());
              Connections connections = new Connections(context, settings, meters);
              ProxyBeans beans =
                  new ProxyBeans(context, settings, meters, connections, main::onReplaced);
              new ProxyServices(context, settings, meters, connections, beans).add();
            } catch (Exception e) {
              throw new IllegalStateException(RootCause.inOneLine(e), e);
            }
          }

          @Override
          public void afterStart(BaseMainSupport started) {
            CamelContext context = started.getCamelContext();
            MAIN_ROUTES.stream()
                .filter(route -> context.getRoute(route) == null)
                .forEach(
                    route ->
                        LOG.error(
                            "There is no route {} in {}: what it does is not done",
                            route,
                            Path.of(settings.get(Setting.ROUTES)).toAbsolutePath()));
            POLICIES.forEach((route, policy) -> sayIfWithout(context, route, policy));
          }

          @Override
          public void afterConfigure(BaseMainSupport starting) {
            RouteEdits.watch(
                starting.getCamelContext(),
                Path.of(settings.get(Setting.ROUTES)),
                Set.copyOf(MAIN_ROUTES));
          }
        });
    return main;
  }

  private static void sayIfWithout(CamelContext context, String id, String policy) {
    Route route = context.getRoute(id);
    RoutePolicy wanted = context.getRegistry().lookupByNameAndType(policy, RoutePolicy.class);
    if (route != null
        && (route.getRoutePolicyList() == null || !route.getRoutePolicyList().contains(wanted))) {
      LOG.error(
          "The route {} has no routePolicy: {} (with autoStartup: \"false\"): it takes what comes before it"
              + " can be told whose it is, or while commands are paused. Take both over from the file"
              + " that came with this version",
          id,
          policy);
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
