// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.command.BuildFailureResponse;
import io.retel.ariproxy.command.CommandErrors;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.event.EventErrors;
import io.retel.ariproxy.health.EssentialThreads;
import io.retel.ariproxy.jmx.ManagedBeans;
import io.retel.ariproxy.jmx.ManagedLogging;
import io.retel.ariproxy.jmx.ManagedProxy;
import io.retel.ariproxy.kafka.InFlightLimiter;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.resync.ResyncErrors;
import io.retel.ariproxy.resync.ResyncRoutes;
import io.retel.ariproxy.route.AddedSteps;
import io.retel.ariproxy.route.BlockedStepMonitor;
import io.retel.ariproxy.route.CompiledRoutes;
import io.retel.ariproxy.route.DirectChannels;
import io.retel.ariproxy.route.ForeignHeaderFilter;
import io.retel.ariproxy.route.HttpStepLimits;
import io.retel.ariproxy.route.OneWebsocketRoute;
import io.retel.ariproxy.route.PropagateErrors;
import io.retel.ariproxy.route.RejectedRouteFiles;
import io.retel.ariproxy.route.RouteReloader;
import io.retel.ariproxy.route.RouteRestartCounter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.Service;
import org.apache.camel.model.ModelCamelContext;

/** The modules of the proxy, in the order of their dependencies. */
final class ProxyModules {

  private final CamelContext context;
  private final Settings settings;
  private final MeterRegistry meters;
  private final Lifecycle lifecycle;
  private final KafkaModule kafka;
  private final AsteriskModule asterisk;
  private final CallContextModule callContexts;
  private final ResyncModule resync;
  private final StartupGate startupGate;
  private final EventModule events;
  private final CommandModule commands;
  private final EssentialThreads threads = new EssentialThreads();
  private final AdditionalRoutes additionalRoutes = new AdditionalRoutes();
  private final AddedSteps addedSteps;
  private final BlockedStepMonitor blockedSteps;
  private final RejectedRouteFiles rejectedRouteFiles = new RejectedRouteFiles();

  /**
   * Creates the clients and binds the beans that routes reference by name.
   *
   * @param onReplaced runs when other clients have taken over all Stasis applications
   */
  ProxyModules(
      CamelContext context,
      Settings settings,
      MeterRegistry meters,
      Lifecycle lifecycle,
      Runnable onReplaced)
      throws Exception {
    this.context = context;
    this.settings = settings;
    this.meters = meters;
    this.lifecycle = lifecycle;
    // before the components create their thread pools
    context.addLifecycleStrategy(threads);
    Gauges gauges = new Gauges(meters);
    context.getRegistry().bind("gauges", gauges);
    gauges.bindState(lifecycle);
    Envelopes envelopes =
        new Envelopes(
            settings.get(Setting.KAFKA_COMMANDS_TOPIC),
            settings.get(Setting.ENVELOPE_EVENT_RESOURCES));
    DirectChannels.install(context);
    HttpStepLimits.install(context);
    ForeignHeaderFilter.install(context);
    TracingModule tracing = new TracingModule(context, settings);
    this.kafka = new KafkaModule(context, settings, meters, gauges);
    this.callContexts = new CallContextModule(context, settings, meters, gauges, kafka);
    this.asterisk =
        new AsteriskModule(context, settings, meters, gauges, callContexts.applications());
    this.resync = new ResyncModule(context, settings, meters, kafka, asterisk, callContexts);
    this.startupGate =
        new StartupGate(
            List.of(
                kafka.topics()::requireListeners,
                additionalRoutes::await,
                kafka.topics()::ensure,
                kafka::readTopicLimits,
                kafka::prepareProducers,
                () -> lifecycle.enter(ProxyState.RESTORING, "topics exist"),
                StartupGate.Precondition.named(
                    "Reading the call contexts from their store",
                    () -> {
                      callContexts.restore();
                      resync.beginGap();
                    }),
                lifecycle::completeStartup));
    this.events =
        new EventModule(
            context,
            settings,
            meters,
            tracing,
            kafka,
            asterisk,
            callContexts,
            startupGate,
            envelopes,
            onReplaced);
    this.commands =
        new CommandModule(
            context,
            settings,
            meters,
            gauges,
            tracing,
            kafka,
            asterisk,
            callContexts,
            lifecycle,
            startupGate,
            envelopes);
    threads
        .add("events are not received", asterisk::endedThread)
        .add("commands of a call are not executed", commands::endedThread)
        .add("an acknowledgment of Kafka is lost", kafka::endedAckThread)
        .add("call contexts are not stored", callContexts.store()::endedThread)
        .add("the proxy consumes nothing", startupGate::endedThread);
    gauges.bindThreads(threads);
    Meters.ROUTE_FILES_REJECTED.gauge(meters, rejectedRouteFiles::count);
    this.addedSteps =
        new AddedSteps(
            meters,
            HeapLimits.forCopies(Runtime.getRuntime().maxMemory()),
            BuildFailureResponse::isRejection,
            events::countStopped);
    this.blockedSteps = new BlockedStepMonitor(context, resync::publishingEvent, addedSteps);
    Meters.EVENTS_BLOCKED.gauge(meters, () -> blockedSteps.eventAge().toSeconds());
    Meters.COMMANDS_BLOCKED.gauge(meters, () -> blockedSteps.commandAge().toSeconds());
  }

