package io.retel.ariproxy;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.command.IntakeHealthCheck;
import io.retel.ariproxy.component.ahcws.WebSocketStatus;
import io.retel.ariproxy.component.lanes.LanesComponent;
import io.retel.ariproxy.jmx.ManagedBeans;
import io.retel.ariproxy.jmx.ManagedCallContexts;
import io.retel.ariproxy.jmx.ManagedCommands;
import io.retel.ariproxy.jmx.ManagedLogging;
import io.retel.ariproxy.jmx.ManagedWebsocket;
import io.retel.ariproxy.kafka.BoundInFlight;
import io.retel.ariproxy.kafka.KafkaSilence;
import io.retel.ariproxy.management.AskAsterisk;
import io.retel.ariproxy.management.AskKafka;
import io.retel.ariproxy.management.HealthChecks;
import io.retel.ariproxy.management.ManagementPort;
import io.retel.ariproxy.management.Probe;
import io.retel.ariproxy.metrics.CountRestarts;
import io.retel.ariproxy.metrics.Gauges;
import io.retel.ariproxy.settings.Setting;
import io.retel.ariproxy.settings.Settings;
import io.retel.ariproxy.tracing.MaskedBacklogTracer;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.CamelContext;

/** What runs beside the routes, and what shows how they are: meters, health checks, JMX beans. */
final class ProxyServices {

  private static final String BY_AN_OPERATOR = "an operator asks for a new one";

  private final CamelContext context;
  private final Settings settings;
  private final MeterRegistry meters;
  private final Connections connections;
  private final ProxyBeans beans;

  ProxyServices(
      CamelContext context,
      Settings settings,
      MeterRegistry meters,
      Connections connections,
      ProxyBeans beans) {
    this.context = context;
    this.settings = settings;
    this.meters = meters;
    this.connections = connections;
    this.beans = beans;
  }

  /** Adds them to the context, which starts them, and stops them after the routes. */
  void add() throws Exception {
    context.addService(connections.store());
    context.addService(beans.preparation());
    context.addService(new KafkaSilence(context, connections.inFlight()));
    context.addService(beans.lastWord());
    context.addService(managedBeans());
    context.addStartupListener(
        (started, again) -> MaskedBacklogTracer.register(started, beans.mask()));
    context.getManagementStrategy().addEventNotifier(new CountRestarts(meters));
    addGauges();
    addHealthChecks();
  }

  private void addGauges() {
    Gauges gauges = new Gauges(meters);
    context.getRegistry().bind("gauges", gauges);
    gauges
        .websocket(connections::websockets)
        .commands(
            context.getComponent("lanes", LanesComponent.class),
            connections.kafkaClients(),
            () -> beans.intake().pausedSince().isPresent())
        .callContexts(beans.callContexts(), connections.store())
        .kafka(connections.inFlight());
  }

  private ManagedBeans managedBeans() {
    return new ManagedBeans(
        context,
        Map.of(
            "CallContexts",
            new ManagedCallContexts(beans.callContexts()),
            "Commands",
            new ManagedCommands(beans.intake()),
            "Logging",
            new ManagedLogging(),
            "Websocket",
            new ManagedWebsocket(
                connections::websockets, () -> connections.reconnect(BY_AN_OPERATOR))));
  }

  private void addHealthChecks() throws Exception {
    HealthChecks checks =
        new HealthChecks(context, meters)
            .add("preparation", beans.preparation()::waitsFor)
            .add("intake-buffer", this::bufferFull)
            .add(
                new IntakeHealthCheck(
                    beans.intake(), beans.stoppedByHand(), connections.kafkaClients()::trouble))
            .available(HealthChecks.WEBSOCKET, connections::isConnected)
            .addService(
                "call-context-store",
                () -> connections.store().trouble().map(why -> "The call-context store " + why));
    BoundInFlight inFlight = connections.inFlight();
    if (!ManagementPort.isWanted(settings)) {
      checks.addService("kafka", inFlight::trouble);
      return;
    }
    // only for those who look: Asterisk and Kafka are asked even when there is nothing to do
    Probe asterisk = new Probe("ask-asterisk", new AskAsterisk(context));
    Probe kafka =
        new Probe(
            "ask-kafka",
            new AskKafka(
                connections::kafka,
                settings.topics(),
                settings.milliseconds(Setting.CALLCONTEXT_STORE_TIMEOUT)));
    // topics that were missing have just been made
    beans.preparation().whenDone(kafka::askAgain);
    context.addService(asterisk);
    context.addService(kafka);
    checks.addService("ari-rest", asterisk::trouble);
    checks.addService("kafka", () -> inFlight.trouble().or(kafka::trouble));
  }

  private Optional<String> bufferFull() {
    return connections.websockets().stream()
        .filter(WebSocketStatus::bufferFull)
        .findFirst()
        .map(
            full ->
                "The websocket is not read, since "
                    + full.bufferedMessages()
                    + " events wait for Kafka in "
                    + full.bufferedBytes()
                    + " bytes (ari.buffer-size); Asterisk drops the connection if that goes on");
  }
}
