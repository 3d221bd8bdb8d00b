package io.retel.ariproxy;

import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.command.AnswerFailure;
import io.retel.ariproxy.command.AnswerMemory;
import io.retel.ariproxy.command.AriHttpClient;
import io.retel.ariproxy.command.AwaitApplication;
import io.retel.ariproxy.command.BeginCommand;
import io.retel.ariproxy.command.CheckCommand;
import io.retel.ariproxy.command.CommandReader;
import io.retel.ariproxy.command.CommitWhenAnswered;
import io.retel.ariproxy.command.LeaveToAnother;
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
import io.retel.ariproxy.event.FindCallContext;
import io.retel.ariproxy.event.KeepEvent;
import io.retel.ariproxy.event.MapChannels;
import io.retel.ariproxy.event.ReadEvent;
import io.retel.ariproxy.event.WrapEvent;
import io.retel.ariproxy.kafka.BoundInFlight;
import io.retel.ariproxy.kafka.MarkAnswered;
import io.retel.ariproxy.kafka.ProxyKafkaClients;
import io.retel.ariproxy.settings.Setting;
import io.retel.ariproxy.settings.Settings;
import java.time.InstantSource;
import java.util.function.BooleanSupplier;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.Registry;

/** What the routes refer to by name. */
final class ProxyBeans {

  private ProxyBeans() {}

  /** Makes the beans and binds them. */
  static void bind(CamelContext context, Settings settings) {
    Registry registry = context.getRegistry();
    MeterRegistry meters = new SimpleMeterRegistry();
    registry.bind("meters", meters);

    CallContexts callContexts =
        new CallContexts(
            settings.seconds(Setting.CALL_CONTEXT_IDLE_SECONDS),
            settings.seconds(Setting.CALL_CONTEXT_GRACE_SECONDS),
            Ticker.systemTicker());
    // caffeine-cache:callContexts?createCacheIfNotExist=false reads it from a route
    registry.bind("callContexts", callContexts.cache());
    Envelopes envelopes =
        new Envelopes(settings.get(Setting.KAFKA_COMMANDS_TOPIC), settings.eventResources());

    // events
    registry.bind("readEvent", new ReadEvent());
    registry.bind("keepEvent", new KeepEvent(meters));
    CallContextRules rules = new CallContextRules(callContexts);
    registry.bind("findCallContext", new FindCallContext(rules, meters));
    registry.bind("mapChannels", new MapChannels(rules, settings.applications(), meters));
    registry.bind("countNotTold", new CountNotTold(meters));
    CountLost countLost = new CountLost(meters);
    registry.bind("wrapEvent", new WrapEvent(envelopes, meters, countLost));
    registry.bind("countUnreadable", new CountUnreadable(meters));
    registry.bind("countLost", countLost);

    // commands
    registry.bind("readCommand", new ReadCommand(new CommandReader(callContexts)));
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
        new WrapAnswer(envelopes, answers, (int) settings.number(Setting.ARI_MAX_BODY_SIZE));
    registry.bind("wrapAnswer", wrapAnswer);
    registry.bind("settleCreated", new SettleCreated(callContexts));
    registry.bind("answerRejected", AnswerFailure.rejected(wrapAnswer, meters));
    registry.bind("answerNotSent", AnswerFailure.notSent(wrapAnswer, meters));
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
    registry.bind(
        "boundInFlight", new BoundInFlight(settings.number(Setting.KAFKA_MAX_HEAP_IN_FLIGHT)));

    AhcWsComponent ws = websocket(context, "ahc-ws", settings);
    AhcWsComponent wss = websocket(context, "ahc-wss", settings);
    BooleanSupplier connected = () -> ws.isConnected() || wss.isConnected();
    registry.bind("awaitApplication", new AwaitApplication(connected));
    WhileAsteriskIsReached whileReached = new WhileAsteriskIsReached(connected);
    registry.bind("whileAsteriskIsReached", whileReached);
    registry.bind("leaveToAnother", new LeaveToAnother(whileReached));
  }

  private static AhcWsComponent websocket(CamelContext context, String scheme, Settings settings) {
    AhcWsComponent component = context.getComponent(scheme, AhcWsComponent.class);
    component.setUsername(settings.get(Setting.ARI_USERNAME));
    component.setPassword(settings.password().reveal());
    return component;
  }
}
