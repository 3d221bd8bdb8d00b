// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FreePort;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.MarkerCommand;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Tests commands that a controller sends in Kafka transactions. */
@ExtendWith(KafkaExtension.class)
class TransactionalCommandsIT {

  @Test
  @FullRun("waits until an open transaction is reported")
  void executesCommittedCommandsOnlyAndReportsAnOpenTransaction(KafkaBroker kafka)
      throws Exception {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, "transactional", kafka)
              .with(Setting.MANAGEMENT_PORT, Integer.toString(FreePort.find()));
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka);
          KafkaProducer<String, byte[]> producer = transactionalProducer(kafka)) {
        controller.execute("call", "GET", "/asterisk/ping");
        producer.initTransactions();

        producer.beginTransaction();
        producer.send(command(settings, "aborted")).get();
        producer.abortTransaction();

        producer.beginTransaction();
        producer.send(command(settings, "committed")).get();
        controller.send("call", "GET", "/deviceStates/behind");
        Awaitility.await("health reports the open transaction")
            .until(
                () ->
                    proxy
                        .health("commands")
                        .startsWith(
                            "UP: An open transaction holds back the commands of "
                                + settings.commandsTopic()));
        assertThat(MarkerCommand.executed(asterisk))
            .as("commands of an open transaction")
            .isEmpty();
        producer.commitTransaction();

        Awaitility.await("both commands are executed")
            .until(() -> MarkerCommand.executed(asterisk).size() >= 2);
        assertThat(MarkerCommand.executed(asterisk)).containsExactly("committed", "behind");
        Awaitility.await("health reports no transaction")
            .until(() -> proxy.health("commands").equals("UP"));
      }
    }
  }

  private static KafkaProducer<String, byte[]> transactionalProducer(KafkaBroker kafka) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            kafka.bootstrapServers(),
            ProducerConfig.TRANSACTIONAL_ID_CONFIG,
            UUID.randomUUID().toString()),
        new StringSerializer(),
        new ByteArraySerializer());
  }

  private static ProducerRecord<String, byte[]> command(ProxySettings settings, String id) {
    return new ProducerRecord<>(settings.commandsTopic(), "call", MarkerCommand.json("call", id));
  }
}
