package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

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
import io.retel.ariproxy.settings.Setting;
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

/** The proxy is ended while it carries out commands: 100 calls, 20 commands each. */
@ExtendWith(KafkaExtension.class)
class KillUnderCommandsIT {

  private static final Logger LOG = LoggerFactory.getLogger(KillUnderCommandsIT.class);

  private static final int CALLS = 100;
  private static final int PER_CALL = 20;
  private static final int COMMANDS = CALLS * PER_CALL;

  /**
   * 64 are at Asterisk at once; others have their RESPONSE on the way to Kafka, or their commit.
   */
  private static final int MOST_IN_FLIGHT = 250;

  @TempDir private Path folder;
  @AutoClose private final Closer closer = new Closer();
  private SimulatedAsterisk asterisk;
  private ProxySettings settings;
  private TopicWriter commands;
  private TopicReader answers;

  @BeforeEach
  void start(KafkaBroker kafka) {
    asterisk = closer.register(SimulatedAsterisk.start());
    // slow enough that a kill finds some at Asterisk
    asterisk.faults().delayAnswers(Duration.ofMillis(50));
    settings = ProxySettings.of(asterisk, "ended", kafka);
    commands = closer.register(new TopicWriter(kafka.bootstrapServers()));
    answers = closer.register(TopicReader.of(kafka.bootstrapServers(), settings.eventsTopic()));
  }

  @Test
  void afterKillsEveryCommandIsAnsweredInTheOrderOfItsCallAndOnlyWhatWasInFlightIsRepeated() {
    Fault hanging = asterisk.faults().hang(request -> request.uri().contains("hanging"));
    try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"))) {
      commands.send(command("hanging", 0));
      commands.sendAll(allCommands()).join();

      answers.await(COMMANDS / 4);
      proxy.kill();
      proxy.start();
      answers.await(COMMANDS * 3 / 5);
      proxy.kill();
      proxy.start();

      awaitAnswered(COMMANDS);
      hanging.lift();
      awaitAnswered(COMMANDS + 1);
      assertInOrderOfTheirCalls(carriedOut());
      int repeated = carriedOut().size() - COMMANDS;
      LOG.info("{} of {} commands were carried out again after two kills", repeated, COMMANDS);
      assertThat(repeated).isLessThanOrEqualTo(2 * MOST_IN_FLIGHT);
    }
  }

  @Test
  @FullRun("SigtermUnderLoadIT shows it beside events")
  void afterSigtermWhatWasTakenIsAnsweredAndTheSuccessorRepeatsNothing() {
    try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"))) {
      commands.sendAll(allCommands()).join();

      answers.await(COMMANDS / 4);
      proxy.terminate();
      int carriedOut = carriedOut().size();
      awaitAnswered(carriedOut);
      proxy.start();

      awaitAnswered(COMMANDS);
      assertInOrderOfTheirCalls(carriedOut());
      assertThat(carriedOut()).hasSize(COMMANDS);
    }
  }

  @Test
  void aStopThatCannotFinishInTimeLeavesTheRestToTheSuccessorInAFewLines() throws IOException {
    Path log = folder.resolve("proxy.log");
    settings.with(Setting.SHUTDOWN_TIMEOUT, "3");
    asterisk.faults().delayAnswers(Duration.ofSeconds(2));
    try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
      commands.sendAll(allCommands()).join();
      answers.await(1);

      long start = System.nanoTime();
      proxy.terminate();
      LOG.info("A stop that was forced took {} ms", (System.nanoTime() - start) / 1_000_000);
      // of the thousands that wait, those at Asterisk are told of: commands.at-once
      assertThat(Files.readAllLines(log))
          .filteredOn(line -> line.contains("Stopped before it was answered"))
          .hasSizeLessThanOrEqualTo(64);
      assertThat(Files.readString(log)).doesNotContain("Error processing exchange");

      asterisk.faults().delayAnswers(Duration.ofMillis(5));
      proxy.start();
      awaitAnswered(COMMANDS);
      assertInOrderOfTheirCalls(carriedOut());
      assertThat(carriedOut().size() - COMMANDS).isLessThanOrEqualTo(MOST_IN_FLIGHT);
    }
  }

  private void awaitAnswered(int expected) {
    Awaitility.await("commands with a RESPONSE")
        .untilAsserted(
            () ->
                assertThat(
                        answers.records().stream()
                            .map(record -> record.json().path("commandId").asText())
                            .distinct()
                            .count())
                    .isEqualTo(expected));
  }

  private List<RecordedRequest> carriedOut() {
    return asterisk.requests().stream().filter(request -> request.uri().contains("call")).toList();
  }

  /**
   * One after the other; at each of two kills a call may go back to what was in flight, and on from
   * there.
   */
  private static void assertInOrderOfTheirCalls(List<RecordedRequest> requests) {
    Map<String, Integer> latest = new HashMap<>();
    Map<String, Integer> goneBack = new HashMap<>();
    for (RecordedRequest request : requests) {
      String[] mark = request.uri().substring(request.uri().indexOf("call")).split("-");
      int number = Integer.parseInt(mark[1]);
      int before = latest.getOrDefault(mark[0], -1);
      if (number <= before) {
        goneBack.merge(mark[0], 1, Integer::sum);
      } else {
        assertThat(number).as(request.uri()).isEqualTo(before + 1);
      }
      latest.put(mark[0], number);
    }
    assertThat(latest).hasSize(CALLS);
    assertThat(latest.values()).containsOnly(PER_CALL - 1);
    assertThat(goneBack.values()).allSatisfy(times -> assertThat(times).isLessThanOrEqualTo(2));
  }

  private List<ProducerRecord<String, byte[]>> allCommands() {
    List<ProducerRecord<String, byte[]>> all = new ArrayList<>();
    for (int number = 0; number < PER_CALL; number++) {
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
