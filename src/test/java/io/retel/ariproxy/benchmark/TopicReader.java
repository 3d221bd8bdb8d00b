// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;

/** A thread that reads the records that arrive after its start, until it is closed. */
final class TopicReader implements AutoCloseable {

  private final KafkaConsumer<String, byte[]> consumer;
  private final Thread thread;

  /**
   * Returns once it reads.
   *
   * @param consumer closed by {@link #close}
   * @param onRecord called by the thread that reads
   */
  TopicReader(
      KafkaConsumer<String, byte[]> consumer,
      List<TopicPartition> partitions,
      Consumer<ConsumerRecord<String, byte[]>> onRecord) {
    this.consumer = consumer;
    consumer.assign(partitions);
    consumer.seekToEnd(partitions);
    partitions.forEach(consumer::position);
    thread = new Thread(() -> read(onRecord), "topic-reader");
    thread.start();
  }

  private void read(Consumer<ConsumerRecord<String, byte[]>> onRecord) {
    try (consumer) {
      while (true) {
        consumer.poll(Duration.ofSeconds(1)).forEach(onRecord);
      }
    } catch (WakeupException e) {
      // closed
    }
  }

  @Override
  public void close() throws InterruptedException {
    consumer.wakeup();
    thread.join();
  }
}
