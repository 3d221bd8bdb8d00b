// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.apache.camel.component.properties.PropertiesComponent.ENVIRONMENT_VARIABLES_MODE_FALLBACK;

import com.sun.management.OperatingSystemMXBean;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.command.AllowedOperations;
import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.health.EscapingHealthCheckRegistry;
import io.retel.ariproxy.health.ManagementPort;
import io.retel.ariproxy.kafka.KafkaSecuritySettings;
import io.retel.ariproxy.metrics.MeterRegistries;
import io.retel.ariproxy.route.CompiledRoutes;
import io.retel.ariproxy.route.LibraryRoutes;
import io.retel.ariproxy.route.RouteFiles;
import io.retel.ariproxy.route.RouteReloader;
import io.retel.ariproxy.route.ShippedRoutesCollector;
import io.retel.ariproxy.route.SingleConsumers;
import io.retel.ariproxy.time.Moment;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.ProcessDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.support.LifecycleStrategySupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The proxy as a Camel application. Ends when another client replaces it in the Stasis application.
 */
public final class ProxyApplication extends Main {

  /** Time for clients to close on shutdown, in addition to the configured timeouts. */
  private static final int SHUTDOWN_GRACE_SECONDS = 15;

  private static final Logger LOG = LoggerFactory.getLogger(ProxyApplication.class);

  /**
   * Routes that must not consume before topics exist and call contexts are restored, with the
   * policies that ensure it. {@code pausePolicy} also implements the pause of commands.
   */
  private static final Map<String, String> REQUIRED_POLICIES =
      Map.of(EventModule.ROUTE, EventModule.POLICY, CommandModule.ROUTE, CommandModule.POLICY);

  private final Settings settings;
  private final Lifecycle lifecycle = new Lifecycle(Moment::now);
  private volatile boolean replaced;

  private ProxyApplication(Settings settings) {
    this.settings = settings;
  }

  /**
   * Returns the proxy, ready to run or start.
   *
   * @param configuration the settings file, which can also contain camel-main options
   * @param settings the settings read from it
   * @throws InvalidSettingException if a file or value that a setting names is unusable
   */
  public static ProxyApplication create(Path configuration, Settings settings) {
    validate(settings);
    ConfigurationAccess.check(
        ConfigurationAccess.program(),
        ManagementFactory.getRuntimeMXBean().getInputArguments(),
        configuration,
        settings);
    logConfiguration(settings);
    logEditedRoutes(Path.of(settings.get(Setting.ROUTES_DIRECTORY)));
    UnencryptedLogins.warning(settings).ifPresent(LOG::warn);
    new CommandTimeouts(settings).shutdownWarning().ifPresent(LOG::warn);
    HeapLimits heapLimits = new HeapLimits(settings, Runtime.getRuntime().maxMemory());
    heapLimits
        .warning()
        .ifPresentOrElse(LOG::warn, () -> heapLimits.lowered().ifPresent(LOG::info));
    heapLimits.memoryWarning(memory()).ifPresent(LOG::warn);
    ProxyApplication application = new ProxyApplication(settings);
    application.setDefaultPropertyPlaceholderLocation("file:" + configuration + ";optional=true");
    application.setRoutesCollector(
        new ShippedRoutesCollector(Path.of(settings.get(Setting.ROUTES_DIRECTORY))));
    application.addMainListener(application.new Assembly());
    return application;
  }

