package io.retel.ariproxy.demo;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.RootCause;
import io.retel.ariproxy.demo.Envelope.Kind;
import io.retel.ariproxy.fixtures.Standalone;
import io.retel.ariproxy.fixtures.asterisk.Pace;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * Shows the proxy at work: Kafka, a simulated Asterisk, a call-controller and the proxy in one
 * process, with calls that come and go until Ctrl-C or until there were {@value #CALLS} of them.
 */
public final class Demo implements AutoCloseable {

  /** Names the system property that says after how many calls the demo ends by itself. */
  public static final String CALLS = "demo.calls";

  private static final String APP = "demo";
  private static final String EVENTS_TOPIC = "ari-events";
  private static final String COMMANDS_TOPIC = "ari-commands";
  private static final Duration GREETING = Duration.ofMillis(1_800);
  private static final Duration LONGEST_CALL = Duration.ofSeconds(60);
  private static final Duration LAST_ANSWERS = Duration.ofSeconds(2);

  private final Screen screen;
  private final Path folder;
  private final Tally tally = new Tally();
  private final Parts parts = new Parts();

  private volatile boolean started;
  private volatile String failure;

  /**
   * Prepares a demo.
   *
   * @param folder for its data
   */
  Demo(Screen screen, Path folder) {
    this.screen = screen;
    this.folder = folder;
  }

  /** Runs until Ctrl-C, or until the calls are over that the system property asks for. */
  public static void main(String[] args) {
    Standalone process = Standalone.begin("demo");
    // on a slow machine a topic that was just created is not there for a moment
    Standalone.setLevel("io.retel.ariproxy.Preparation", Level.ERROR);
    if (!Files.isDirectory(Path.of("config")) || !Files.isDirectory(Path.of("routes"))) {
      process.fail(
          "The demo cannot start: it reads config/ and routes/; start it in "
              + process.folder().getParent().getParent());
    }
    Screen screen = new Screen(process.out(), Style.isWanted(), Style.columns());
    Demo demo = new Demo(screen, process.folder());
    process.onCtrlC(demo::interrupt);
    boolean complete = demo.run(Integer.getInteger(CALLS, 0));
    if (demo.failure != null) {
      process.fail(demo.failure);
    }
    System.exit(complete ? 0 : 1);
  }

  /**
   * Shows calls.
   *
   * @param calls how many; 0 for no end
   * @return false if they were not complete in time
   */
  boolean run(int calls) {
    try (this) {
      return show(calls);
    }
  }

  private boolean show(int calls) {
    try {
      start(calls);
      started = true;
      if (calls == 0) {
        parts.awaitClose();
        return true;
      }
      boolean complete = tally.awaitCompleteCalls(calls, LONGEST_CALL);
      if (!complete) {
        screen.line("A call did not complete within " + LONGEST_CALL.toSeconds() + " s");
      }
      return complete;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (RuntimeException e) {
      // Ctrl-C takes away what is still starting
      if (!parts.isClosed()) {
        failure = "The demo cannot start: " + RootCause.inOneLine(e);
      }
      return false;
    }
  }

  private void start(int calls) {
    screen.title();
    KafkaBroker kafka = parts.start(() -> KafkaBroker.in(folder.resolve("kafka")));
    SimulatedAsterisk asterisk =
        parts.start(
            () -> SimulatedAsterisk.builder().pace(Pace.real().withPlayback(GREETING)).start());
    screen.parts(kafka.bootstrapServers(), ":" + asterisk.port(), EVENTS_TOPIC, COMMANDS_TOPIC);
    ProxySettings settings = ProxySettings.of(asterisk, APP, kafka, EVENTS_TOPIC, COMMANDS_TOPIC);
    parts.onClose(() -> screen.end(tally.summary()));
    parts.start(
        () ->
            Traffic.read(
                kafka.bootstrapServers(),
                Map.of(
                    settings.eventsTopic(), Kind.EVENT,
                    settings.unmappedTopic(), Kind.UNMAPPED,
                    settings.commandsTopic(), Kind.COMMAND),
                this::read));
    parts.start(() -> RunningProxy.start(settings));
    parts.onClose(() -> tally.awaitAnswers(LAST_ANSWERS));
    parts.start(() -> RunningController.start(kafka.bootstrapServers(), settings.eventsTopic()));
    asterisk.awaitConnected(APP);
    parts.start(() -> Callers.start(asterisk, APP, calls));
  }

  private void read(Envelope envelope) {
    Tally.Call call = envelope.kind() == Kind.UNMAPPED ? null : tally.call(envelope);
    screen.show(envelope, call, tally.count(envelope));
  }

  private void interrupt() {
    screen.takeBackCtrlC();
    if (started) {
      close();
    } else {
      // Kafka alone may take seconds to start, and there is nothing to bring to an end
      Standalone.mute();
      parts.abandon();
    }
  }

  /** Stops everything, in an order that leaves no command unanswered. */
  @Override
  public void close() {
    parts.close();
  }
}
