// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.MarkerCommand;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests a broker that throttles its clients. */
class KafkaQuotaIT {

  private static final String APP = "throttled";

  /** Of throttling; minutes with {@code -Dtest.quota.seconds=120}. */
  private static final Duration THROTTLED =
      Duration.ofSeconds(Long.getLong("test.quota.seconds", 15));

  private static final int EVENTS_PER_SECOND = 150;

  /** A seventh of what the events have. */
  private static final double PRODUCED_BYTES_PER_SECOND = 20_000;

  private static final long LIMIT = 4 * 1024 * 1024;

  @Test
  @Tag(FullRun.ON_DEMAND)
  @FullRun("seconds of throttling")
  void publishesAllEventsInOrderWhileThrottled() throws Exception {
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.KAFKA_MAX_IN_FLIGHT_BYTES, LIMIT + "B");
      try (CapturedLog log = new CapturedLog();
          EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        int websockets = awaitLastConnection(asterisk, controller);
        InFlightLimiter inFlight =
            proxy
                .context()
                .getRegistry()
                .lookupByNameAndType("limitInFlight", InFlightLimiter.class);
        Flood flood = asterisk.flood(APP, EVENTS_PER_SECOND, 50);
        controller.events(300);

        alterQuota(kafka, "producer_byte_rate", PRODUCED_BYTES_PER_SECOND);
        long start = System.nanoTime();
        boolean wasFull = false;
        boolean wasUpWhileLate = false;
        while (System.nanoTime() - start < THROTTLED.toNanos() || !wasFull || !wasUpWhileLate) {
          long bytes = inFlight.inFlightBytes();
          assertThat(bytes).isLessThanOrEqualTo(LIMIT);
          wasFull |= bytes > LIMIT * 9 / 10;
          boolean isUp = proxy.health("kafka").equals("UP");
          wasUpWhileLate |= isUp && inFlight.stall().compareTo(InFlightLimiter.STALL_THRESHOLD) > 0;
          assertThat(System.nanoTime() - start)
              .as("UP although the oldest record waits longer than during an outage")
              .isLessThan(THROTTLED.plus(DefaultTimeout.DURATION).toNanos());
          Thread.sleep(100);
        }
        assertThat(proxy.health("kafka-quota"))
            .startsWith("UP: Kafka throttles this proxy (quota): publishing waits up to ");
        String command = controller.send("call", "GET", "/asterisk/ping");
        alterQuota(kafka, "producer_byte_rate", null);

        controller.response(command).assertStatus(200);
        controller.assertPublishedOnceInOrder(flood);
        assertThat(log.lines(Level.WARN))
            .filteredOn(line -> line.startsWith("Kafka throttles this proxy (quota)"))
            .hasSize(1);
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
        assertThat(asterisk.totalWebsocketCount()).isEqualTo(websockets);
        Awaitility.await().until(() -> proxy.health("kafka").equals("UP"));
      }
    }
  }

  /**
   * Waits for the connection that remains, since the proxy replaces one whose request timed out on
   * a busy machine, and returns the number of all.
   */
  private static int awaitLastConnection(SimulatedAsterisk asterisk, Controller controller) {
    controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
    if (asterisk.totalWebsocketCount() > 1) {
      Awaitility.await("no further connection")
          .during(Duration.ofSeconds(10))
          .until(() -> asterisk.isConnected(APP));
    }
    return asterisk.totalWebsocketCount();
  }

  /** Of bytes, which delays fetches, or of the broker's time, which delays all requests. */
  @ParameterizedTest
  @Tag(FullRun.ON_DEMAND)
  @FullRun("seconds of throttling")
  @CsvSource({"consumer_byte_rate, 800", "request_percentage, 0.01"})
  void executesCommandsOnceInOrderWhileThrottled(String quota, double rate) throws Exception {
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        List<String> commands = IntStream.range(0, 200).mapToObj(i -> "marker-" + i).toList();

        alterQuota(kafka, quota, rate);
        commands.subList(0, 100).forEach(id -> send(writer, settings, id));
        Awaitility.await("throttled")
            .until(() -> proxy.health("kafka-quota").contains("Kafka throttles this proxy"));
        commands.subList(100, 200).forEach(id -> send(writer, settings, id));
        Thread.sleep(THROTTLED.toMillis());
        Awaitility.await("late is not down")
            .until(
                () -> proxy.health("kafka").equals("UP") && proxy.health("commands").equals("UP"));
        alterQuota(kafka, quota, null);

        controller.response("marker-199").assertStatus(200);
        assertThat(MarkerCommand.executed(asterisk)).isEqualTo(commands);
      }
    }
  }

  private static void send(TopicWriter writer, ProxySettings settings, String id) {
    writer.sendAsync(
        new ProducerRecord<>(settings.commandsTopic(), "call", MarkerCommand.json("call", id)));
  }

  private static void alterQuota(KafkaBroker kafka, String quota, Double rate) throws Exception {
    try (Admin admin =
        Admin.create(
            Map.<String, Object>of(
                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()))) {
      // the default of all client ids
      Map<String, String> clients = new HashMap<>();
      clients.put(ClientQuotaEntity.CLIENT_ID, null);
      admin
          .alterClientQuotas(
              List.of(
                  new ClientQuotaAlteration(
                      new ClientQuotaEntity(clients),
                      List.of(new ClientQuotaAlteration.Op(quota, rate)))))
          .all()
          .get();
    }
  }
}
