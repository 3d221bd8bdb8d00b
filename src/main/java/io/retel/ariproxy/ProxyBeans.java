package io.retel.ariproxy;

import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.store.CallContextStore;
import io.retel.ariproxy.callcontext.store.CassandraStore;
import io.retel.ariproxy.callcontext.store.JdbcStore;
import io.retel.ariproxy.callcontext.store.KafkaStore;
import io.retel.ariproxy.callcontext.store.MemoryStore;
import io.retel.ariproxy.callcontext.store.RedisStore;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.command.AnswerFailure;
import io.retel.ariproxy.command.AnswerMemory;
import io.retel.ariproxy.command.AriHttpClient;
import io.retel.ariproxy.command.AwaitApplication;
import io.retel.ariproxy.command.BeginCommand;
import io.retel.ariproxy.command.CheckCommand;
import io.retel.ariproxy.command.CommandIntake;
import io.retel.ariproxy.command.CommandReader;
import io.retel.ariproxy.command.CommitWhenAnswered;
import io.retel.ariproxy.command.IntakeHealthCheck;
import io.retel.ariproxy.command.LeaveToAnother;
import io.retel.ariproxy.command.NoteSubscription;
import io.retel.ariproxy.command.ReadCommand;
import io.retel.ariproxy.command.RecallAnswer;
import io.retel.ariproxy.command.RegisterCreated;
import io.retel.ariproxy.command.SettleCreated;
import io.retel.ariproxy.command.ToAriRequest;
import io.retel.ariproxy.command.WhileAsteriskIsReached;
import io.retel.ariproxy.command.WrapAnswer;
import io.retel.ariproxy.component.ahcws.AhcWsComponent;
import io.retel.ariproxy.component.ahcws.WebSocketStatus;
import io.retel.ariproxy.component.lanes.LanesComponent;
import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.event.CountLost;
import io.retel.ariproxy.event.CountNotTold;
import io.retel.ariproxy.event.CountUnreadable;
import io.retel.ariproxy.event.DropEvent;
import io.retel.ariproxy.event.EventsUnderWay;
import io.retel.ariproxy.event.FindCallContext;
import io.retel.ariproxy.event.KeepEvent;
import io.retel.ariproxy.event.ReadEvent;
import io.retel.ariproxy.event.WrapEvent;
import io.retel.ariproxy.gap.BeginLookAround;
import io.retel.ariproxy.gap.Compare;
import io.retel.ariproxy.gap.Gap;
import io.retel.ariproxy.gap.LookAgain;
import io.retel.ariproxy.gap.MediaQuestions;
import io.retel.ariproxy.gap.NoteGap;
import io.retel.ariproxy.gap.SetAgain;
import io.retel.ariproxy.gap.SkipTold;
import io.retel.ariproxy.gap.Subscriptions;
import io.retel.ariproxy.gap.TellMissed;
import io.retel.ariproxy.gap.Told;
import io.retel.ariproxy.jmx.ManagedBeans;
import io.retel.ariproxy.jmx.ManagedCallContexts;
import io.retel.ariproxy.jmx.ManagedCommands;
import io.retel.ariproxy.jmx.ManagedWebsocket;
import io.retel.ariproxy.kafka.BoundInFlight;
import io.retel.ariproxy.kafka.KafkaConnection;
import io.retel.ariproxy.kafka.KafkaSecurity;
import io.retel.ariproxy.kafka.KafkaSilence;
import io.retel.ariproxy.kafka.KafkaTopics;
import io.retel.ariproxy.kafka.MarkAnswered;
import io.retel.ariproxy.kafka.ProxyKafkaClients;
import io.retel.ariproxy.kafka.SecuredKafkaClients;
import io.retel.ariproxy.logging.AtWork;
import io.retel.ariproxy.logging.Mask;
import io.retel.ariproxy.logging.PayloadLog;
import io.retel.ariproxy.management.AskAsterisk;
import io.retel.ariproxy.management.AskKafka;
import io.retel.ariproxy.management.HealthChecks;
import io.retel.ariproxy.management.ManagementPort;
import io.retel.ariproxy.management.Probe;
import io.retel.ariproxy.metrics.CountRestarts;
import io.retel.ariproxy.metrics.Gauges;
import io.retel.ariproxy.metrics.MeterRegistries;
import io.retel.ariproxy.settings.Setting;
import io.retel.ariproxy.settings.Settings;
import io.retel.ariproxy.settings.StoreKind;
import io.retel.ariproxy.tls.TrustedAuthorities;
import io.retel.ariproxy.tracing.LogTracer;
import io.retel.ariproxy.tracing.MaskedBacklogTracer;
import io.retel.ariproxy.tracing.OpenTelemetryTracing;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.apache.camel.CamelContext;
import org.apache.camel.ServiceStatus;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.spi.Registry;
import org.apache.camel.support.jsse.SSLContextParameters;

