// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Stops the proxy while it executes commands: 100 calls with 20 commands each. */
@ExtendWith(KafkaExtension.class)
@FullRun("thousands of commands per test; RestartIT and StartupIT stop proxies without load")
class KillUnderCommandLoadIT {

  private static final Logger LOG = LoggerFactory.getLogger(KillUnderCommandLoadIT.class);

  private static final int CALLS = 100;
  private static final int COMMANDS_PER_CALL = 20;
  private static final int COMMANDS = CALLS * COMMANDS_PER_CALL;

  /**
   * 64 are executing in Asterisk concurrently; others wait for the acknowledgement of their
   * RESPONSE or for their commit
   */
  private static final int MAX_IN_FLIGHT = 250;

  @TempDir private Path folder;
  @AutoClose private final Closer closer = new Closer();
  private SimulatedAsterisk asterisk;
  private ProxySettings settings;
  private TopicWriter commands;
  private TopicReader responses;

  @BeforeEach
  void start(KafkaBroker kafka) {
    asterisk = closer.register(SimulatedAsterisk.start());
    // slow enough that Asterisk is executing some commands when the proxy is killed
    asterisk.faults().delayResponses(Duration.ofMillis(50));
    settings = ProxySettings.of(asterisk, "ended", kafka);
    commands = closer.register(new TopicWriter(kafka.bootstrapServers()));
    responses = closer.register(TopicReader.of(kafka.bootstrapServers(), settings.eventsTopic()));
  }

  @Test
  void killRepeatsOnlyInFlightCommands() {
    Fault hanging = asterisk.faults().hang(request -> request.uri().contains("hanging"));
    try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"))) {
      commands.send(command("hanging", 0));
      commands.sendAll(allCommands()).join();

      responses.await(COMMANDS / 4);
      proxy.kill();
      proxy.start();
      responses.await(COMMANDS * 3 / 5);
      proxy.kill();
      proxy.start();

      awaitResponses(COMMANDS);
      hanging.clear();
      awaitResponses(COMMANDS + 1);
      assertCallOrder(commandRequests());
      int repeated = commandRequests().size() - COMMANDS;
      LOG.info("{} of {} commands were executed again after two kills", repeated, COMMANDS);
      assertThat(repeated).isLessThanOrEqualTo(2 * MAX_IN_FLIGHT);
    }
  }

  @Test
  void sigtermRepeatsNoCommand() {
    try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"))) {
      commands.sendAll(allCommands()).join();

      responses.await(COMMANDS / 4);
      proxy.terminate();
      int executed = commandRequests().size();
      awaitResponses(executed);
      proxy.start();

      awaitResponses(COMMANDS);
      assertCallOrder(commandRequests());
      assertThat(commandRequests()).hasSize(COMMANDS);
    }
  }

  @Test
  void forcedStopReleasesRemainingCommands() throws IOException {
    Path log = folder.resolve("proxy.log");
    settings.with(Setting.SHUTDOWN_TIMEOUT, "3s");
    asterisk.faults().delayResponses(Duration.ofSeconds(2));
    try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
      commands.sendAll(allCommands()).join();
      responses.await(1);

      long start = System.nanoTime();
      proxy.terminate();
      LOG.info("Forced stop took {} ms", (System.nanoTime() - start) / 1_000_000);
      // of thousands of pending commands, only those sent to Asterisk are logged:
      // commands.max-concurrency
      assertThat(Files.readAllLines(log))
          .filteredOn(line -> line.contains("Command stopped before its RESPONSE"))
          .hasSizeLessThanOrEqualTo(48);
      assertThat(Files.readString(log)).doesNotContain("Error processing exchange");

      asterisk.faults().delayResponses(Duration.ofMillis(5));
      proxy.start();
      awaitResponses(COMMANDS);
      assertCallOrder(commandRequests());
      assertThat(commandRequests().size() - COMMANDS).isLessThanOrEqualTo(MAX_IN_FLIGHT);
    }
  }

  private void awaitResponses(int expected) {
    Awaitility.await("commands with a RESPONSE")
        .untilAsserted(
            () ->
                assertThat(
                        responses.records().stream()
                            .map(record -> record.json().path("commandId").asText())
                            .distinct()
                            .count())
                    .isEqualTo(expected));
  }

  private List<RecordedRequest> commandRequests() {
    return asterisk.requests().stream().filter(request -> request.uri().contains("call")).toList();
  }

  /**
   * Asserts order within each call; after each of the two kills, a call can repeat its commands in
   * flight and continue after them.
   */
  private static void assertCallOrder(List<RecordedRequest> requests) {
    Map<String, Integer> latest = new HashMap<>();
    Map<String, Integer> rewinds = new HashMap<>();
    for (RecordedRequest request : requests) {
      String[] idParts = request.uri().substring(request.uri().indexOf("call")).split("-");
      int number = Integer.parseInt(idParts[1]);
      int previous = latest.getOrDefault(idParts[0], -1);
      if (number <= previous) {
        rewinds.merge(idParts[0], 1, Integer::sum);
      } else {
        assertThat(number).as(request.uri()).isEqualTo(previous + 1);
      }
      latest.put(idParts[0], number);
    }
    assertThat(latest).hasSize(CALLS);
    assertThat(latest.values()).containsOnly(COMMANDS_PER_CALL - 1);
    assertThat(rewinds.values()).allSatisfy(times -> assertThat(times).isLessThanOrEqualTo(2));
  }

  private List<ProducerRecord<String, byte[]>> allCommands() {
    List<ProducerRecord<String, byte[]>> all = new ArrayList<>();
    for (int number = 0; number < COMMANDS_PER_CALL; number++) {
      for (int call = 0; call < CALLS; call++) {
        all.add(command("call" + call, number));
      }
    }
    return all;
  }

  private ProducerRecord<String, byte[]> command(String call, int number) {
    String id = call + "-" + number;
    String command =
        """
        {"callContext":"%s","commandId":"%s",
         "ariCommand":{"method":"GET","url":"/channels/%s"}}
        """
            .formatted(call, id, id);
    return TopicWriter.record(settings.commandsTopic(), call, command, Map.of());
  }
}
