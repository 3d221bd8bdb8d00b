package io.retel.ariproxy;

import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.command.AnswerFailure;
import io.retel.ariproxy.command.AnswerMemory;
import io.retel.ariproxy.command.AwaitApplication;
import io.retel.ariproxy.command.BeginCommand;
import io.retel.ariproxy.command.CheckCommand;
import io.retel.ariproxy.command.CommandIntake;
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
import io.retel.ariproxy.kafka.BoundInFlight;
import io.retel.ariproxy.logging.AtWork;
import io.retel.ariproxy.logging.Mask;
import io.retel.ariproxy.logging.PayloadLog;
import io.retel.ariproxy.settings.Setting;
import io.retel.ariproxy.settings.Settings;
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

/** What the routes refer to by name: their steps, and the policies that they run by. */
final class ProxyBeans {

  /** How long Asterisk's own event may come after the one that was made up for. */
  private static final Duration LATE = Duration.ofMinutes(1);

  /** The routes that read commands from Kafka. */
  private static final List<String> COMMAND_ROUTES = List.of("commands", "generic-commands");

  private final Mask mask;
  private final EventsUnderWay underWay = new EventsUnderWay();
  private final CountLost countLost;
  private final Preparation preparation;
  private final BoundInFlight inFlight;
  private final CallContexts callContexts;
  private final CommandIntake intake;
  private final CommitWhenAnswered commitWhenAnswered;
  private final Supplier<List<String>> stoppedByHand;

  /**
   * Makes the beans and binds them.
   *
   * @param onReplaced what is done when another client takes over the Stasis application
   */
  ProxyBeans(
      CamelContext context,
      Settings settings,
      MeterRegistry meters,
      Connections connections,
      Runnable onReplaced) {
    this.inFlight = connections.inFlight();
    Registry registry = context.getRegistry();
    context.getCamelContextExtension().addInterceptStrategy(new AtWork());
    this.mask = new Mask(settings.isTrue(Setting.LOGGING_MASK));
    PayloadLog payloads = new PayloadLog(mask);
    // by its type Camel takes it for its own
    registry.bind("logTracer", new LogTracer(mask));

    WriteBehind store = connections.store();
    store.writeAfter(underWay::awaitAcknowledged);
    this.callContexts =
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
    this.preparation =
        new Preparation(
            List.of(
                connections.topics()::ensure,
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
    RunWhile unlessPaused =
        new RunWhile(
            () -> preparation.isDone() && intake.isOpen(),
            "topics and call contexts are there, and commands are not paused");
    registry.bind("unlessPaused", unlessPaused);
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
    this.commitWhenAnswered = new CommitWhenAnswered(meters, answerUnknown);
    registry.bind("commitWhenAnswered", commitWhenAnswered);
    registry.bind("answerTooLarge", AnswerFailure.tooLarge(wrapAnswer));

    LookAgain lookAgain = new LookAgain(context, connections::tellConnectedAgain);
    registry.bind("countNotTold", new CountNotTold(meters, lookAgain));
    registry.bind("awaitApplication", new AwaitApplication(connections::isConnected));
    WhileAsteriskIsReached whileReached =
        new WhileAsteriskIsReached(
            () -> intake.isOpen() && connections.isConnected() && !store.isFailing());
    registry.bind("whileAsteriskIsReached", whileReached);
    registry.bind("leaveToAnother", new LeaveToAnother(whileReached));
    this.stoppedByHand =
        () ->
            Stream.of(unlessPaused, whileReached)
                .flatMap(policy -> policy.stoppedByHand(context).stream())
                .toList();

    if (settings.isTrue(Setting.TRACING_OPENTELEMETRY)) {
      OpenTelemetryTracing.begin(context);
    }
  }

  Preparation preparation() {
    return preparation;
  }

  CallContexts callContexts() {
    return callContexts;
  }

  CommandIntake intake() {
    return intake;
  }

  /** The routes that would read commands, had nobody stopped them. */
  Supplier<List<String>> stoppedByHand() {
    return stoppedByHand;
  }

  Mask mask() {
    return mask;
  }

  /** Says at the end of a stop what has become of the work. */
  LastWord lastWord() {
    return new LastWord(
        inFlight,
        underWay,
        countLost,
        () -> commitWhenAnswered.hasLeftInTheStop() || intake.underWay() > 0);
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
}