/** What the routes refer to by name, and what runs beside them. */
final class ProxyBeans {

  /** How long Asterisk's own event may come after the one that was made up for. */
  private static final Duration LATE = Duration.ofMinutes(1);

  /** The routes that read commands from Kafka. */
  private static final List<String> COMMAND_ROUTES = List.of("commands", "generic-commands");

  private static final String BY_AN_OPERATOR = "an operator asks for a new one";

  private final CamelContext context;
  private final Settings settings;
  private final MeterRegistry meters;
  private final KafkaSecurity kafkaSecurity;
  private final Mask mask;
  private final WriteBehind store;
  private final EventsUnderWay underWay = new EventsUnderWay();
  private final CountLost countLost;
  private final Preparation preparation;
  private final BoundInFlight inFlight;
  private final ProxyKafkaClients kafkaClients;
  private final CommandIntake intake;
  private final ManagedBeans managedBeans;
  private final AhcWsComponent ws;
  private final AhcWsComponent wss;

  /**
   * Makes the beans and binds them.
   *
   * @param onReplaced what is done when another client takes over the Stasis application
   */
  ProxyBeans(CamelContext context, Settings settings, Runnable onReplaced) {
    this.context = context;
    this.settings = settings;
    this.meters = MeterRegistries.bind(context, settings.metricsTags());
    Registry registry = context.getRegistry();
    context.getCamelContextExtension().addInterceptStrategy(new AtWork());
    this.mask = new Mask(settings.isTrue(Setting.LOGGING_MASK));
    PayloadLog payloads = new PayloadLog(mask);
    registry.bind("mask", mask);
    // by its type Camel takes it for its own
    registry.bind("logTracer", new LogTracer(mask));

    this.kafkaSecurity = settings.kafkaSecurity();
    Supplier<Map<String, Object>> kafka = this::kafkaConnection;
    this.store =
        new WriteBehind(
            store(settings, kafka),
            settings.milliseconds(Setting.CALLCONTEXT_STORE_TIMEOUT),
            meters);
    store.writeAfter(underWay::awaitAcknowledged);
    CallContexts callContexts =
        new CallContexts(
            settings.seconds(Setting.CALLCONTEXT_IDLE_SECONDS),
            settings.seconds(Setting.CALLCONTEXT_GRACE_SECONDS),
            Ticker.systemTicker(),
            store,
            InstantSource.system());
    CallContextRules rules = new CallContextRules(callContexts);
    Subscriptions subscriptions = new Subscriptions(store);
    Gap gap = new Gap();
    Told told = new Told(callContexts, LATE, Ticker.systemTicker());
    KafkaTopics topics = topics(settings, kafka);
    this.preparation =
        new Preparation(
            List.of(
                topics::ensure,
                () -> {
                  store.readAll(
                      (key, kept) -> {
                        if (key.startsWith(Subscriptions.KEY)) {
                          subscriptions.restore(key, kept);
                        } else {
                          callContexts.restore(key, kept);
                        }
                      });
                  callContexts.restored();
                  gap.begin(null, callContexts.livingCallContexts());
                }));
    registry.bind(
        "oncePrepared", new RunWhile(preparation::isDone, "topics and call contexts are there"));
    this.intake = intake(context);
    registry.bind(
        "unlessPaused",
        new RunWhile(
            () -> preparation.isDone() && intake.isOpen(),
            "topics and call contexts are there, and commands are not paused"));
    // caffeine-cache:callContexts?createCacheIfNotExist=false reads it from a route
    registry.bind("callContexts", callContexts.cache());
    Envelopes envelopes =
        new Envelopes(settings.get(Setting.KAFKA_COMMANDS_TOPIC), settings.eventResources());

    // events
    registry.bind("readEvent", new ReadEvent());
    registry.bind("keepEvent", new KeepEvent(settings.get(Setting.ARI_URL), onReplaced, meters));
    registry.bind("skipTold", new SkipTold(told, meters));
    registry.bind("findCallContext", new FindCallContext(rules, meters, underWay));
    // for routes that are edited
    registry.bind("dropEvent", new DropEvent(meters));
    registry.bind("noteGap", new NoteGap(gap, callContexts));
    registry.bind("beginLookAround", new BeginLookAround(callContexts));
    registry.bind("whichMedia", MediaQuestions.which());
    registry.bind("askForMedia", MediaQuestions.ask());
    registry.bind("isMediaThere", MediaQuestions.answer());
    registry.bind(
        "compare",
        new Compare(
            callContexts,
            rules,
            List.copyOf(settings.applications()),
            gap,
            told,
            underWay,
            meters));
    registry.bind("tellMissed", new TellMissed(meters));
    registry.bind("whichForgotten", SetAgain.which(subscriptions));
    registry.bind("setAgain", SetAgain.ask());
    registry.bind("wasSetAgain", SetAgain.answer());
    this.countLost = new CountLost(meters);
    registry.bind("wrapEvent", new WrapEvent(envelopes, meters, countLost, underWay, payloads));
    registry.bind("countUnreadable", new CountUnreadable(meters));
    registry.bind("countLost", countLost);

    // commands
    registry.bind("readCommand", new ReadCommand(new CommandReader(callContexts), payloads));
    registry.bind("beginCommand", new BeginCommand());
    AnswerMemory answers =
        new AnswerMemory(
            settings.seconds(Setting.COMMANDS_REPEAT_SECONDS),
            settings.number(Setting.COMMANDS_REPEAT_MEMORY),
            Ticker.systemTicker());
    registry.bind("recallAnswer", new RecallAnswer(answers));
    registry.bind(
        "checkCommand",
        new CheckCommand(
            settings.allowedOperations(),
            settings.number(Setting.ARI_MAX_REQUEST_SIZE),
            settings.seconds(Setting.COMMANDS_MAX_AGE_SECONDS),
            InstantSource.system()));
    registry.bind("registerCreated", new RegisterCreated(callContexts));
    registry.bind("toAriRequest", new ToAriRequest());
    WrapAnswer wrapAnswer =
        new WrapAnswer(
            envelopes, answers, (int) settings.number(Setting.ARI_MAX_BODY_SIZE), payloads);
    registry.bind("wrapAnswer", wrapAnswer);
    registry.bind("settleCreated", new SettleCreated(callContexts));
    registry.bind("noteSubscription", new NoteSubscription(subscriptions));
    registry.bind("answerRejected", AnswerFailure.rejected(wrapAnswer));
    registry.bind("answerNotSent", AnswerFailure.notSent(wrapAnswer));
    registry.bind("answerNotKept", AnswerFailure.notKept(wrapAnswer));
    AnswerFailure answerUnknown = AnswerFailure.unknown(wrapAnswer);
    registry.bind("answerUnknown", answerUnknown);
    registry.bind("commitWhenAnswered", new CommitWhenAnswered(meters, answerUnknown));
    registry.bind("answerTooLarge", AnswerFailure.tooLarge(wrapAnswer));

    // connections
    Optional<SSLContextParameters> ariTls =
        Optional.of(settings.trustedForAri())
            .filter(trusted -> !trusted.isEmpty())
            .map(TrustedAuthorities::only);
    registry.bind(
        "ariHttpClient",
        new AriHttpClient(
            settings.get(Setting.ARI_USERNAME),
            settings.password(),
            sslContext(context, ariTls.orElseGet(SSLContextParameters::new)),
            (int) settings.number(Setting.COMMANDS_AT_ONCE),
            settings.number(Setting.ARI_CONNECT_TIMEOUT),
            settings.number(Setting.ARI_RESPONSE_TIMEOUT),
            settings.ariPath(),
            meters));
    long shutdownTimeoutMs = settings.number(Setting.SHUTDOWN_TIMEOUT) * 1_000;
    this.kafkaClients =
        new ProxyKafkaClients(
            kafkaSecurity,
            (int) settings.number(Setting.COMMANDS_MAX_UNANSWERED),
            shutdownTimeoutMs / 2,
            context::isStopping);
    registry.bind("kafkaClients", kafkaClients);
    context
        .getComponent("kafka", KafkaComponent.class)
        .setKafkaClientFactory(new SecuredKafkaClients(kafkaSecurity));
    registry.bind("markAnswered", new MarkAnswered());
    this.inFlight = new BoundInFlight(settings.number(Setting.KAFKA_MAX_HEAP_IN_FLIGHT));
    registry.bind("boundInFlight", inFlight);
    this.ws = websocket(context, "ahc-ws", settings, ariTls);
    this.wss = websocket(context, "ahc-wss", settings, ariTls);
    LookAgain lookAgain =
        new LookAgain(
            context,
            () -> {
              ws.tellConnectedAgain();
              wss.tellConnectedAgain();
            });
    registry.bind("countNotTold", new CountNotTold(meters, lookAgain));
    registry.bind("awaitApplication", new AwaitApplication(this::isConnected));
    WhileAsteriskIsReached whileReached =
        new WhileAsteriskIsReached(() -> intake.isOpen() && isConnected() && !store.isFailing());
    registry.bind("whileAsteriskIsReached", whileReached);
    registry.bind("leaveToAnother", new LeaveToAnother(whileReached));

    Gauges gauges = new Gauges(meters);
    registry.bind("gauges", gauges);
    gauges
        .websocket(this::websockets)
        .commands(context.getComponent("lanes", LanesComponent.class), kafkaClients)
        .callContexts(callContexts, store)
        .kafka(inFlight);
    context.getManagementStrategy().addEventNotifier(new CountRestarts(meters));

    this.managedBeans =
        new ManagedBeans(
            context,
            Map.of(
                "CallContexts",
                new ManagedCallContexts(callContexts),
                "Commands",
                new ManagedCommands(intake),
                "Websocket",
                new ManagedWebsocket(
                    this::websockets,
                    () -> Stream.of(ws, wss).forEach(each -> each.reconnect(BY_AN_OPERATOR)))));
    if (settings.isTrue(Setting.TRACING_OPENTELEMETRY)) {
      OpenTelemetryTracing.begin(context);
    }
  }

