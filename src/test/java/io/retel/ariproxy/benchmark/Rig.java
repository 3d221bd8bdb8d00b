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

/** What the subjects are measured with: Kafka, and who writes to it and reads from it. */
final class Rig implements AutoCloseable {

  /** What one run has shown. */
  record Throughput(double perSecond, double cpuMicrosPerMessage) {}

  private static final int PARTITIONS = 4;
  private static final int CALL_CONTEXTS = 500;
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final byte[] CHANNEL = "\"id\":\"1764000000.".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] COMMAND = "\"commandId\":\"".getBytes(StandardCharsets.US_ASCII);

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

  KafkaBroker kafka() {
    return kafka;
  }

  /** The environment of a subject of that name, whose topics it makes. */
  Map<String, String> environment(String name, BusyAsterisk asterisk, int managementPort) {
    kafka.createTopic(Subject.eventsTopic(name), PARTITIONS);
    kafka.createTopic(Subject.commandsTopic(name), PARTITIONS);
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("ARI_URL", asterisk.url());
    environment.put("ARI_USERNAME", BusyAsterisk.USERNAME);
    environment.put("ARI_PASSWORD", BusyAsterisk.PASSWORD);
    environment.put("ARI_APP", name);
    environment.put("KAFKA_BROKERS", kafka.bootstrapServers());
    environment.put("KAFKA_EVENTS_AND_RESPONSES_TOPIC", Subject.eventsTopic(name));
    environment.put("KAFKA_COMMANDS_TOPIC", Subject.commandsTopic(name));
    environment.put("MANAGEMENT_PORT", Integer.toString(managementPort));
    return environment;
  }

  /** Sends events as fast as they are taken. */
  Throughput events(Subject subject, int count) {
    long first = subject.takeCalls(count / CallEvents.PER_CALL);
    return throughput(subject, count, () -> subject.asterisk().flood(first, count).join());
  }

  /** Puts commands on the topic all at once. */
  Throughput commands(Subject subject, int count) {
    long first = subject.takeCommands(count);
    return throughput(
        subject,
        count,
        () -> {
          for (long number = first; number < first + count; number++) {
            command(subject, number);
          }
          commands.flush();
        });
  }

  private Throughput throughput(Subject subject, int count, Runnable send) {
    long target = end(subject.eventsTopic()) + count;
    Duration cpu = subject.cpu();
    long start = System.nanoTime();
    send.run();
    while (end(subject.eventsTopic()) < target) {
      if (System.nanoTime() - start > PATIENCE.toNanos() || !subject.isAlive()) {
        throw new IllegalStateException(
            subject.name() + " has published too little; see target/benchmark-*.log");
      }
      LockSupport.parkNanos(5_000_000);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    // what is behind the last message: acknowledgements, the store
    LockSupport.parkNanos(500_000_000);
    double micros = subject.cpu().minus(cpu).toNanos() / 1e3;
    return new Throughput(count / seconds, micros / count);
  }

  /**
   * The 99th percentile, in milliseconds, from an event's way into the websocket until it can be
   * read from Kafka.
   */
  double eventLatency(Subject subject, int perSecond, int count) throws InterruptedException {
    long firstCall = subject.takeCalls(count / CallEvents.PER_CALL);
    long first = CallEvents.eventOf(firstCall, 0);
    int[] nth = new int[count / CallEvents.PER_CALL];
    return latency(
        subject,
        perSecond,
        count,
        sent -> subject.asterisk().send(first + sent),
        record -> {
          int call = (int) (number(record.value(), CHANNEL) - firstCall);
          return CallEvents.eventOf(firstCall + call, nth[call]++) - first;
        });
  }

  /**
   * The 99th percentile, in milliseconds, from a command's way to Kafka until its RESPONSE can be
   * read from there.
   */
  double commandLatency(Subject subject, int perSecond, int count) throws InterruptedException {
    long first = subject.takeCommands(count);
    return latency(
        subject,
        perSecond,
        count,
        sent -> command(subject, first + sent),
        record -> number(record.value(), COMMAND) - first);
  }

  private double latency(
      Subject subject,
      int perSecond,
      int count,
      LongConsumer send,
      ToLongFunction<ConsumerRecord<String, byte[]>> whichOne)
      throws InterruptedException {
    long[] sent = new long[count];
    long[] took = new long[count];
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch left = new CountDownLatch(count);
    Thread reader =
        new Thread(
            () -> {
              try (KafkaConsumer<String, byte[]> consumer = consumer()) {
                List<TopicPartition> partitions = partitions(subject.eventsTopic());
                consumer.assign(partitions);
                consumer.seekToEnd(partitions);
                partitions.forEach(consumer::position);
                reading.countDown();
                while (left.getCount() > 0 && !Thread.currentThread().isInterrupted()) {
                  for (ConsumerRecord<String, byte[]> record :
                      consumer.poll(Duration.ofSeconds(1))) {
                    long now = System.nanoTime();
                    long which = whichOne.applyAsLong(record);
                    // others: the answer to a command that hung
                    if (which >= 0 && which < count) {
                      took[(int) which] = now - sent[(int) which];
                      left.countDown();
                    }
                  }
                }
              }
            });
    reader.start();
    reading.await();
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      long due = start + i * 1_000_000_000L / perSecond;
      while (System.nanoTime() < due) {
        LockSupport.parkNanos(due - System.nanoTime());
      }
      sent[i] = System.nanoTime();
      send.accept(i);
    }
    if (!left.await(PATIENCE.toSeconds(), java.util.concurrent.TimeUnit.SECONDS)) {
      reader.interrupt();
      throw new IllegalStateException(subject.name() + " has left out " + left.getCount());
    }
    reader.join();
    Arrays.sort(took);
    return took[(int) Math.ceil(count * 0.99) - 1] / 1e6;
  }

  /** Sends a command that Asterisk never answers, and waits until it hangs. */
  void hang(Subject subject) {
    int before = subject.asterisk().hanging();
    commands.send(
        new ProducerRecord<>(
            subject.commandsTopic(),
            "hung-" + before,
            // an id of its own: one that is repeated is answered from memory
            "{\"callContext\":\"hung-"
                + before
                + "\",\"commandId\":\"9999"
                + before
                + "99999\",\"ariCommand\":{\"method\":\"GET\","
                + "\"url\":\"/channels/"
                + BusyAsterisk.HANGING
                + "/variable?variable=A\"}}"));
    while (subject.asterisk().hanging() == before) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  private void command(Subject subject, long number) {
    String callContext = "call-context-" + number % CALL_CONTEXTS;
    commands.send(
        new ProducerRecord<>(
            subject.commandsTopic(),
            callContext,
            "{\"callContext\":\""
                + callContext
                + "\",\"commandId\":\""
                + number
                + "\",\"ariCommand\":{\"method\":\"GET\",\"url\":\"/channels/1764000000."
                + number % CALL_CONTEXTS
                + "/variable?variable=TENANT\",\"body\":null}}"));
  }

  private long end(String topic) {
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

  /** The number that stands behind a text. */
  private static long number(byte[] value, byte[] behind) {
    for (int at = 0; at < value.length - behind.length; at++) {
      if (Arrays.equals(value, at, at + behind.length, behind, 0, behind.length)) {
        long number = 0;
        for (int digit = at + behind.length; value[digit] >= '0' && value[digit] <= '9'; digit++) {
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
