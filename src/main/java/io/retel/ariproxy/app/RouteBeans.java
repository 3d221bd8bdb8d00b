// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.command.AllowedOperations;
import io.retel.ariproxy.command.AsteriskReachablePolicy;
import io.retel.ariproxy.command.BuildAriRequest;
import io.retel.ariproxy.command.BuildFailureResponse;
import io.retel.ariproxy.command.BuildResponse;
import io.retel.ariproxy.command.CheckCommand;
import io.retel.ariproxy.command.CommandConsumption;
import io.retel.ariproxy.command.CommandParser;
import io.retel.ariproxy.command.CommitOnResponse;
import io.retel.ariproxy.command.ParseCommand;
import io.retel.ariproxy.command.RecordSubscription;
import io.retel.ariproxy.command.RegisterCreatedResources;
import io.retel.ariproxy.command.ReleaseCommand;
import io.retel.ariproxy.command.ReplayResponse;
import io.retel.ariproxy.command.RequireOpenWebsocket;
import io.retel.ariproxy.command.ResponseCache;
import io.retel.ariproxy.command.StartCommand;
import io.retel.ariproxy.command.UpdateCreatedMappings;
import io.retel.ariproxy.component.lanes.LanesComponent;
import io.retel.ariproxy.component.lanes.LanesConsumer;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.event.BuildEventEnvelope;
import io.retel.ariproxy.event.DropEvent;
import io.retel.ariproxy.event.HandleInternalEvent;
import io.retel.ariproxy.event.HandleLostEvent;
import io.retel.ariproxy.event.HandleMalformedEvent;
import io.retel.ariproxy.event.ParseEvent;
import io.retel.ariproxy.event.ResolveCallContext;
import io.retel.ariproxy.kafka.InFlightEvents;
import io.retel.ariproxy.kafka.InFlightLimiter;
import io.retel.ariproxy.logging.ExchangeContext;
import io.retel.ariproxy.logging.ExchangeExceptionHandler;
import io.retel.ariproxy.logging.PayloadLog;
import io.retel.ariproxy.logging.PayloadMasker;
import io.retel.ariproxy.resync.FindMissedEvents;
import io.retel.ariproxy.resync.Gap;
import io.retel.ariproxy.resync.HandleResyncFailure;
import io.retel.ariproxy.resync.MediaLookup;
import io.retel.ariproxy.resync.PublishMissedEvents;
import io.retel.ariproxy.resync.RecordGapStart;
import io.retel.ariproxy.resync.ResyncRetry;
import io.retel.ariproxy.resync.SkipDuplicateEvent;
import io.retel.ariproxy.resync.StartResync;
import io.retel.ariproxy.resync.SubscriptionRestore;
import io.retel.ariproxy.resync.SyntheticEventLog;
import io.retel.ariproxy.route.ConditionalRoutePolicy;
import io.retel.ariproxy.time.SteadyClock;
import io.retel.ariproxy.tracing.LogTracer;
import io.retel.ariproxy.tracing.OpenTelemetryTracing;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.ServiceStatus;
import org.apache.camel.spi.Registry;

/** Beans that routes reference by name: steps and route policies. */
public final class RouteBeans {

  /** How long an event from Asterisk can follow the synthetic event that it duplicates. */
  private static final Duration LATE_EVENT_WINDOW = Duration.ofMinutes(1);

  /** Routes that consume commands from Kafka. */
  private static final List<String> COMMAND_ROUTES = List.of("commands", "generic-commands");

  private final PayloadMasker payloadMasker;
  private final InFlightEvents inFlightEvents = new InFlightEvents();
  private final HandleLostEvent undeliverableEvents;
  private final StartupGate startupGate;
  private final InFlightLimiter inFlightLimiter;
  private final CallContexts callContexts;
  private final CommandConsumption commandConsumption;
  private final CommitOnResponse commitOnResponse;
  private final Supplier<List<String>> manuallyStoppedRoutes;

