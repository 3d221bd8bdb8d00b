package io.retel.ariproxy;

import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
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
import io.retel.ariproxy.command.CommandReader;
import io.retel.ariproxy.command.CommitWhenAnswered;
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
import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.event.CountLost;
import io.retel.ariproxy.event.CountNotTold;
import io.retel.ariproxy.event.CountUnreadable;
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
import io.retel.ariproxy.kafka.BoundInFlight;
import io.retel.ariproxy.kafka.KafkaConnection;
import io.retel.ariproxy.kafka.KafkaTopics;
import io.retel.ariproxy.kafka.MarkAnswered;
import io.retel.ariproxy.kafka.ProxyKafkaClients;
import io.retel.ariproxy.logging.AtWork;
import io.retel.ariproxy.logging.Mask;
import io.retel.ariproxy.logging.PayloadLog;
import io.retel.ariproxy.settings.Setting;
import io.retel.ariproxy.settings.Settings;
import io.retel.ariproxy.settings.StoreKind;
import io.retel.ariproxy.tracing.LogTracer;
import io.retel.ariproxy.tracing.MaskedBacklogTracer;
import io.retel.ariproxy.tracing.OpenTelemetryTracing;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.health.HealthCheckRegistry;
import org.apache.camel.spi.Registry;

/** What the routes refer to by name. */
final class ProxyBeans {

  /** How long Asterisk's own event may come after the one that was made up for. */
  private static final Duration LATE = Duration.ofMinutes(1);

  private ProxyBeans() {}

  /**
   * Makes the beans and binds them.
   *
   * @param onReplaced what is done when another client takes over the Stasis application
   */
  static void bind(CamelContext context, Settings settings, Runnable onReplaced) {
    Registry registry = context.getRegistry();
    MeterRegistry meters = new SimpleMeterRegistry();
    registry.bind("meters", meters);
    context.getCamelContextExtension().addInterceptStrategy(new AtWork());
    Mask mask = new Mask(settings.isTrue(Setting.LOGGING_MASK));
    PayloadLog payloads = new PayloadLog(mask);
    registry.bind("mask", mask);
    // by its type Camel takes it for its own
    registry.bind("logTracer", new LogTracer(mask));

    Supplier<Map<String, Object>> kafka =
        () -> KafkaConnection.of(context, settings.get(Setting.KAFKA_BROKERS));
    WriteBehind store =
        new WriteBehind(
            store(settings, kafka),
            settings.milliseconds(Setting.CALLCONTEXT_STORE_TIMEOUT),
            meters);
    EventsUnderWay underWay = new EventsUnderWay();
    registry.bind("eventsUnderWay", underWay);
    store.writeAfter(underWay::awaitAcknowledged);
    registry.bind("callContextStore", store);
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
    Preparation preparation =
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
    registry.bind("preparation", preparation);
    registry.bind(
        "oncePrepared", new RunWhile(preparation::isDone, "topics and call contexts are there"));
    // caffeine-cache:callContexts?createCacheIfNotExist=false reads it from a route
    registry.bind("callContexts", callContexts.cache());
    Envelopes envelopes =
        new Envelopes(settings.get(Setting.KAFKA_COMMANDS_TOPIC), settings.eventResources());

    // events
    registry.bind("readEvent", new ReadEvent());
    registry.bind("keepEvent", new KeepEvent(settings.get(Setting.ARI_URL), onReplaced, meters));
    registry.bind("skipTold", new SkipTold(told, meters));
    registry.bind("findCallContext", new FindCallContext(rules, meters, underWay));
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
    CountLost countLost = new CountLost(meters);
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
    registry.bind("recallAnswer", new RecallAnswer(answers, meters));
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
    registry.bind("answerRejected", AnswerFailure.rejected(wrapAnswer, meters));
    registry.bind("answerNotSent", AnswerFailure.notSent(wrapAnswer, meters));
    registry.bind("answerNotKept", AnswerFailure.notKept(wrapAnswer, meters));
    AnswerFailure answerUnknown = AnswerFailure.unknown(wrapAnswer, meters);
    registry.bind("answerUnknown", answerUnknown);
    registry.bind("commitWhenAnswered", new CommitWhenAnswered(meters, answerUnknown));
    registry.bind("answerTooLarge", AnswerFailure.tooLarge(wrapAnswer, meters));

    // connections
    registry.bind(
        "ariHttpClient",
        new AriHttpClient(
            settings.get(Setting.ARI_USERNAME),
            settings.password(),
            (int) settings.number(Setting.COMMANDS_AT_ONCE),
            settings.number(Setting.ARI_CONNECT_TIMEOUT),
            settings.number(Setting.ARI_RESPONSE_TIMEOUT)));
    long shutdownTimeoutMs = settings.number(Setting.SHUTDOWN_TIMEOUT) * 1_000;
    registry.bind(
        "kafkaClients",
        new ProxyKafkaClients(
            (int) settings.number(Setting.COMMANDS_MAX_UNANSWERED),
            shutdownTimeoutMs / 2,
            context::isStopping));
    registry.bind("markAnswered", new MarkAnswered());
    BoundInFlight inFlight = new BoundInFlight(settings.number(Setting.KAFKA_MAX_HEAP_IN_FLIGHT));
    registry.bind("boundInFlight", inFlight);
    Meters.HEAP_IN_FLIGHT.gauge(meters, inFlight::taken);
    Meters.KAFKA_SILENT_SECONDS.gauge(meters, () -> inFlight.silence().toSeconds());
    Meters.STORE_WAITING.gauge(meters, store::waiting);

    AhcWsComponent ws = websocket(context, "ahc-ws", settings);
    AhcWsComponent wss = websocket(context, "ahc-wss", settings);
    LookAgain lookAgain =
        new LookAgain(
            context,
            () -> {
              ws.tellConnectedAgain();
              wss.tellConnectedAgain();
            });
    registry.bind("countNotTold", new CountNotTold(meters, lookAgain));
    BooleanSupplier connected = () -> ws.isConnected() || wss.isConnected();
    registry.bind("awaitApplication", new AwaitApplication(connected));
    WhileAsteriskIsReached whileReached =
        new WhileAsteriskIsReached(() -> connected.getAsBoolean() && !store.isFailing());
    registry.bind("whileAsteriskIsReached", whileReached);
    registry.bind("leaveToAnother", new LeaveToAnother(whileReached));
    if (settings.isTrue(Setting.TRACING_OPENTELEMETRY)) {
      OpenTelemetryTracing.begin(context);
    }
  }

