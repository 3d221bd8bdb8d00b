// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import java.util.function.ToLongFunction;
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
  private static final byte[] CHANNEL_ID_PREFIX =
      "\"id\":\"1764000000.".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] COMMAND_ID_PREFIX =
      "\"commandId\":\"".getBytes(StandardCharsets.US_ASCII);

  private final KafkaBroker kafka =
      KafkaBroker.launch(
          Map.of(
              "log.retention.bytes", "134217728",
              "log.segment.bytes", "67108864",
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

  /**
   * Returns the 99th percentile, in milliseconds, of the time from sending an event on the
   * websocket until it is read from Kafka.
   */
  double eventLatency(MeasuredProcess process, int perSecond, int count)
      throws InterruptedException {
    long firstCall = process.reserveCalls(count / CallEvents.EVENTS_PER_CALL);
    long first = CallEvents.eventIndex(firstCall, 0);
    int[] nextEvent = new int[count / CallEvents.EVENTS_PER_CALL];
    return latency(
        process,
        perSecond,
        count,
        sent -> process.asterisk().send(first + sent),
        record -> {
          int call = (int) (parseNumber(record.value(), CHANNEL_ID_PREFIX) - firstCall);
          return CallEvents.eventIndex(firstCall + call, nextEvent[call]++) - first;
        });
  }

  /**
   * Returns the 99th percentile, in milliseconds, of the time from sending a command to Kafka until
   * its RESPONSE is read from there.
   */
  double commandLatency(MeasuredProcess process, int perSecond, int count)
      throws InterruptedException {
    long first = process.reserveCommands(count);
    return latency(
        process,
        perSecond,
        count,
        sent -> sendCommand(process, first + sent),
        record -> parseNumber(record.value(), COMMAND_ID_PREFIX) - first);
  }

  private double latency(
      MeasuredProcess process,
      int perSecond,
      int count,
      LongConsumer send,
      ToLongFunction<ConsumerRecord<String, byte[]>> indexOf)
      throws InterruptedException {
    long[] sent = new long[count];
    long[] latencies = new long[count];
    CountDownLatch readerReady = new CountDownLatch(1);
    CountDownLatch remaining = new CountDownLatch(count);
    Thread reader =
        new Thread(
            () -> {
              try (KafkaConsumer<String, byte[]> consumer = consumer()) {
                List<TopicPartition> partitions = partitions(process.eventsTopic());
                consumer.assign(partitions);
                consumer.seekToEnd(partitions);
                partitions.forEach(consumer::position);
                readerReady.countDown();
                while (remaining.getCount() > 0 && !Thread.currentThread().isInterrupted()) {
                  for (ConsumerRecord<String, byte[]> record :
                      consumer.poll(Duration.ofSeconds(1))) {
                    long now = System.nanoTime();
                    long index = indexOf.applyAsLong(record);
                    // ignores others, such as the RESPONSE of a hung command
                    if (index >= 0 && index < count) {
                      latencies[(int) index] = now - sent[(int) index];
                      remaining.countDown();
                    }
                  }
                }
              }
            });
    reader.start();
    readerReady.await();
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      long due = start + i * 1_000_000_000L / perSecond;
      while (System.nanoTime() < due) {
        LockSupport.parkNanos(due - System.nanoTime());
      }
      sent[i] = System.nanoTime();
      send.accept(i);
    }
    if (!remaining.await(TIMEOUT.toSeconds(), java.util.concurrent.TimeUnit.SECONDS)) {
      reader.interrupt();
      throw new IllegalStateException(
          process.name() + " did not publish all records; missing: " + remaining.getCount());
    }
    reader.join();
    Arrays.sort(latencies);
    return latencies[(int) Math.ceil(count * 0.99) - 1] / 1e6;
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

  private long endOffset(String topic) {
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

  /** Returns the number that follows a prefix, or -1 if the prefix is missing. */
  private static long parseNumber(byte[] value, byte[] prefix) {
    for (int offset = 0; offset < value.length - prefix.length; offset++) {
      if (Arrays.equals(value, offset, offset + prefix.length, prefix, 0, prefix.length)) {
        long number = 0;
        for (int digit = offset + prefix.length;
            value[digit] >= '0' && value[digit] <= '9';
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
