// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tests what Kafka's client neither throws nor logs. */
@FullRun("waits until a state has persisted")
class GroupProblemsIT {

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private KafkaBroker kafka;
  private SimulatedAsterisk asterisk;
  private ProxySettings settings;

  private void start(KafkaBroker broker) {
    kafka = broker;
    asterisk = SimulatedAsterisk.start();
    settings = ProxySettings.of(asterisk, "group-problems", kafka);
  }

  @AfterEach
  void stop() {
    threads.shutdownNow();
    asterisk.close();
    kafka.close();
  }

  /** Such as an operator who looks at commands with the proxy's group. */
  @Test
  void reportsPartitionsThatAnotherConsumerHas() {
    start(KafkaBroker.launch());
    try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
        Controller controller = new Controller(settings, kafka)) {
      controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
      assertThat(proxy.health("commands")).isEqualTo("UP");

      KafkaConsumer<byte[], byte[]> other = other();
      awaitHealth(proxy, "DOWN: Commands are not consumed: ");
      assertThat(proxy.gauge("ari-proxy.commands.lag")).isNaN();

      other.wakeup();
      awaitHealth(proxy, "UP");
      controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
    }
  }

  /** A restart would execute all commands since then again. */
  @Test
  void reportsOffsetsThatKafkaDoesNotAcknowledge() {
    start(KafkaBroker.launch(Map.of("offset.metadata.max.bytes", "10")));
    try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
        Controller controller = new Controller(settings, kafka)) {
      controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
      awaitHealth(proxy, "DOWN: Kafka does not acknowledge offsets of the group ");
    }
  }

  private static void awaitHealth(EmbeddedProxy proxy, String start) {
    Awaitility.await(start)
        .until(() -> proxy.health("commands"), health -> health.startsWith(start));
  }

  /** Consumes the proxy's topic with its group, until it is woken up. */
  private KafkaConsumer<byte[], byte[]> other() {
    KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                kafka.bootstrapServers(),
                ConsumerConfig.GROUP_ID_CONFIG,
                settings.commandsTopic()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    threads.execute(
        () -> {
          try (consumer) {
            consumer.subscribe(List.of(settings.commandsTopic()));
            while (true) {
              consumer.poll(Duration.ofMillis(100));
            }
          } catch (WakeupException e) {
            // leaves the group
          }
        });
    return consumer;
  }
}