  /** What runs beside the routes and is stopped after them, and the health checks. */
  static void addServices(CamelContext context) throws Exception {
    Registry registry = context.getRegistry();
    WriteBehind store = registry.lookupByNameAndType("callContextStore", WriteBehind.class);
    Preparation preparation = registry.lookupByNameAndType("preparation", Preparation.class);
    BoundInFlight kafka = registry.lookupByNameAndType("boundInFlight", BoundInFlight.class);
    context.addService(store);
    context.addService(preparation);
    context.addService(
        new LastWord(
            kafka,
            registry.lookupByNameAndType("eventsUnderWay", EventsUnderWay.class),
            registry.lookupByNameAndType("countLost", CountLost.class)));
    Mask mask = registry.lookupByNameAndType("mask", Mask.class);
    context.addStartupListener(
        (started, alreadyStarted) -> MaskedBacklogTracer.register(started, mask));
    HealthCheckRegistry health = HealthCheckRegistry.get(context);
    health.register(new ProxyHealthCheck("preparation", preparation::waitsFor));
    health.register(new ProxyHealthCheck("kafka", kafka::trouble));
    health.register(
        new ProxyHealthCheck(
            "call-context-store",
            () -> store.trouble().map(why -> "The call-context store " + why)));
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

  private static AhcWsComponent websocket(CamelContext context, String scheme, Settings settings) {
    AhcWsComponent component = context.getComponent(scheme, AhcWsComponent.class);
    component.setUsername(settings.get(Setting.ARI_USERNAME));
    component.setPassword(settings.password().reveal());
    return component;
  }
}
