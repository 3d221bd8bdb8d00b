// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Generates load on a process and measures its results, with its own Kafka broker. */
final class LoadGenerator implements AutoCloseable {

  /** Result of one run. */
  record Throughput(double perSecond, double cpuMicrosPerMessage) {}

  private static final int PARTITIONS = 4;
  private static final int CALL_CONTEXT_COUNT = 500;
  private static final Duration TIMEOUT = Duration.ofMinutes(3);
  private static final byte[] CHANNEL_ID_PREFIX = "\"id\":\"1764000000.".getBytes(US_ASCII);
  private static final byte[] CHANNEL_PATH_PREFIX = "/channels/1764000000.".getBytes(US_ASCII);
  private static final byte[] COMMAND_ID_PREFIX = "\"commandId\":\"".getBytes(US_ASCII);

  private final KafkaBroker kafka =
      KafkaBroker.launch(
          Map.of(
              "log.retention.bytes", "134217728",
              "log.segment.bytes", "67108864",
              "message.max.bytes", "33554432",
              "log.retention.check.interval.ms", "10000"));
  private final KafkaProducer<String, String> commands =
      new KafkaProducer<>(
          Map.of("bootstrap.servers", kafka.bootstrapServers(), "acks", "all", "linger.ms", 0),
          new StringSerializer(),
          new StringSerializer());
  private final KafkaConsumer<String, byte[]> offsets = consumer();
  private long hangingCommands;

  KafkaBroker kafka() {
    return kafka;
  }

  /** Creates the topics of a process and returns its environment. */
  Map<String, String> environment(String name, StubAsterisk asterisk, int managementPort) {
    kafka.createTopic(MeasuredProcess.eventsTopic(name), PARTITIONS);
    kafka.createTopic(MeasuredProcess.commandsTopic(name), PARTITIONS);
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("ARI_URL", asterisk.url());
    environment.put("ARI_USERNAME", StubAsterisk.USERNAME);
    environment.put("ARI_PASSWORD", StubAsterisk.PASSWORD);
    environment.put("ARI_APP", name);
    environment.put("KAFKA_BROKERS", kafka.bootstrapServers());
    environment.put("KAFKA_EVENTS_AND_RESPONSES_TOPIC", MeasuredProcess.eventsTopic(name));
    environment.put("KAFKA_COMMANDS_TOPIC", MeasuredProcess.commandsTopic(name));
    environment.put("MANAGEMENT_PORT", Integer.toString(managementPort));
    return environment;
  }

  /**
   * Starts a process with its own Asterisk and topics, and waits until its websocket is open.
   *
   * @param name unique among all processes of this run
   */
  MeasuredProcess start(String name, MeasuredProcess.Starter starter) throws Exception {
    StubAsterisk asterisk = new StubAsterisk(name);
    MeasuredProcess process =
        starter.start(name, asterisk, environment(name, asterisk, ManagementClient.freePort()));
    process.await(asterisk::isConnected);
    return process;
  }

  /** Sends events as fast as the process reads them. */
  Throughput events(MeasuredProcess process, int count) {
    long first = process.reserveCalls(count / CallEvents.EVENTS_PER_CALL);
    return throughput(process, count, () -> process.asterisk().flood(first, count).join());
  }

  /** Sends commands to the topic as fast as Kafka accepts them. */
  Throughput commands(MeasuredProcess process, int count) {
    long first = process.reserveCommands(count);
    return throughput(
        process,
        count,
        () -> {
          for (long number = first; number < first + count; number++) {
            sendCommand(process, number);
          }
          commands.flush();
        });
  }

  /** Sends events at a rate, and commands as fast as Kafka accepts them, concurrently. */
  Throughput eventsAndCommands(
      MeasuredProcess process, int eventsPerSecond, int eventCount, int commandCount) {
    long firstEvent =
        CallEvents.eventIndex(process.reserveCalls(eventCount / CallEvents.EVENTS_PER_CALL), 0);
    long firstCommand = process.reserveCommands(commandCount);
    return throughput(
        process,
        eventCount + commandCount,
        () -> {
          CompletableFuture<Void> events =
              CompletableFuture.runAsync(
                  () ->
                      new Arrivals(eventCount)
                          .sendAll(
                              eventsPerSecond, sent -> process.asterisk().send(firstEvent + sent)));
          for (long number = firstCommand; number < firstCommand + commandCount; number++) {
            sendCommand(process, number);
          }
          commands.flush();
          events.join();
        });
  }

