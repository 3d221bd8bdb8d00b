// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests a proxy that starts while Kafka is unavailable or not ready. */
class KafkaStartupIT {

  private static final String APP = "waiting";
  @TempDir private Path folder;

  @Test
  void waitsForBroker() {
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      kafka.stop();
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        Awaitility.await()
            .untilAsserted(
                () ->
                    assertThat(proxy.health("startup"))
                        .startsWith("DOWN: Kafka at " + kafka.bootstrapServers())
                        .contains("cannot describe topics"));
        // does not accept calls while their events cannot be published
        assertThat(asterisk.totalWebsocketCount()).isZero();

        kafka.start();

        asterisk.awaitConnected(APP);
        assertThat(proxy.health("startup")).isEqualTo("UP");
        try (Controller controller = new Controller(settings, kafka)) {
          asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
          controller.event("call", "STASIS_START");
          controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        }
      }
    }
  }

  @Test
  void createsMissingTopics() {
    try (KafkaBroker kafka = KafkaBroker.launch(Map.of("auto.create.topics.enable", "false"));
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.KAFKA_COMMANDS_TOPIC, "absent");
      try (CapturedLog log = new CapturedLog();
          EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        assertThat(kafka.topicConfig("absent-call-contexts", "cleanup.policy"))
            .isEqualTo("compact");
        for (String consumed : List.of("absent", "absent-call-contexts")) {
          assertThat(kafka.topicConfig(consumed, "compression.type"))
              .as(consumed)
              .isEqualTo("uncompressed");
        }
        assertThat(kafka.partitionCount("absent-call-contexts")).isOne();
        assertThat(kafka.partitionCount("absent")).isEqualTo(12);
        assertThat(kafka.replicaCount("absent")).isOne();
        assertThat(log.lines(Level.WARN))
            .filteredOn(line -> line.startsWith("Topics at risk: "))
            .singleElement()
            .asString()
            .contains("absent", ": one replica, which is lost with its broker")
            .doesNotContain("min.insync.replicas", "one partition", "compressed");
      }
    }
  }

  @Test
  @FullRun("starts three brokers")
  void createsReplicatedTopicsOnThreeBrokers() {
    try (KafkaBroker kafka = KafkaBroker.launch(Map.of("auto.create.topics.enable", "false"));
        KafkaBroker second = kafka.launchReplica();
        KafkaBroker third = kafka.launchReplica();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.withExistingTopics(asterisk, APP, kafka, "events", "commands");
      try (CapturedLog log = new CapturedLog();
          EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        for (String topic :
            List.of("events", "events-unmapped", "commands", "commands-call-contexts")) {
          assertThat(kafka.replicaCount(topic)).as(topic).isEqualTo(3);
          assertThat(kafka.topicConfig(topic, "min.insync.replicas")).as(topic).isEqualTo("2");
        }
        assertThat(kafka.topicConfig("events", "compression.type")).isEqualTo("producer");
        assertThat(kafka.topicConfig("commands-call-contexts", "cleanup.policy"))
            .isEqualTo("compact");
        assertThat(log.lines(Level.WARN)).noneMatch(line -> line.startsWith("Topics at risk"));
      }
    }
  }

  @Test
  void logsCreateCommandAndWaitsForTopic() {
    try (KafkaBroker kafka = KafkaBroker.launch(Map.of("auto.create.topics.enable", "false"));
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.KAFKA_CREATE_TOPICS, "false")
              .with(Setting.CALLCONTEXT_STORE, "memory")
              .with(Setting.KAFKA_COMMANDS_TOPIC, "absent");
      try (CapturedLog log = CapturedLog.asShipped();
          EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        Awaitility.await()
            .untilAsserted(
                () ->
                    assertThat(log.lines(Level.WARN))
                        .singleElement()
                        .asString()
                        .contains(
                            "Kafka has no topic absent",
                            "kafka-topics.sh --bootstrap-server "
                                + kafka.bootstrapServers()
                                + " --create --topic absent"));
        assertThat(asterisk.totalWebsocketCount()).isZero();

        kafka.createTopic("absent", 2);

        asterisk.awaitConnected(APP);
        try (Controller controller = new Controller(settings, kafka)) {
          controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        }
      }
    }
  }

  @Test
  void consumesNothingWhileLoginIsRejected() throws IOException {
    Path log = folder.resolve("proxy.log");
    Map<String, String> brokerConfig = new HashMap<>();
    brokerConfig.put(
        "listener.security.protocol.map", "PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT");
    brokerConfig.put("sasl.enabled.mechanisms", "PLAIN");
    brokerConfig.put("sasl.mechanism.inter.broker.protocol", "PLAIN");
    brokerConfig.put(
        "listener.name.plaintext.plain.sasl.jaas.config",
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"broker\""
            + " password=\"b\" user_broker=\"b\" user_proxy=\"right-password\";");
    try (KafkaBroker kafka = KafkaBroker.launch(brokerConfig);
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.withExistingTopics(asterisk, APP, kafka, "events-topic", "commands-topic");
      saslOptions("wrong-password").forEach(settings::withCamelProperty);
      try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
        Awaitility.await()
            .untilAsserted(
                () ->
                    assertThat(Files.readString(log))
                        .contains("Not consuming yet: Kafka at ", ": Authentication failed"));
        assertThat(asterisk.totalWebsocketCount()).isZero();
        assertThat(proxy.terminate()).isEqualTo(143);
        assertThat(Files.readString(log)).doesNotContain("wrong-password").doesNotContain("\tat ");
      }

      Map<String, String> options = saslOptions("right-password");
      options.forEach(System::setProperty);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        asterisk.awaitConnected(APP);
      } finally {
        options.keySet().forEach(System::clearProperty);
      }
    }
  }

  /** Returns Camel options with a login. */
  private static Map<String, String> saslOptions(String password) {
    return Map.of(
        "camel.component.kafka.security-protocol",
        "SASL_PLAINTEXT",
        "camel.component.kafka.sasl-mechanism",
        "PLAIN",
        "camel.component.kafka.sasl-jaas-config",
        jaasConfig(password));
  }

  private static String jaasConfig(String password) {
    return "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"proxy\""
        + " password=\""
        + password
        + "\";";
  }
}