  /** Returns what loads the additional route files before the proxy consumes. */
  AdditionalRoutes additionalRoutes() {
    return additionalRoutes;
  }

  /** Returns the route files that are not in effect, for the loader of the files to maintain. */
  RejectedRouteFiles rejectedRouteFiles() {
    return rejectedRouteFiles;
  }

  /** Returns what waits for the records that are in flight to Kafka when it is called. */
  Supplier<RouteReloader.Progress> publishing() {
    InFlightLimiter limiter = kafka.inFlightLimiter();
    return () -> {
      long latest = limiter.latest();
      return timeout -> limiter.awaitCompletion(latest, timeout);
    };
  }

  /** Returns the routes and route configurations in Java; call it before routes are loaded. */
  CompiledRoutes compiledRoutes() {
    CompiledRoutes compiledRoutes =
        new CompiledRoutes(
            List.of(
                PropagateErrors::new,
                EventErrors::new,
                () -> new CommandErrors(CommandErrors.retries(settings)),
                ResyncErrors::new,
                ResyncRoutes::new));
    ModelCamelContext model = (ModelCamelContext) context;
    addedSteps.watch(model);
    model.addModelLifecycleStrategy(new OneWebsocketRoute(context, EventModule.ROUTE));
    return compiledRoutes;
  }

  /**
   * Adds the services to the context, which starts them in this order, and stops them after the
   * routes in reverse order: the report before the store writes its pending changes.
   */
  void addServices() throws Exception {
    List<Service> services = new ArrayList<>();
    services.add(asterisk.connections());
    services.add(callContexts.store());
    services.add(startupGate);
    services.add(resync.mappingComparison());
    services.add(kafka.stallMonitor());
    services.add(blockedSteps);
    services.add(kafka.producerRecovery());
    services.add(
        new ShutdownReport(
            lifecycle,
            kafka.inFlightLimiter(),
            kafka.inFlightEvents(),
            events.handleLostEvent(),
            commands::hasAbandoned,
            threads::ended));
    services.add(managedBeans());
    services.addAll(
        new HealthModule(
                context,
                settings,
                meters,
                lifecycle,
                startupGate,
                kafka,
                asterisk,
                callContexts,
                resync,
                commands,
                threads,
                rejectedRouteFiles,
                blockedSteps)
            .probes());
    for (Service service : services) {
      context.addService(service);
    }
    context.getManagementStrategy().addEventNotifier(new RouteRestartCounter(meters));
  }

  private ManagedBeans managedBeans() {
    return new ManagedBeans(
        context,
        Map.of(
            "CallContexts",
            callContexts.managedBean(),
            "Commands",
            commands.managedBean(),
            "Logging",
            new ManagedLogging(),
            "Proxy",
            new ManagedProxy(() -> lifecycle.state().name(), lifecycle::stateSince),
            "Websocket",
            asterisk.managedBean()));
  }
}
