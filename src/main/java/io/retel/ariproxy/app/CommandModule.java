// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.command.AllowedOperations;
import io.retel.ariproxy.command.AsteriskReachablePolicy;
import io.retel.ariproxy.command.BuildAriRequest;
import io.retel.ariproxy.command.BuildFailureResponse;
import io.retel.ariproxy.command.BuildResponse;
import io.retel.ariproxy.command.CheckCommand;
import io.retel.ariproxy.command.CommandConsumption;
import io.retel.ariproxy.command.CommandHealthCheck;
import io.retel.ariproxy.command.CommandParser;
import io.retel.ariproxy.command.CommitOnResponse;
import io.retel.ariproxy.command.HangingCommands;
import io.retel.ariproxy.command.LargeResponseLimiter;
import io.retel.ariproxy.command.ParseCommand;
import io.retel.ariproxy.command.RecordSubscription;
import io.retel.ariproxy.command.RegisterCreatedResources;
import io.retel.ariproxy.command.RejectCommand;
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
import io.retel.ariproxy.health.HealthChecks;
import io.retel.ariproxy.jmx.ManagedCommands;
import io.retel.ariproxy.kafka.ProxyKafkaClientFactory;
import io.retel.ariproxy.logging.ExchangeExceptionHandler;
import io.retel.ariproxy.route.ConditionalRoutePolicy;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.ServiceStatus;
import org.apache.camel.spi.Registry;

/** Commands: their consumption, and the steps from the record to the RESPONSE. */
final class CommandModule {

  /** The route that must have the policy. */
  static final String ROUTE = "commands";

  /** The name of the policy that starts commands after startup and stops them for a pause. */
  static final String POLICY = "pausePolicy";

  /** Routes that consume commands from Kafka. */
  private static final List<String> CONSUMING_ROUTES = List.of(ROUTE, "generic-commands");

  private final CamelContext context;
  private final LanesComponent lanes;
  private final ProxyKafkaClientFactory kafkaClients;
  private final CommandConsumption consumption;
  private final ConditionalRoutePolicy pausePolicy;
  private final AsteriskReachablePolicy asteriskReachablePolicy;
  private final CommitOnResponse commitOnResponse;
  private final HangingCommands hanging;

