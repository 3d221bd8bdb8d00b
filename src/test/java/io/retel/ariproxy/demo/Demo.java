// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.demo;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.demo.Envelope.Kind;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.fixtures.StandaloneProcess;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.Timing;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * Runs Kafka, a simulated Asterisk, a call-controller and the proxy in one process, and shows the
 * traffic between them. Calls start and end until Ctrl-C, or until {@value #CALLS_PROPERTY} of them
 * are complete.
 */
public final class Demo implements AutoCloseable {

  /** System property with the number of calls after which the demo exits. */
  public static final String CALLS_PROPERTY = "demo.calls";

  private static final String APP = "demo";
  private static final String EVENTS_TOPIC = "ari-events";
  private static final String COMMANDS_TOPIC = "ari-commands";
  private static final Duration GREETING_DURATION = Duration.ofMillis(1_800);
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration RESPONSE_TIMEOUT = Duration.ofSeconds(2);

  private final Screen screen;
  private final Path folder;
  private final Tally tally = new Tally();
  private final StartedComponents components = new StartedComponents();

  private volatile boolean started;
  private volatile String failure;

  /**
   * Creates a demo.
   *
   * @param folder the directory for its data
   */
  Demo(Screen screen, Path folder) {
    this.screen = screen;
    this.folder = folder;
  }

  /** Runs until Ctrl-C, or until the number of calls in {@link #CALLS_PROPERTY} is complete. */
  public static void main(String[] args) {
    StandaloneProcess process = StandaloneProcess.start("demo");
    // on a slow machine, a topic may not exist immediately after it was created
    StandaloneProcess.setLevel("io.retel.ariproxy.app.StartupGate", Level.ERROR);
    // its single broker has no replicas
    StandaloneProcess.setLevel("io.retel.ariproxy.kafka.TopicRisks", Level.ERROR);
    if (!Files.isDirectory(Path.of("config")) || !Files.isDirectory(Path.of("routes"))) {
      process.fail(
          "The demo cannot start: config/ and routes/ not found; start it in "
              + process.directory().getParent().getParent());
    }
    Screen screen = new Screen(process.out(), Style.isEnabled(), Style.columns());
    Demo demo = new Demo(screen, process.directory());
    process.onInterrupt(demo::interrupt);
    boolean complete = demo.run(Integer.getInteger(CALLS_PROPERTY, 0));
    if (demo.failure != null) {
      process.fail(demo.failure);
    }
    System.exit(complete ? 0 : 1);
  }

  /**
   * Runs the demo.
   *
   * @param calls the number of calls; 0 for no limit
   * @return false if a call did not complete in time
   */
  boolean run(int calls) {
    try (this) {
      return runCalls(calls);
    }
  }

  private boolean runCalls(int calls) {
    try {
      start(calls);
      started = true;
      if (calls == 0) {
        components.awaitClose();
        return true;
      }
      boolean complete = tally.awaitCompleteCalls(calls, CALL_TIMEOUT);
      if (!complete) {
        screen.printLine("A call did not complete within " + CALL_TIMEOUT.toSeconds() + " s");
      }
      return complete;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (RuntimeException e) {
      // Ctrl-C during startup stops components that are still starting
      if (!components.isClosed()) {
        failure = "The demo cannot start: " + ErrorMessages.singleLine(e);
      }
      return false;
    }
  }

  private void start(int calls) {
    screen.printTitle();
    KafkaBroker kafka =
        components.start(() -> KafkaBroker.withDataDirectory(folder.resolve("kafka")));
    SimulatedAsterisk asterisk =
        components.start(
            () ->
                SimulatedAsterisk.builder()
                    .timing(Timing.real().withPlayback(GREETING_DURATION))
                    .start());
    screen.printOverview(
        kafka.bootstrapServers(), ":" + asterisk.port(), EVENTS_TOPIC, COMMANDS_TOPIC);
    ProxySettings settings = ProxySettings.of(asterisk, APP, kafka, EVENTS_TOPIC, COMMANDS_TOPIC);
    components.onClose(() -> screen.printSummary(tally.summary()));
    components.start(
        () ->
            TrafficReader.start(
                kafka.bootstrapServers(),
                Map.of(
                    settings.eventsTopic(), Kind.EVENT,
                    settings.unmappedTopic(), Kind.UNMAPPED,
                    settings.commandsTopic(), Kind.COMMAND),
                this::onEnvelope));
    components.start(() -> EmbeddedProxy.start(settings.withStepMBeans()));
    components.onClose(() -> tally.awaitResponses(RESPONSE_TIMEOUT));
    components.start(
        () -> CallControllerApp.start(kafka.bootstrapServers(), settings.eventsTopic()));
    asterisk.awaitConnected(APP);
    components.start(() -> CallGenerator.start(asterisk, APP, calls));
  }

  private void onEnvelope(Envelope envelope) {
    Tally.Call call = envelope.kind() == Kind.UNMAPPED ? null : tally.call(envelope);
    screen.show(envelope, call, tally.count(envelope));
  }

  private void interrupt() {
    screen.eraseCtrlC();
    if (started) {
      close();
    } else {
      // Kafka can take seconds to start, and nothing needs a clean shutdown yet
      StandaloneProcess.muteLogging();
      components.stopStarting();
    }
  }

  /** Stops all components, in an order that lets each command get its RESPONSE. */
  @Override
  public void close() {
    components.close();
  }
}