  /** Returns the memory of the container or the machine, in bytes. */
  private static long memory() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getTotalMemorySize();
  }

  /** Validates settings that only the classes using them can check: files, operations, routes. */
  private static void validate(Settings settings) {
    AsteriskModule.trustedCertificates(settings);
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
        settings.get(Setting.CALLCONTEXT_STORE).name());
  }

  /** So that a log shows what does not come with this version. */
  private static void logEditedRoutes(Path folder) {
    try {
      List<String> edited = RouteFiles.edited(folder);
      if (!edited.isEmpty()) {
        LOG.info("Edited route files: {}", String.join(", ", edited));
      }
    } catch (IOException e) {
      LOG.warn("The route files cannot be compared with the shipped ones: {}", e.toString());
    }
  }

  /** Whether another client replaced the proxy in the Stasis application. */
  public boolean isReplaced() {
    return replaced;
  }

  private void onReplaced() {
    replaced = true;
    // the main thread shuts down cleanly, as after SIGTERM
    completed();
  }

  /** Assembles the proxy; camel-main calls these methods in order. */
  private final class Assembly extends MainListenerSupport {

    private CompiledRoutes compiledRoutes;
    private ProxyModules modules;

    @Override
    public void beforeInitialize(BaseMainSupport mainSupport) {
      CamelContext context = mainSupport.getCamelContext();
      context.addLifecycleStrategy(
          new LifecycleStrategySupport() {
            @Override
            public void onContextStopping(CamelContext stopping) {
              // after a failed start, Camel stops its services first
              if (!lifecycle.state().isShutdown()) {
                lifecycle.enter(
                    ProxyState.DRAINING, "shutdown, commands and events in flight complete");
              }
            }
          });
      // placeholders resolve to the validated settings, including derived values
      PropertiesComponent properties = (PropertiesComponent) context.getPropertiesComponent();
      properties.setOverrideProperties(settings.placeholders());
      // settings already include the environment, which would override derived values
      properties.setEnvironmentVariableMode(ENVIRONMENT_VARIABLES_MODE_FALLBACK);
      try {
        EscapingHealthCheckRegistry.install(context);
        ManagementPort.configure(configure(), settings);
        // pending store writes are flushed after the routes have stopped
        configure()
            .withShutdownTimeout(
                Math.toIntExact(settings.get(Setting.SHUTDOWN_TIMEOUT).plusMillis(999).toSeconds()))
            .setExtraShutdownTimeout(
                SHUTDOWN_GRACE_SECONDS
                    + (int) settings.get(Setting.CALLCONTEXT_STORE_TIMEOUT).toSeconds());
        MeterRegistry meters = MeterRegistries.bind(context, settings.get(Setting.METRICS_TAGS));
        ManagementPort.install(context, settings, meters);
        modules =
            new ProxyModules(
                context, settings, meters, lifecycle, ProxyApplication.this::onReplaced);
        modules.addServices();
        context.addStartupListener(
            new RequiredRoutes(Path.of(settings.get(Setting.ROUTES_DIRECTORY))));
        context.addStartupListener(new SingleConsumers());
        compiledRoutes = modules.compiledRoutes();
        configure().addRoutesBuilder(compiledRoutes);
      } catch (Exception e) {
        throw new IllegalStateException(ErrorMessages.singleLine(e), e);
      }
    }

    @Override
    public void afterStart(BaseMainSupport mainSupport) {
      CamelContext context = mainSupport.getCamelContext();
      REQUIRED_POLICIES.forEach((route, policy) -> logIfPolicyMissing(context, route, policy));
      logIfCopiesMissing(context);
      OverriddenOptions.warning(context).ifPresent(LOG::warn);
    }

    @Override
    public void afterConfigure(BaseMainSupport mainSupport) {
      CamelContext context = mainSupport.getCamelContext();
      RouteReloader reloader =
          new RouteReloader(
              context,
              Path.of(settings.get(Setting.ROUTES_DIRECTORY)),
              compiledRoutes,
              Set.copyOf(RequiredRoutes.IDS),
              modules.rejectedRouteFiles());
      try {
        reloader.watch(modules.publishing());
      } catch (Exception e) {
        throw new IllegalStateException(ErrorMessages.singleLine(e), e);
      }
      LibraryRoutes libraryRoutes = new LibraryRoutes(context, modules.rejectedRouteFiles());
      modules
          .additionalRoutes()
          .loadOnStart(
              context,
              () -> {
                libraryRoutes.load();
                reloader.loadAdditional();
              },
              () -> libraryRoutes.loading().or(reloader::loading));
    }
  }

  private static void logIfCopiesMissing(CamelContext context) {
    // the definition: without MBeans, the running steps have no ids
    RouteDefinition route = ((ModelCamelContext) context).getRouteDefinition("publish");
    if (route != null
        && ProcessorDefinitionHelper.filterTypeInOutputs(
                route.getOutputs(), ProcessDefinition.class)
            .stream()
            .noneMatch(step -> "add-copies".equals(step.getId()))) {
      LOG.error(
          "Route {} lacks the step add-copies, so an event of several calls is published to one of"
              + " them only. Copy the step from the shipped file",
          route.getId());
    }
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
}