  CommandModule(
      CamelContext context,
      Settings settings,
      MeterRegistry meters,
      Gauges gauges,
      TracingModule tracing,
      KafkaModule kafka,
      AsteriskModule asterisk,
      CallContextModule callContextModule,
      Lifecycle lifecycle,
      StartupGate startupGate,
      Envelopes envelopes) {
    this.context = context;
    this.kafkaClients = kafka.clients();
    this.lanes = context.getComponent("lanes", LanesComponent.class);
    lanes.setExceptionHandler(new ExchangeExceptionHandler(context, LanesConsumer.class));
    lanes.fullIf(kafkaClients::isFetchingPaused);
    this.consumption =
        new CommandConsumption(lanes::leased, lanes::queued, this::activeRoutes, lifecycle);
    this.hanging =
        new HangingCommands(
            lanes::hanging,
            lanes::isBlocked,
            // a busy machine is not a fault
            new CommandTimeouts(settings).maxDuration().multipliedBy(2));
    this.pausePolicy =
        new ConditionalRoutePolicy(
            () -> startupGate.isReady() && isRunning(),
            "topics exist, call contexts are restored and commands are not paused");
    this.asteriskReachablePolicy =
        new AsteriskReachablePolicy(
            () ->
                isRunning()
                    && !consumption.isGenericPaused()
                    && asterisk.isConnected()
                    && callContextModule.applications().lost().isEmpty()
                    && !callContextModule.store().isFailing()
                    && !callContextModule.callContexts().isFull());
    consumption.onRequest(
        () -> {
          pausePolicy.wake();
          asteriskReachablePolicy.wake();
        });
    ResponseCache responseCache =
        new ResponseCache(
            settings.get(Setting.COMMANDS_DEDUP_WINDOW),
            settings.get(Setting.COMMANDS_DEDUP_CACHE_SIZE),
            Ticker.systemTicker());
    LargeResponseLimiter largeResponses =
        new LargeResponseLimiter(
            settings.get(Setting.ARI_RESPONSE_BUFFER_SIZE),
            // time remains to read the response
            settings.get(Setting.ARI_RESPONSE_TIMEOUT).dividedBy(2));
    BuildResponse buildResponse =
        new BuildResponse(
            envelopes,
            responseCache,
            Math.toIntExact(settings.get(Setting.ARI_MAX_RESPONSE_BODY)),
            largeResponses,
            tracing.payloadLog());
    BuildFailureResponse respondOutcomeUnknown = BuildFailureResponse.unknownOutcome(buildResponse);
    this.commitOnResponse = new CommitOnResponse(meters, respondOutcomeUnknown);
    CallContexts callContexts = callContextModule.callContexts();
    Subscriptions subscriptions = callContextModule.subscriptions();

    Registry registry = context.getRegistry();
    registry.bind(POLICY, pausePolicy);
    registry.bind("asteriskReachablePolicy", asteriskReachablePolicy);
    registry.bind("commitOnResponse", commitOnResponse);
    registry.bind(
        "parseCommand", new ParseCommand(new CommandParser(callContexts), tracing.payloadLog()));
    registry.bind("startCommand", new StartCommand());
    registry.bind("replayResponse", new ReplayResponse(responseCache));
    registry.bind(
        "checkCommand",
        new CheckCommand(
            settings.get(Setting.COMMANDS_ALLOWED, AllowedOperations::parse),
            callContextModule.applications(),
            subscriptions,
            settings.get(Setting.ARI_MAX_REQUEST_BODY),
            settings.get(Setting.COMMANDS_MAX_AGE),
            InstantSource.system()));
    registry.bind("rejectCommand", new RejectCommand());
    registry.bind("requireOpenWebsocket", new RequireOpenWebsocket(asterisk::isConnected));
    registry.bind("registerCreatedResources", new RegisterCreatedResources(callContexts));
    registry.bind("buildAriRequest", new BuildAriRequest());
    registry.bind("buildResponse", buildResponse);
    registry.bind(
        "updateCreatedMappings",
        new UpdateCreatedMappings(
            callContexts, () -> subscriptions.hideChannelEnds(callContextModule.applications())));
    registry.bind("recordSubscription", new RecordSubscription(subscriptions));
    registry.bind("respondRejected", BuildFailureResponse.rejected(buildResponse));
    registry.bind("respondUnreachable", BuildFailureResponse.unreachable(buildResponse));
    registry.bind("respondStoreUnavailable", BuildFailureResponse.storeUnavailable(buildResponse));
    registry.bind(
        "respondEarlierCommandsHang", BuildFailureResponse.earlierCommandsHang(buildResponse));
    registry.bind("respondTooLarge", BuildFailureResponse.tooLarge(buildResponse));
    registry.bind("respondOutcomeUnknown", respondOutcomeUnknown);
    registry.bind("releaseCommand", new ReleaseCommand(asteriskReachablePolicy));
    gauges.bindCommands(lanes, hanging, kafkaClients, () -> consumption.pausedSince().isPresent());
    gauges.bindLargeResponses(largeResponses);
  }

  /** Returns whether the shutdown has abandoned commands without a RESPONSE. */
  boolean hasAbandoned() {
    return commitOnResponse.hasAbandonedOnShutdown() || consumption.inFlight() > 0;
  }

  /** Returns the name of a thread that has ended while it executed a command, if any. */
  Optional<String> endedThread() {
    return lanes.endedThread();
  }

  ManagedCommands managedBean() {
    return new ManagedCommands(consumption, kafkaClients::skipUnreadable);
  }

  /**
   * @param heldBack which commands wait for a transaction, as a sentence; or empty
   */
  void addHealthChecks(HealthChecks checks, Supplier<Optional<String>> heldBack) {
    checks.add(
        new CommandHealthCheck(
            consumption,
            this::manuallyStoppedRoutes,
            heldBack,
            hanging,
            kafkaClients::isFetchingPaused,
            kafkaClients::consumptionProblem));
  }

  private boolean isRunning() {
    return consumption.update() == CommandConsumption.State.RUNNING;
  }

  private List<String> activeRoutes() {
    return CONSUMING_ROUTES.stream()
        .filter(
            route -> {
              ServiceStatus status = context.getRouteController().getRouteStatus(route);
              return status != null && !status.isStopped();
            })
        .toList();
  }

  /** Returns the command routes that an operator has stopped. */
  private List<String> manuallyStoppedRoutes() {
    return Stream.of(pausePolicy, asteriskReachablePolicy)
        .flatMap(policy -> policy.manuallyStopped(context).stream())
        .toList();
  }
}
