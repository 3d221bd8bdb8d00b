package io.retel.ariproxy.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.Timing;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything fails, side by side and by chance, while calls come and go and a controller commands
 * them: Kafka, Asterisk, the network, single requests, and the proxy itself. Then all is there
 * again, all calls end, and the books have to balance.
 *
 * <p>{@code -Dchaos.seed=…} chooses the faults, {@code -Dchaos.seconds=…} for how long they happen.
 * The seed fixes what happens and in which order, not what a fault hits: that is up to the threads.
 *
 * <p><b>Events.</b> Each event that Asterisk wrote to a websocket is published once and never
 * twice, those of a call in Asterisk's order, byte by byte. It may be missing only
 *
 * <ul>
 *   <li>if the proxy has told the same by an event of its own before ({@code synthesized_by}),
 *   <li>if it was written to a websocket that was silent from then on until it was given up,
 *   <li>if it was written within {@link OutageHistory#SETTLE_TIME} before its connection broke
 *       without a close frame of Asterisk's: what was on its way is gone, and nobody can know how
 *       much,
 *   <li>if it was written within that time before the process died of kill -9, or was stopped
 *       without Kafka. If Kafka was away then, that time begins where Kafka went: what is
 *       acknowledged by nobody is in the memory of the process alone.
 * </ul>
 *
 * and then nothing of the same channel, bridge or medium that was written behind it to the same
 * websocket is published: what is lost is an end, never a hole. Nothing stronger holds, since
 * Asterisk sends no event again.
 *
 * <p><b>Calls.</b> Each channel that is in Stasis when all is there again has a STASIS_START, told
 * by Asterisk or by the proxy. Begin and end of each channel take turns, begin first, end last. One
 * may be told again, by the proxy, after a process died so soon after the first time that it could
 * not note it. An end may be missing if the process that told the begin died like that: if the
 * channel was gone when the next one looked, nobody knew of it any more. A begin may be missing if
 * the channel entered while no websocket was open, and left within the moment between the next
 * one's opening and Asterisk's answers about who is there.
 *
 * <p><b>Call contexts.</b> All records of a channel, bridge, playback or recording have one key,
 * over all lives of the proxy. Channels that commands create have their call's, and no other. An
 * event may be unmapped on a connection that broke before Asterisk had told who is there.
 *
 * <p><b>Commands.</b> Each has a RESPONSE with its call context as key, those of a call in the
 * order of their commands. One is on the wire, or answered, a second time only if a process died in
 * between, and the first RESPONSE was not settled by then; first times on the wire are in the order
 * of the call.
 */
class ChaosIT {

  private static final Logger LOG = LoggerFactory.getLogger(ChaosIT.class);

  private static final String APP = "chaos";
  private static final long SEED = Long.getLong("chaos.seed", 1);
  private static final Duration DURATION = Duration.ofSeconds(Long.getLong("chaos.seconds", 15));
  private static final Duration SHUTDOWN_TIMEOUT = Duration.ofSeconds(8);
  private static final Duration QUIET_PERIOD = Duration.ofSeconds(2);

  @TempDir private Path folder;

  @Test
  void staysConsistentUnderFaults() throws Exception {
    assertConsistentAfter(DURATION);
  }

  @Test
  @FullRun("two minutes of chaos")
  void staysConsistentUnderLongFaults() throws Exception {
    assertConsistentAfter(Duration.ofMinutes(2));
  }

  private void assertConsistentAfter(Duration duration) throws Exception {
    Random random = new Random(SEED);
    OutageHistory history = new OutageHistory();
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk =
            SimulatedAsterisk.builder()
                .timing(Timing.real())
                .logCapacity(Integer.MAX_VALUE)
                .start()) {
      ProxySettings settings = settings(asterisk, kafka);
      try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"));
          CallController controller = new CallController(settings, kafka);
          CallGenerator callGenerator =
              new CallGenerator(asterisk, APP, new Random(random.nextLong()))) {
        asterisk.awaitConnected(APP);
        controller.start();
        callGenerator.start();
        FaultInjector faultInjector =
            new FaultInjector(
                random, asterisk, APP, kafka, proxy, SHUTDOWN_TIMEOUT, callGenerator, history);
        faultInjector.run(duration);

        List<String> unmetConditions = recover(asterisk, controller, callGenerator);
        ConsistencyChecker checker =
            new ConsistencyChecker(
                asterisk.sentEvents(APP),
                asterisk.websocketTimelines(),
                asterisk.requests(),
                controller.sent(),
                controller.records(),
                controller.unmapped(),
                history);
        List<String> violations = new ArrayList<>(unmetConditions);
        violations.addAll(checker.violations());
        logStatistics(
            duration,
            checker.statistics(),
            faultInjector.injectedFaults(),
            callGenerator.totalCalls());
        assertThat(violations).as("seed %d", SEED).isEmpty();
      }
    } finally {
      Files.copy(
          folder.resolve("proxy.log"),
          Path.of("target", "chaos-proxy.log"),
          StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private ProxySettings settings(SimulatedAsterisk asterisk, KafkaBroker kafka) throws Exception {
    RoutesDirectory routes =
        RoutesDirectory.copyTo(Files.createDirectory(folder.resolve("routes")));
    routes.edit(
        "events.camel.yaml",
        yaml ->
            yaml.replace(
                "        fireWebSocketConnectionEvents: true",
                "        fireWebSocketConnectionEvents: true\n"
                    + "        pingInterval: 1000\n"
                    + "        pongTimeout: 1500\n"
                    + "        reconnectMaximumDelay: 1000\n"
                    + "        refusedMaximumDelay: 1000"));
    return ProxySettings.of(asterisk, APP, kafka)
        .withHeap("1g")
        .with(Setting.ROUTES_DIRECTORY, routes.path().toString())
        .with(Setting.ARI_RESPONSE_TIMEOUT, "3000ms")
        .with(Setting.SHUTDOWN_TIMEOUT, Long.toString(SHUTDOWN_TIMEOUT.toSeconds()) + "s");
  }

  /**
   * All is there again, all calls come to their end, and nothing moves any more.
   *
   * @return what did not come to be
   */
  private static List<String> recover(
      SimulatedAsterisk asterisk, CallController controller, CallGenerator callGenerator) {
    List<String> unmetConditions = new ArrayList<>();
    callGenerator.stopNewCalls();
    asterisk.awaitConnected(APP);
    await("all commands are answered", controller::allCompleted, unmetConditions);
    // what a connect in the midst of it all could not find out, this one does
    asterisk.websocketFaults(APP).close(1011, "once more");
    asterisk.awaitDisconnected(APP).awaitConnected(APP);
    await(
        "all calls are known",
        () -> controller.hasSeenAll(callGenerator.channelsInStasis()),
        unmetConditions);
    callGenerator.hangUpAll();
    await("all calls are over", controller::allEnded, unmetConditions);
    await("all channels are gone", () -> asterisk.channelIds().isEmpty(), unmetConditions);
    await("all commands are answered in the end", controller::allCompleted, unmetConditions);
    AtomicInteger size = new AtomicInteger(-1);
    AtomicReference<Instant> since = new AtomicReference<>();
    await(
        "nothing moves",
        () -> {
          int now = controller.records().size();
          if (size.getAndSet(now) != now) {
            since.set(Instant.now());
          }
          return since.get().plus(QUIET_PERIOD).isBefore(Instant.now());
        },
        unmetConditions);
    return unmetConditions;
  }

  private static void await(
      String description, Callable<Boolean> condition, List<String> unmetConditions) {
    try {
      Awaitility.await(description).until(condition);
    } catch (ConditionTimeoutException e) {
      // the books tell why
      unmetConditions.add("never came to be: " + description);
    }
  }

  private static void logStatistics(
      Duration duration,
      Map<String, Object> statistics,
      Map<FaultInjector.FaultKind, Integer> faults,
      int calls) {
    StringBuilder table =
        new StringBuilder("Chaos, seed %d, %d s".formatted(SEED, duration.toSeconds()));
    table.append("\n%-52s %s".formatted("calls from the dialplan", calls));
    statistics.forEach((name, value) -> table.append("\n%-52s %s".formatted(name, value)));
    faults.forEach((kind, times) -> table.append("\nfault %-46s %s".formatted(kind, times)));
    LOG.info("{}", table);
  }
}
