// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.command.CommandHealthCheck;
import io.retel.ariproxy.component.ahcws.WebSocketStatus;
import io.retel.ariproxy.component.lanes.LanesComponent;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.health.AsteriskProbe;
import io.retel.ariproxy.health.HealthChecks;
import io.retel.ariproxy.health.KafkaProbe;
import io.retel.ariproxy.health.ManagementPort;
import io.retel.ariproxy.health.Probe;
import io.retel.ariproxy.jmx.ManagedBeans;
import io.retel.ariproxy.jmx.ManagedCallContexts;
import io.retel.ariproxy.jmx.ManagedCommands;
import io.retel.ariproxy.jmx.ManagedLogging;
import io.retel.ariproxy.jmx.ManagedWebsocket;
import io.retel.ariproxy.kafka.InFlightLimiter;
import io.retel.ariproxy.kafka.KafkaStallMonitor;
import io.retel.ariproxy.route.RouteRestartCounter;
import io.retel.ariproxy.tracing.MaskedBacklogTracer;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;

/** Services around the routes: background threads, gauges, health checks and MBeans. */
public final class ProxyServices {

  private static final String OPERATOR_RECONNECT_REASON = "reconnect requested by an operator";

  private final CamelContext context;
  private final Settings settings;
  private final MeterRegistry meters;
  private final OutboundClients clients;
  private final RouteBeans routeBeans;

  public ProxyServices(
      CamelContext context,
      Settings settings,
      MeterRegistry meters,
      OutboundClients clients,
      RouteBeans routeBeans) {
    this.context = context;
    this.settings = settings;
    this.meters = meters;
    this.clients = clients;
    this.routeBeans = routeBeans;
  }

  /** Adds the services to the context, which starts them and stops them after the routes. */
  public void register() throws Exception {
    context.addService(clients.store());
    context.addService(routeBeans.startupGate());
    context.addService(new KafkaStallMonitor(context, clients.inFlightLimiter()));
    context.addService(routeBeans.shutdownReport());
    context.addService(managedBeans());
    context.addStartupListener(
        (startedContext, alreadyStarted) ->
            MaskedBacklogTracer.register(startedContext, routeBeans.payloadMasker()));
    context.getManagementStrategy().addEventNotifier(new RouteRestartCounter(meters));
    addGauges();
    addHealthChecks();
  }

  private void addGauges() {
    Gauges gauges = new Gauges(meters);
    context.getRegistry().bind("gauges", gauges);
    gauges
        .bindWebsocket(clients::websocketStatuses)
        .bindCommands(
            context.getComponent("lanes", LanesComponent.class),
            clients.kafkaClients(),
            () -> routeBeans.commandConsumption().pausedSince().isPresent())
        .bindCallContexts(routeBeans.callContexts(), clients.store())
        .bindKafka(clients.inFlightLimiter());
  }

  private ManagedBeans managedBeans() {
    return new ManagedBeans(
        context,
        Map.of(
            "CallContexts",
            new ManagedCallContexts(routeBeans.callContexts()),
            "Commands",
            new ManagedCommands(
                routeBeans.commandConsumption(), clients.kafkaClients()::skipUnreadable),
            "Logging",
            new ManagedLogging(),
            "Websocket",
            new ManagedWebsocket(
                clients::websocketStatuses, () -> clients.reconnect(OPERATOR_RECONNECT_REASON))));
  }

  private void addHealthChecks() throws Exception {
    HealthChecks checks =
        new HealthChecks(context, meters)
            .add("startup", routeBeans.startupGate()::unmetPrecondition)
            .add("websocket-buffer", this::websocketBufferProblem)
            .addAvailabilityGauge(HealthChecks.WEBSOCKET, clients::isConnected)
            .addDependency(
                "call-context-store",
                () ->
                    clients.store().lastError().map(reason -> "The call-context store " + reason));
    InFlightLimiter inFlightLimiter = clients.inFlightLimiter();
    if (!ManagementPort.isEnabled(settings)) {
      checks.add(commandHealthCheck(Optional::empty));
      checks.addDependency("kafka", inFlightLimiter::stallReason);
      return;
    }
    // only with a management port, since they query Asterisk and Kafka even when idle
    Probe asteriskProbe = new Probe("asterisk-probe", new AsteriskProbe(context));
    KafkaProbe kafkaCheck =
        new KafkaProbe(
            clients::kafkaClientConfig,
            settings.topics(),
            settings.commandTopics(),
            settings.get(Setting.CALLCONTEXT_STORE_TIMEOUT));
    Probe kafkaProbe = new Probe("kafka-probe", kafkaCheck);
    checks.add(commandHealthCheck(kafkaCheck::openTransactions));
    // missing topics have just been created
    routeBeans.startupGate().onReady(kafkaProbe::trigger);
    context.addService(asteriskProbe);
    context.addService(kafkaProbe);
    checks.addDependency("ari-rest", asteriskProbe::lastError);
    checks.addDependency("kafka", () -> inFlightLimiter.stallReason().or(kafkaProbe::lastError));
  }

  private CommandHealthCheck commandHealthCheck(Supplier<Optional<String>> heldBack) {
    return new CommandHealthCheck(
        routeBeans.commandConsumption(),
        routeBeans.manuallyStoppedRoutes(),
        heldBack,
        clients.kafkaClients()::consumptionProblem);
  }

  private Optional<String> websocketBufferProblem() {
    return clients.websocketStatuses().stream()
        .filter(WebSocketStatus::isBufferFull)
        .findFirst()
        .map(
            status ->
                "Websocket reads are paused: "
                    + status.bufferedMessages()
                    + " events wait for Kafka in "
                    + status.bufferedBytes()
                    + " bytes (ari.buffer-size); Asterisk drops the connection if this continues");
  }
}
