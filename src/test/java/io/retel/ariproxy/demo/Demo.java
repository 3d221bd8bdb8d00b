package io.retel.ariproxy.demo;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.retel.ariproxy.demo.Envelope.Kind;
import io.retel.ariproxy.fixtures.asterisk.Pace;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import org.slf4j.LoggerFactory;

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
  private final Tally tally = new Tally();
  private final Parts parts = new Parts();

  Demo(Screen screen) {
    this.screen = screen;
  }

  /** Runs until Ctrl-C, or until the calls are over that the system property asks for. */
  public static void main(String[] args) {
    // as the proxy's own main
    Locale.setDefault(Locale.ROOT);
    // what the parts tell would stand between the lines
    ((Logger) LoggerFactory.getLogger("io.retel.ariproxy")).setLevel(Level.WARN);
    // past Maven, which has its own idea of System.out
    PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    Demo demo = new Demo(new Screen(out, Style.isWanted()));
    Runtime.getRuntime().addShutdownHook(new Thread(demo::interrupt, "end-of-demo"));
    System.exit(demo.run(Integer.getInteger(CALLS, 0)) ? 0 : 1);
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
        LoggerFactory.getLogger(Demo.class).error("The demo does not start", e);
      }
      return false;
    }
  }

  private void start(int calls) {
    screen.title();
    KafkaBroker kafka = parts.start(KafkaBroker::launch);
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
    if (!parts.isClosed()) {
      screen.takeBackCtrlC();
      close();
    }
  }

  /** Stops everything, in an order that leaves no command unanswered. */
  @Override
  public void close() {
    parts.close();
  }
}
