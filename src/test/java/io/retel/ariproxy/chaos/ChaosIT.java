// SPDX-License-Identifier: Apache-2.0
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
 * Injects random, overlapping faults while calls start and end and a controller sends commands: in
 * Kafka, Asterisk, the network, single requests and the proxy itself. Then everything recovers, all
 * calls end, and the records must be consistent.
 *
 * <p>{@code -Dchaos.seed=…} selects the faults, {@code -Dchaos.seconds=…} the duration. The seed
 * determines which faults happen and in which order, but not what they hit, which depends on thread
 * timing.
 *
 * <p><b>Events.</b> Each event that Asterisk wrote to a websocket is published at most once, in
 * Asterisk's order per call, byte by byte. It may be missing only if
 *
 * <ul>
 *   <li>the proxy published a synthetic event for it earlier ({@code synthesized_by}),
 *   <li>it was written to a websocket that was silent until the proxy closed it,
 *   <li>it was written within {@link OutageHistory#SETTLE_TIME} before its connection broke without
 *       a close frame from Asterisk: data in flight is lost, and its amount is unknown,
 *   <li>it was written within that time before the process was killed with kill -9, or was stopped
 *       while Kafka was down. If Kafka was down at that point, the time starts when Kafka went
 *       down: unacknowledged events exist only in the memory of the process.
 * </ul>
 *
 * In these cases, no later event of the same channel, bridge, playback or recording on the same
 * websocket is published: only the end of a sequence can be lost, never a part in the middle. A
 * stronger guarantee is impossible, since Asterisk never resends an event.
 *
 * <p><b>Calls.</b> Each channel that is in Stasis after recovery has a STASIS_START, from Asterisk
 * or from the proxy. Start and end of each channel alternate, start first, end last. The proxy can
 * publish one of them again if a process died before it could record the first publication. An end
 * can be missing if the process that published the start died before recording it: if the channel
 * had ended before the next resync, no record of it existed. A start can be missing if the channel
 * entered while no websocket was open and left between the opening of the next one and Asterisk's
 * responses to the resync.
 *
 * <p><b>Call contexts.</b> All records of a channel, bridge, playback or recording have the same
 * key, across all restarts of the proxy. Channels created by commands have the call context of
 * their call. An event can be unmapped on a connection that broke before the resync got Asterisk's
 * responses, or if the process that first published an event of its resource died before recording
 * the mapping.
 *
 * <p><b>Commands.</b> Each has a RESPONSE with its call context as key, in the order of the
 * commands of a call. A request or RESPONSE is sent a second time only if a process died in between
 * and the first RESPONSE was not committed by then; first requests are in the order of the call,
 * except for those with a 504, which Asterisk can execute at any time.
 */
@FullRun("two minutes of chaos")
class ChaosIT {

  private static final Logger LOG = LoggerFactory.getLogger(ChaosIT.class);

  private static final String APP = "chaos";
  private static final long SEED = Long.getLong("chaos.seed", 1);
  private static final Duration DURATION = Duration.ofSeconds(Long.getLong("chaos.seconds", 120));
  private static final Duration SHUTDOWN_TIMEOUT = Duration.ofSeconds(8);
  private static final Duration QUIET_PERIOD = Duration.ofSeconds(2);

  @TempDir private Path folder;

  @Test
  void staysConsistentUnderFaults() throws Exception {
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
        faultInjector.run(DURATION);

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
            DURATION,
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
   * Waits until everything has recovered, all calls have ended and no more records arrive.
   *
   * @return the conditions that were not met
   */
  private static List<String> recover(
      SimulatedAsterisk asterisk, CallController controller, CallGenerator callGenerator) {
    List<String> unmetConditions = new ArrayList<>();
    callGenerator.stopNewCalls();
    asterisk.awaitConnected(APP);
    await("all commands have a RESPONSE", controller::allCompleted, unmetConditions);
    // this resync finds what an interrupted one could not
    asterisk.websocketFaults(APP).close(1011, "final resync");
    asterisk.awaitDisconnected(APP).awaitConnected(APP);
    await(
        "all calls known",
        () -> controller.hasSeenAll(callGenerator.channelsInStasis()),
        unmetConditions);
    callGenerator.hangUpAll();
    await("all calls ended", controller::allEnded, unmetConditions);
    await("no channels remain", () -> asterisk.channelIds().isEmpty(), unmetConditions);
    await("all commands have a RESPONSE at the end", controller::allCompleted, unmetConditions);
    AtomicInteger size = new AtomicInteger(-1);
    AtomicReference<Instant> since = new AtomicReference<>();
    await(
        "no more records",
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
      // the violations show why
      unmetConditions.add("condition not met: " + description);
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
