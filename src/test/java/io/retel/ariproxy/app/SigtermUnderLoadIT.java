// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SentEvent;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tests SIGTERM under a load of 1,000 events and 200 commands per second. */
@FullRun("full load; KafkaOutageIT and RestartIT stop proxies without load")
class SigtermUnderLoadIT {

  private static final Logger LOG = LoggerFactory.getLogger(SigtermUnderLoadIT.class);

  private static final String APP = "terminated";
  private static final int EXIT_SIGTERM = 143;
  private static final Duration SHUTDOWN_TIMEOUT = Duration.ofSeconds(6);

  /**
   * time beyond the timeout: waiting for the call-context store after the routes, the exit of the
   * process, and delays on a slow machine; less than Camel's own timeout of 45 s, which would be
   * noticed
   */
  private static final Duration SHUTDOWN_GRACE = Duration.ofSeconds(25);

  private static final int EVENTS_PER_SECOND = 1_000;
  private static final int COMMANDS_PER_SECOND = 200;
  private static final int CALLS = 50;
  private static final Duration HANG_DURATION = Duration.ofSeconds(2);

  private static final Pattern SEQUENCE = Pattern.compile("\"sequence\":\"(\\d+)\"");

  private static final Pattern LOST_ON_SHUTDOWN =
      Pattern.compile(
          "ERROR .* (\\d+) (?:events lost on shutdown|messages of .* that were read are lost)");

  @TempDir private Path folder;
  @AutoClose private final Closer closer = new Closer();
  private final ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
  private KafkaBroker kafka;
  private SimulatedAsterisk asterisk;
  private ProxySettings settings;
  private TopicWriter writer;
  private TopicReader reader;
  private int commandCount;

  @BeforeEach
  void start() {
    kafka = closer.register(KafkaBroker.launch());
    asterisk = closer.register(SimulatedAsterisk.start());
    asterisk.faults().delayResponses(Duration.ofMillis(5));
    settings =
        ProxySettings.of(asterisk, APP, kafka)
            .with(Setting.SHUTDOWN_TIMEOUT, Long.toString(SHUTDOWN_TIMEOUT.toSeconds()) + "s")
            .withHeap("1g");
    writer = closer.register(new TopicWriter(kafka.bootstrapServers()));
    reader = closer.register(TopicReader.of(kafka.bootstrapServers(), settings.eventsTopic()));
  }

  @AfterEach
  void stopExecutor() {
    executor.shutdownNow();
  }