  /** What runs beside the routes and is stopped after them, and the health checks. */
  void addServices() throws Exception {
    context.addService(store);
    context.addService(preparation);
    context.addService(new KafkaSilence(context, inFlight));
    context.addService(new LastWord(inFlight, underWay, countLost));
    context.addService(managedBeans);
    context.addStartupListener(
        (started, alreadyStarted) -> MaskedBacklogTracer.register(started, mask));
    HealthChecks checks =
        new HealthChecks(context, meters)
            .add("preparation", preparation::waitsFor)
            .add("intake-buffer", this::bufferFull)
            .add(new IntakeHealthCheck(intake, kafkaClients::trouble))
            .available(HealthChecks.WEBSOCKET, this::isConnected)
            .addService(
                "call-context-store",
                () -> store.trouble().map(why -> "The call-context store " + why));
    if (!ManagementPort.isWanted(settings)) {
      checks.addService("kafka", inFlight::trouble);
      return;
    }
    // only for those who look: Asterisk and Kafka are asked even when there is nothing to do
    Probe asterisk = new Probe("ask-asterisk", new AskAsterisk(context));
    AskKafka askKafka =
        new AskKafka(
            this::kafkaConnection,
            settings.topics(),
            settings.milliseconds(Setting.CALLCONTEXT_STORE_TIMEOUT));
    Probe kafka = new Probe("ask-kafka", askKafka);
    context.addService(asterisk);
    context.addService(kafka);
    checks.addService("ari-rest", asterisk::trouble);
    checks.addService("kafka", () -> inFlight.trouble().or(kafka::trouble));
  }

