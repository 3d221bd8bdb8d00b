// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.util.Properties;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MonitoredProducerTest {

  @ParameterizedTest
  @CsvSource({
    "compression.type,    unknown,      compression.type",
    "key.serializer,      no.such.Class, no.such.Class",
    "acks,                1,            Must set acks to all",
    "delivery.timeout.ms, 1,            delivery.timeout.ms",
    "security.protocol,   SASL_SSL,     java.security.auth.login.config",
  })
  void rejectsInvalidOption(String option, String value, String reason) {
    Properties options = options("localhost:9092");
    options.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
    options.put(option, value);

    assertThatThrownBy(() -> MonitoredProducer.validate(options))
        .isInstanceOf(KafkaException.class)
        .hasStackTraceContaining(reason);
  }

  @Test
  void validatesWithoutConnectionToBroker() throws IOException {
    try (ServerSocket broker = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        CapturedLog log = CapturedLog.asShipped()) {
      Properties options = options("127.0.0.1:" + broker.getLocalPort());
      // longer than a test waits: an idempotent producer would wait for it
      options.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 600_000);
      options.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 700_000);

      MonitoredProducer.validate(options);

      // the thread of a closed producer has ended
      broker.setSoTimeout(1);
      assertThatThrownBy(broker::accept).isInstanceOf(SocketTimeoutException.class);
      assertThat(log.events())
          .filteredOn(event -> event.getLevel().isGreaterOrEqual(Level.WARN))
          .filteredOn(event -> event.getLoggerName().startsWith("org.apache.kafka.clients"))
          .isEmpty();
    }
  }

  /** The proxy's producer rejects it, with the reason. */
  @Test
  void leavesTransactions() {
    Properties options = options("localhost:9092");
    options.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "id");
    assertThatCode(() -> MonitoredProducer.validate(options)).doesNotThrowAnyException();
  }

  @Test
  void validatesWhileNameIsUnknown() {
    assertThatCode(() -> MonitoredProducer.validate(options("no-such-host.invalid:9092")))
        .doesNotThrowAnyException();
  }

  private static Properties options(String broker) {
    Properties options = new Properties();
    options.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, broker);
    options.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
    options.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
    return options;
  }
}