  /**
   * Asterisk cannot know how much of its data the proxy has read. Therefore the test checks that
   * all events of a websocket up to some event are published and none after it, and that the first
   * unpublished one was sent after SIGTERM.
   */
  @Test
  void publishesReadEventsAndRespondsToStartedCommands() {
    // the shutdown ends when everything is published, however slow the machine
    settings.with(Setting.SHUTDOWN_TIMEOUT, DefaultTimeout.DURATION.toSeconds() + "s");
    Fault hanging = asterisk.faults().hang(request -> request.uri().contains("hanging"));
    try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"))) {
      asterisk.awaitConnected(APP);
      Flood flood = asterisk.flood(APP, EVENTS_PER_SECOND, CALLS);
      ScheduledFuture<?> sending =
          executor.scheduleAtFixedRate(
              this::sendCommand, 0, 1_000_000 / COMMANDS_PER_SECOND, TimeUnit.MICROSECONDS);
      awaitRecords(5 * (EVENTS_PER_SECOND + COMMANDS_PER_SECOND) / 2);
      send("hanging");
      hanging.awaitHits(1);
      executor.schedule(hanging::clear, HANG_DURATION.toMillis(), TimeUnit.MILLISECONDS);

      Instant sigtermTime = Instant.now();
      assertThat(proxy.terminate()).isEqualTo(EXIT_SIGTERM);
      Set<String> executed = executionCounts().keySet();
      Awaitility.await("all started commands have a RESPONSE")
          .untilAsserted(() -> assertThat(responseCounts().keySet()).isEqualTo(executed));
      assertThat(executed).contains("hanging");

      proxy.start();
      asterisk.awaitConnected(APP);
      int previousRecords = reader.records().size();
      awaitRecords(previousRecords + EVENTS_PER_SECOND + COMMANDS_PER_SECOND);
      flood.stop();
      sending.cancel(false);
      List<SentEvent> sent = asterisk.sentEvents(APP);
      Awaitility.await("all events and RESPONSEs published")
          .untilAsserted(
              () -> {
                assertThat(responseCounts()).hasSize(commandCount + 1);
                assertThat(publishedSequences()).contains(flood.sent() - 1);
              });
      assertThat(responseCounts().values()).as("RESPONSEs per command").containsOnly(1);
      assertThat(executionCounts().values()).as("requests per command").containsOnly(1);
      assertPublishedUpToClose(sent, sigtermTime);
    }
  }

  private void assertPublishedUpToClose(List<SentEvent> sent, Instant sigtermTime) {
    List<Long> published = publishedSequences();
    assertThat(published).as("published twice").doesNotHaveDuplicates();
    Set<Long> publishedSet = Set.copyOf(published);
    List<Long> lost =
        sent.stream()
            .map(event -> sequence(event.text()))
            .filter(sequence -> sequence >= 0 && !publishedSet.contains(sequence))
            .toList();
    List<SentEvent> firstConnection = floodEvents(sent, 1);
    int readCount = firstConnection.size() - lost.size();
    assertThat(lost)
        .as("unread events are the last ones sent")
        .isEqualTo(
            firstConnection.subList(readCount, firstConnection.size()).stream()
                .map(e -> sequence(e.text()))
                .toList());
    assertThat(firstConnection.subList(readCount, firstConnection.size()))
        .allSatisfy(event -> assertThat(event.sentAt()).isAfter(sigtermTime));
    LOG.info(
        "{} events published before the close, {} sent into it, {} discarded, {} sent "
            + "to the next proxy; {} commands",
        readCount,
        lost.size(),
        asterisk.discardedEventCount(APP),
        floodEvents(sent, 2).size(),
        commandCount);
  }

  private static List<SentEvent> floodEvents(List<SentEvent> sent, int websocket) {
    return sent.stream()
        .filter(event -> event.websocketNumber() == websocket && sequence(event.text()) >= 0)
        .toList();
  }

  /** Returns the sequence number of a flood event, or -1 for others. */
  private static long sequence(String event) {
    Matcher matcher = SEQUENCE.matcher(event);
    return matcher.find() ? Long.parseLong(matcher.group(1)) : -1;
  }

  /**
   * Events in memory are lost, since Asterisk never resends them: those waiting for Kafka, and once
   * the limit of bytes in flight is reached, those in the websocket's buffer.
   */
  @Test
  void logsLostEventsWhenStoppedWithoutKafka() throws IOException {
    Path log = folder.resolve("proxy.log");
    settings.with(Setting.KAFKA_MAX_IN_FLIGHT_BYTES, Integer.toString(8 * 1024 * 1024) + "B");
    try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
      asterisk.awaitConnected(APP);
      Flood flood = asterisk.flood(APP, EVENTS_PER_SECOND, CALLS);
      awaitRecords(EVENTS_PER_SECOND);
      kafka.stop();
      long sentBeforeOutage = flood.sent();
      Awaitility.await("events waiting for Kafka")
          .until(() -> flood.sent() > sentBeforeOutage + 2L * EVENTS_PER_SECOND);
      long readCount = flood.sent();
      asterisk.websocketFaults(APP).ping("all earlier events read").awaitPong();
      int linesBefore = Files.readAllLines(log).size();

      terminate(proxy);

      List<String> lines = Files.readAllLines(log);
      List<Integer> loggedLosses =
          lines.stream()
              .map(LOST_ON_SHUTDOWN::matcher)
              .filter(Matcher::find)
              .map(matcher -> Integer.valueOf(matcher.group(1)))
              .toList();
      int publishedBeforeRestart = publishedSequences().size();
      // includes records that Kafka has stored but had not acknowledged
      kafka.start();
      Awaitility.await("all records in Kafka read")
          .until(() -> reader.records().size() == kafka.recordCount(settings.eventsTopic()));
      int published = publishedSequences().size();
      // events beyond readCount may have been sent while the websocket was closing
      int missing = floodEvents(asterisk.sentEvents(APP), 1).size() - published;
      LOG.info("{} events are missing; lost according to the log: {}", missing, loggedLosses);
      assertThat(loggedLosses)
          .as(
              "one line for each of the two buffers in %s",
              lines.subList(linesBefore, lines.size()))
          .hasSize(2);
      assertThat(loggedLosses.stream().mapToInt(Integer::intValue).sum())
          .isBetween((int) readCount - published, missing + published - publishedBeforeRestart);
      assertThat(lines.subList(linesBefore, lines.size()))
          .as("log lines of the stop")
          .hasSizeLessThan(300);
    }
  }

  private void terminate(ProxyProcess proxy) {
    long start = System.nanoTime();
    int exit = proxy.terminate();
    Duration duration = Duration.ofNanos(System.nanoTime() - start);
    LOG.info("SIGTERM took {} ms", duration.toMillis());
    assertThat(exit).isEqualTo(EXIT_SIGTERM);
    assertThat(duration).isLessThan(SHUTDOWN_TIMEOUT.plus(SHUTDOWN_GRACE));
  }

  private void awaitRecords(int count) {
    Awaitility.await("records").until(() -> reader.records().size() >= count);
  }

  private void sendCommand() {
    send("call" + commandCount % CALLS + "-" + commandCount++);
  }

  private CompletableFuture<?> send(String id) {
    String call = id.split("-")[0];
    String command =
        """
        {"callContext":"%s","commandId":"%s",
         "ariCommand":{"method":"POST","url":"/asterisk/variable?variable=%s"}}
        """
            .formatted(call, id, id);
    return writer.sendAsync(TopicWriter.record(settings.commandsTopic(), call, command, Map.of()));
  }

  /** Returns the number of requests per command. */
  private Map<String, Integer> executionCounts() {
    Map<String, Integer> counts = new HashMap<>();
    for (RecordedRequest request : asterisk.requests()) {
      if (request.path().equals("/asterisk/variable")) {
        counts.merge(request.uri().split("variable=")[1], 1, Integer::sum);
      }
    }
    return counts;
  }

  /** Returns the number of RESPONSEs per command. */
  private Map<String, Integer> responseCounts() {
    Map<String, Integer> counts = new HashMap<>();
    for (TopicRecord record : reader.records()) {
      if (isResponse(record)) {
        counts.merge(record.json().path("commandId").asText(), 1, Integer::sum);
      }
    }
    return counts;
  }

  /** Returns the sequence numbers of published flood events. */
  private List<Long> publishedSequences() {
    return reader.records().stream()
        .flatMap(record -> Flood.EventId.parse(record.json().path("payload")).stream())
        .map(Flood.EventId::sequence)
        .toList();
  }

  private static boolean isResponse(TopicRecord record) {
    return "RESPONSE".equals(record.json().path("type").asText());
  }
}