  private List<WebSocketStatus> websockets() {
    return Stream.of(ws, wss).flatMap(component -> component.status().stream()).toList();
  }

  private boolean isConnected() {
    return ws.isConnected() || wss.isConnected();
  }

  private Optional<String> bufferFull() {
    return websockets().stream()
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

  private Map<String, Object> kafkaConnection() {
    return KafkaConnection.of(context, settings.get(Setting.KAFKA_BROKERS), kafkaSecurity);
  }

  private static CommandIntake intake(CamelContext context) {
    LanesComponent lanes = context.getComponent("lanes", LanesComponent.class);
    return new CommandIntake(
        lanes::leased,
        lanes::waiting,
        () ->
            COMMAND_ROUTES.stream()
                .filter(
                    route -> {
                      ServiceStatus status = context.getRouteController().getRouteStatus(route);
                      return status != null && !status.isStopped();
                    })
                .toList(),
        InstantSource.system());
  }

  private static KafkaTopics topics(Settings settings, Supplier<Map<String, Object>> kafka) {
    KafkaTopics topics =
        new KafkaTopics(
                kafka,
                settings.isTrue(Setting.KAFKA_CREATE_TOPICS),
                settings.milliseconds(Setting.CALLCONTEXT_STORE_TIMEOUT))
            .want(settings.topics());
    return settings.store() == StoreKind.KAFKA
        ? topics.wantCompacted(settings.get(Setting.CALLCONTEXT_KAFKA_TOPIC))
        : topics;
  }

  private static CallContextStore store(Settings settings, Supplier<Map<String, Object>> kafka) {
    String asterisk = settings.get(Setting.CALLCONTEXT_ASTERISK);
    String app = settings.get(Setting.ARI_APP);
    Duration idleTime = settings.seconds(Setting.CALLCONTEXT_IDLE_SECONDS);
    Duration timeout = settings.milliseconds(Setting.CALLCONTEXT_STORE_TIMEOUT);
    return switch (settings.store()) {
      case KAFKA -> new KafkaStore(kafka, settings.get(Setting.CALLCONTEXT_KAFKA_TOPIC), timeout);
      case MEMORY -> new MemoryStore();
      case REDIS ->
          new RedisStore(
              settings.secret(Setting.CALLCONTEXT_REDIS_URI), asterisk, app, idleTime, timeout);
      case JDBC ->
          new JdbcStore(
              settings.secret(Setting.CALLCONTEXT_JDBC_URL),
              settings.get(Setting.CALLCONTEXT_JDBC_USERNAME),
              settings.secret(Setting.CALLCONTEXT_JDBC_PASSWORD),
              asterisk,
              app,
              timeout);
      case CASSANDRA ->
          new CassandraStore(
              settings.get(Setting.CALLCONTEXT_CASSANDRA_HOSTS),
              settings.get(Setting.CALLCONTEXT_CASSANDRA_DATACENTER),
              settings.get(Setting.CALLCONTEXT_CASSANDRA_KEYSPACE),
              settings.get(Setting.CALLCONTEXT_CASSANDRA_USERNAME),
              settings.secret(Setting.CALLCONTEXT_CASSANDRA_PASSWORD),
              asterisk,
              app,
              idleTime,
              timeout);
    };
  }

  private static AhcWsComponent websocket(
      CamelContext context, String scheme, Settings settings, Optional<SSLContextParameters> tls) {
    AhcWsComponent component = context.getComponent(scheme, AhcWsComponent.class);
    component.setUsername(settings.get(Setting.ARI_USERNAME));
    component.setPassword(settings.password().reveal());
    tls.ifPresent(component::setSslContextParameters);
    return component;
  }

  private static SSLContext sslContext(CamelContext context, SSLContextParameters tls) {
    try {
      return tls.createSSLContext(context);
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