  /** Sends one event of a length, and a command with a large response, one after the other. */
  void large(MeasuredProcess process, int eventLength) {
    throughput(
        process, 1, () -> process.asterisk().send(CallEvents.large(process.name(), eventLength)));
    throughput(
        process,
        1,
        () ->
            commands.send(
                new ProducerRecord<>(
                    process.commandsTopic(),
                    "large",
                    "{\"callContext\":\"large\",\"commandId\":\"large\",\"ariCommand\":{\"method\":\"GET\",\"url\":\"/channels/"
                        + StubAsterisk.LARGE_CHANNEL
                        + "/variable?variable=LARGE\"}}")));
  }

  /** Sends events at a rate while Kafka is down, and waits until all are published. */
  void outage(MeasuredProcess process, int eventsPerSecond, int seconds) {
    int count = eventsPerSecond * seconds;
    long first = CallEvents.eventIndex(process.reserveCalls(count / CallEvents.EVENTS_PER_CALL), 0);
    throughput(
        process,
        count,
        () -> {
          kafka.stop();
          new Arrivals(count)
              .sendAll(eventsPerSecond, sent -> process.asterisk().send(first + sent));
          kafka.start();
        });
  }

  private Throughput throughput(MeasuredProcess process, int count, Runnable send) {
    long target = endOffset(process.eventsTopic()) + count;
    Duration cpu = process.cpuTime();
    long start = System.nanoTime();
    send.run();
    while (endOffset(process.eventsTopic()) < target) {
      if (System.nanoTime() - start > TIMEOUT.toNanos() || !process.isAlive()) {
        throw new IllegalStateException(
            process.name() + " published too few records; see target/benchmark-*.log");
      }
      LockSupport.parkNanos(5_000_000);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    // includes CPU time spent after the last message: acknowledgements, the store
    LockSupport.parkNanos(500_000_000);
    double micros = process.cpuTime().minus(cpu).toNanos() / 1e3;
    return new Throughput(count / seconds, micros / count);
  }

  /** Measures the time from sending an event on the websocket until it is read from Kafka. */
  Latencies eventLatencies(MeasuredProcess process, int perSecond, int count)
      throws InterruptedException {
    int calls = count / CallEvents.EVENTS_PER_CALL;
    long firstCall = process.reserveCalls(calls);
    long first = CallEvents.eventIndex(firstCall, 0);
    int[] nextEvent = new int[calls];
    Arrivals arrivals = new Arrivals(count);
    try (TopicReader reader =
        read(
            process,
            record -> {
              long call = parseNumber(record.value(), CHANNEL_ID_PREFIX) - firstCall;
              // others are RESPONSEs
              if (call >= 0 && call < calls) {
                int event = nextEvent[(int) call]++;
                arrivals.arrived(CallEvents.eventIndex(firstCall + call, event) - first);
              }
            })) {
      arrivals.sendAll(perSecond, sent -> process.asterisk().send(first + sent));
      return arrivals.await(TIMEOUT);
    }
  }

  /** Measures the time from sending a command to Kafka until its RESPONSE is read from there. */
  Latencies commandLatencies(MeasuredProcess process, int perSecond, int count)
      throws InterruptedException {
    long first = process.reserveCommands(count);
    Arrivals arrivals = new Arrivals(count);
    try (TopicReader reader =
        read(
            process,
            record -> arrivals.arrived(parseNumber(record.value(), COMMAND_ID_PREFIX) - first))) {
      arrivals.sendAll(perSecond, sent -> sendCommand(process, first + sent));
      return arrivals.await(TIMEOUT);
    }
  }

  /**
   * Measures the time from sending the StasisStart of a call until Asterisk receives the request
   * that answers it, from a controller that answers each call.
   */
  Latencies answerLatencies(MeasuredProcess process, int perSecond, int count)
      throws InterruptedException {
    long firstCall = process.reserveCalls(count);
    boolean[] answered = new boolean[count];
    Arrivals arrivals = new Arrivals(count);
    process
        .asterisk()
        .onAnswer(
            path ->
                arrivals.arrived(
                    parseNumber(path.getBytes(US_ASCII), CHANNEL_PATH_PREFIX) - firstCall));
    try (TopicReader reader =
        read(
            process,
            record -> {
              long call = parseNumber(record.value(), CHANNEL_ID_PREFIX) - firstCall;
              // later records of the call are RESPONSEs
              if (call >= 0 && call < count && !answered[(int) call]) {
                answered[(int) call] = true;
                sendAnswer(process, record.key(), firstCall + call);
              }
            })) {
      arrivals.sendAll(
          perSecond, sent -> process.asterisk().send(CallEvents.eventIndex(firstCall + sent, 0)));
      return arrivals.await(TIMEOUT);
    }
  }

  private TopicReader read(
      MeasuredProcess process, Consumer<ConsumerRecord<String, byte[]>> onRecord) {
    return new TopicReader(consumer(), partitions(process.eventsTopic()), onRecord);
  }

  /**
   * Sends commands of one operation, each of its own call, to which Asterisk never responds, and
   * waits until the first of them arrive.
   */
  void sendHangingCommands(MeasuredProcess process, int count) {
    int previous = process.asterisk().hangingRequests();
    for (int i = 0; i < count; i++) {
      long number = hangingCommands++;
      String call = "hung-" + number;
      commands.send(
          new ProducerRecord<>(
              process.commandsTopic(),
              call,
              // its id is not the number of another command
              "{\"callContext\":\""
                  + call
                  + "\",\"commandId\":\"9999"
                  + number
                  + "99999\",\"ariCommand\":{\"method\":\"POST\",\"url\":\"/channels/"
                  + StubAsterisk.HANGING_CHANNEL
                  + "/answer\"}}"));
    }
    while (process.asterisk().hangingRequests() == previous) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  private void sendCommand(MeasuredProcess process, long number) {
    String callContext = "call-context-" + number % CALL_CONTEXT_COUNT;
    commands.send(
        new ProducerRecord<>(
            process.commandsTopic(),
            callContext,
            "{\"callContext\":\""
                + callContext
                + "\",\"commandId\":\""
                + number
                + "\",\"ariCommand\":{\"method\":\"GET\",\"url\":\"/channels/1764000000."
                + number % CALL_CONTEXT_COUNT
                + "/variable?variable=TENANT\",\"body\":null}}"));
  }

  private void sendAnswer(MeasuredProcess process, String callContext, long call) {
    String request =
        "{\"callContext\":\"%s\",\"commandId\":\"answer-%d\",\"ariCommand\":{\"method\":\"POST\",\"url\":\"%s/answer\"}}";
    commands.send(
        new ProducerRecord<>(
            process.commandsTopic(),
            callContext,
            request.formatted(callContext, call, CallEvents.channelPath(call))));
  }

  /** Returns the number of records of a topic. */
  long endOffset(String topic) {
    return offsets.endOffsets(partitions(topic)).values().stream().mapToLong(Long::longValue).sum();
  }

  private static List<TopicPartition> partitions(String topic) {
    return IntStream.range(0, PARTITIONS).mapToObj(i -> new TopicPartition(topic, i)).toList();
  }

  private KafkaConsumer<String, byte[]> consumer() {
    return new KafkaConsumer<>(
        Map.of("bootstrap.servers", kafka.bootstrapServers(), "max.poll.records", 5_000),
        new StringDeserializer(),
        new ByteArrayDeserializer());
  }

  /**
   * Returns the number that follows the first of a prefix, -1 if the prefix is missing; 0 without
   * digits.
   */
  private static long parseNumber(byte[] value, byte[] prefix) {
    for (int offset = 0; offset < value.length - prefix.length; offset++) {
      if (Arrays.equals(value, offset, offset + prefix.length, prefix, 0, prefix.length)) {
        long number = 0;
        for (int digit = offset + prefix.length;
            digit < value.length && value[digit] >= '0' && value[digit] <= '9';
            digit++) {
          number = number * 10 + value[digit] - '0';
        }
        return number;
      }
    }
    return -1;
  }

  @Override
  public void close() {
    commands.close(Duration.ofSeconds(1));
    offsets.close();
    kafka.close();
  }
}