  /**
   * Creates and binds the beans.
   *
   * @param onReplaced runs when another client replaces this one in the Stasis application
   */
  public RouteBeans(
      CamelContext context,
      Settings settings,
      MeterRegistry meters,
      OutboundClients clients,
      Runnable onReplaced) {
    this.inFlightLimiter = clients.inFlightLimiter();
    Registry registry = context.getRegistry();
    context.getCamelContextExtension().addInterceptStrategy(new ExchangeContext());
    this.payloadMasker = new PayloadMasker(settings.get(Setting.LOGGING_MASK));
    PayloadLog payloadLog = new PayloadLog(payloadMasker);
    // Camel finds it by type and uses it as its tracer
    registry.bind("logTracer", new LogTracer(payloadMasker));

    WriteBehind store = clients.store();
    store.setBarrier(inFlightEvents::awaitAcknowledged);
    this.callContexts =
        new CallContexts(
            settings.get(Setting.CALLCONTEXT_IDLE_TIMEOUT),
            settings.get(Setting.CALLCONTEXT_GRACE_PERIOD),
            Ticker.systemTicker(),
            store,
            new SteadyClock());
    CallContextRules callContextRules = new CallContextRules(callContexts);
    Subscriptions subscriptions = new Subscriptions(store);
    Gap gap = new Gap();
    SyntheticEventLog syntheticEventLog =
        new SyntheticEventLog(callContexts, LATE_EVENT_WINDOW, Ticker.systemTicker());
    this.startupGate =
        new StartupGate(
            List.of(
                clients.topics()::createMissing,
                () -> {
                  store.readAll(
                      (key, storedValue) -> {
                        if (key.startsWith(Subscriptions.KEY_PREFIX)) {
                          subscriptions.restore(key, storedValue);
                        } else {
                          callContexts.restore(key, storedValue);
                        }
                      });
                  callContexts.completeRestore();
                  gap.begin(null, callContexts.activeCallContexts());
                }));
    registry.bind(
        "startupGatePolicy",
        new ConditionalRoutePolicy(
            startupGate::isReady, "topics exist and call contexts are restored"));
    this.commandConsumption = commandConsumption(context);
    ConditionalRoutePolicy pausePolicy =
        new ConditionalRoutePolicy(
            () ->
                startupGate.isReady()
                    && commandConsumption.update() == CommandConsumption.State.RUNNING,
            "topics exist, call contexts are restored and commands are not paused");
    registry.bind("pausePolicy", pausePolicy);
    // for routes that read it: caffeine-cache:callContexts?createCacheIfNotExist=false
    registry.bind("callContexts", callContexts.cache());
    Envelopes envelopes =
        new Envelopes(
            settings.get(Setting.KAFKA_COMMANDS_TOPIC),
            settings.get(Setting.ENVELOPE_EVENT_RESOURCES));

    // events
    registry.bind("parseEvent", new ParseEvent());
    registry.bind(
        "handleInternalEvent",
        new HandleInternalEvent(settings.get(Setting.ARI_URL).toString(), onReplaced, meters));
    registry.bind("skipDuplicate", new SkipDuplicateEvent(syntheticEventLog, meters));
    registry.bind(
        "resolveCallContext", new ResolveCallContext(callContextRules, meters, inFlightEvents));
    // not used by the shipped routes; for edited ones
    registry.bind("dropEvent", new DropEvent(meters));
    registry.bind("recordGapStart", new RecordGapStart(gap, callContexts));
    registry.bind("startResync", new StartResync(callContexts));
    registry.bind("listMedia", MediaLookup.listMedia());
    registry.bind("buildMediaRequest", MediaLookup.buildRequest());
    registry.bind("recordEndedMedia", MediaLookup.recordEndedMedia());
    registry.bind(
        "findMissedEvents",
        new FindMissedEvents(
            callContexts,
            callContextRules,
            settings.get(Setting.ARI_APP),
            gap,
            syntheticEventLog,
            inFlightEvents,
            meters));
    registry.bind("publishMissed", new PublishMissedEvents(meters));
    registry.bind("listMissingSubscriptions", SubscriptionRestore.listMissing(subscriptions));
    registry.bind("buildSubscriptionRequest", SubscriptionRestore.buildRequest());
    registry.bind("checkSubscriptionResponse", SubscriptionRestore.logResult());
    this.undeliverableEvents = new HandleLostEvent(meters);
    registry.bind(
        "buildEventEnvelope",
        new BuildEventEnvelope(envelopes, meters, undeliverableEvents, inFlightEvents, payloadLog));
    registry.bind("handleMalformedEvent", new HandleMalformedEvent(meters));
    registry.bind("handleLostEvent", undeliverableEvents);

    // commands
    registry.bind("parseCommand", new ParseCommand(new CommandParser(callContexts), payloadLog));
    registry.bind("startCommand", new StartCommand());
    ResponseCache responseCache =
        new ResponseCache(
            settings.get(Setting.COMMANDS_DEDUP_WINDOW),
            settings.get(Setting.COMMANDS_DEDUP_CACHE_SIZE),
            Ticker.systemTicker());
    registry.bind("replayResponse", new ReplayResponse(responseCache));
    registry.bind(
        "checkCommand",
        new CheckCommand(
            settings.get(Setting.COMMANDS_ALLOWED, AllowedOperations::parse),
            settings.get(Setting.ARI_MAX_REQUEST_BODY),
            settings.get(Setting.COMMANDS_MAX_AGE),
            InstantSource.system()));
    registry.bind("registerCreatedResources", new RegisterCreatedResources(callContexts));
    registry.bind("buildAriRequest", new BuildAriRequest());
    BuildResponse buildResponse =
        new BuildResponse(
            envelopes,
            responseCache,
            Math.toIntExact(settings.get(Setting.ARI_MAX_RESPONSE_BODY)),
            payloadLog);
    registry.bind("buildResponse", buildResponse);
    registry.bind("updateCreatedMappings", new UpdateCreatedMappings(callContexts));
    registry.bind("recordSubscription", new RecordSubscription(subscriptions));
    registry.bind("respondRejected", BuildFailureResponse.rejected(buildResponse));
    registry.bind("respondUnreachable", BuildFailureResponse.unreachable(buildResponse));
    registry.bind("respondStoreUnavailable", BuildFailureResponse.storeUnavailable(buildResponse));
    BuildFailureResponse unknownOutcome = BuildFailureResponse.unknownOutcome(buildResponse);
    registry.bind("respondOutcomeUnknown", unknownOutcome);
    this.commitOnResponse = new CommitOnResponse(meters, unknownOutcome);
    registry.bind("commitOnResponse", commitOnResponse);
    registry.bind("respondTooLarge", BuildFailureResponse.tooLarge(buildResponse));

    ResyncRetry resyncRetry = new ResyncRetry(context, clients::requestResync);
    registry.bind("handleResyncFailure", new HandleResyncFailure(meters, resyncRetry));
    registry.bind("requireOpenWebsocket", new RequireOpenWebsocket(clients::isConnected));
    AsteriskReachablePolicy asteriskReachablePolicy =
        new AsteriskReachablePolicy(
            () ->
                commandConsumption.update() == CommandConsumption.State.RUNNING
                    && clients.isConnected()
                    && !store.isFailing());
    registry.bind("asteriskReachablePolicy", asteriskReachablePolicy);
    registry.bind("releaseCommand", new ReleaseCommand(asteriskReachablePolicy));
    this.manuallyStoppedRoutes =
        () ->
            Stream.of(pausePolicy, asteriskReachablePolicy)
                .flatMap(policy -> policy.manuallyStopped(context).stream())
                .toList();

    if (settings.get(Setting.TRACING_OPENTELEMETRY)) {
      OpenTelemetryTracing.install(context);
    }
  }

  StartupGate startupGate() {
    return startupGate;
  }

  CallContexts callContexts() {
    return callContexts;
  }

  CommandConsumption commandConsumption() {
    return commandConsumption;
  }

  /** Returns the command routes that an operator has stopped. */
  Supplier<List<String>> manuallyStoppedRoutes() {
    return manuallyStoppedRoutes;
  }

  PayloadMasker payloadMasker() {
    return payloadMasker;
  }

  /** Returns the service that logs the outcome of a shutdown. */
  ShutdownReport shutdownReport() {
    return new ShutdownReport(
        inFlightLimiter,
        inFlightEvents,
        undeliverableEvents,
        () -> commitOnResponse.hasAbandonedOnShutdown() || commandConsumption.inFlight() > 0);
  }

  private static CommandConsumption commandConsumption(CamelContext context) {
    LanesComponent lanes = context.getComponent("lanes", LanesComponent.class);
    lanes.setExceptionHandler(new ExchangeExceptionHandler(context, LanesConsumer.class));
    return new CommandConsumption(
        lanes::leased,
        lanes::queued,
        () ->
            COMMAND_ROUTES.stream()
                .filter(
                    route -> {
                      ServiceStatus status = context.getRouteController().getRouteStatus(route);
                      return status != null && !status.isStopped();
                    })
                .toList());
  }
}
