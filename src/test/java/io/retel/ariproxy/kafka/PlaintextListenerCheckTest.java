// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.FreePort;
import io.retel.ariproxy.fixtures.RawHttpServer;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.CommonClientConfigs;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlaintextListenerCheckTest {

  private static final Duration LONG = Duration.ofMinutes(2);
  private static final Duration SHORT = Duration.ofMillis(100);

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "TLS alert,             15 03 03 00 02 02 50, requires TLS; set kafka.security-protocol",
    "TLS handshake,         16 03 01 00 02 02 50, requires TLS; set kafka.security-protocol",
    "HTTP/1.1 400,          48 54 54 50 2f 31 2e, is not a listener of Kafka: its answer starts with \"HTTP\"",
    "SSH-2.0,               53 53 48 2d 32 2e 30, is not a listener of Kafka: its answer starts with \"SSH-\"",
    "an escape sequence,    1b 5b 32 4a,          is not a listener of Kafka: its answer starts with 1b 5b 32 4a",
    "one byte over 1 MB,    00 10 00 01,          is not a listener of Kafka: its answer starts with 00 10 00 01",
    "negative size,         ff ff ff ff,          is not a listener of Kafka: its answer starts with ff ff ff ff",
    "smaller than its head, 00 00 00 03,          is not a listener of Kafka: its answer starts with 00 00 00 03",
  })
  void namesAnotherProtocol(String name, String answer, String problem) {
    try (RawHttpServer server = answering(answer)) {
      assertThat(problem(address(server), LONG))
          .hasValueSatisfying(
              text -> assertThat(text).startsWith(address(server)).contains(problem));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"00 00 00 04", "00 00 01 a2", "00 10 00 00"})
  void acceptsSizeOfResponse(String answer) {
    try (RawHttpServer server = answering(answer)) {
      assertThat(problem(address(server), LONG)).isEmpty();
    }
  }

  @Test
  void leavesShortAnswerToKafkasClient() {
    try (RawHttpServer server = answering("15 03 03")) {
      assertThat(problem(address(server), SHORT)).isEmpty();
    }
  }

  @Test
  void leavesRefusedConnectionToKafkasClient() {
    assertThat(problem("localhost:" + FreePort.find(), LONG)).isEmpty();
  }

  @Test
  void leavesUnknownNameToKafkasClient() {
    assertThat(problem("no-such-host.invalid:9092", LONG)).isEmpty();
  }

  @Test
  void endsAtTimeout() {
    CountDownLatch end = new CountDownLatch(1);
    try (RawHttpServer server = RawHttpServer.startWithoutHttp(out -> end.await())) {
      assertThat(problem(address(server), SHORT)).isEmpty();
    } finally {
      end.countDown();
    }
  }

  @Test
  void silentBrokerLeavesTimeToOthers() {
    CountDownLatch end = new CountDownLatch(1);
    try (RawHttpServer silent = RawHttpServer.startWithoutHttp(out -> end.await());
        RawHttpServer http = answering("48 54 54 50")) {
      assertThat(problem(address(silent) + "," + address(http), Duration.ofSeconds(4)))
          .hasValueSatisfying(text -> assertThat(text).startsWith(address(http)));
    } finally {
      end.countDown();
    }
  }

  @Test
  void readsAllBrokers() {
    try (RawHttpServer kafka = answering("00 00 01 a2");
        RawHttpServer http = answering("48 54 54 50")) {
      assertThat(problem(address(kafka) + ", " + address(http), LONG))
          .hasValueSatisfying(text -> assertThat(text).startsWith(address(http)));
    }
  }

  @ParameterizedTest
  @CsvSource({"SSL, false", "SASL_SSL, false", "SASL_PLAINTEXT, true", "sasl_plaintext, true"})
  void leavesTlsToItsHandshake(String protocol, boolean asks) {
    try (RawHttpServer server = answering("48 54 54 50")) {
      Optional<String> problem =
          PlaintextListenerCheck.problem(
              Map.of(
                  CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG,
                  address(server),
                  CommonClientConfigs.SECURITY_PROTOCOL_CONFIG,
                  protocol),
              LONG);
      assertThat(problem.isPresent()).isEqualTo(asks);
    }
  }

  /** A server that waits for a line, as one of HTTP does, before it answers. */
  private static RawHttpServer answering(String hex) {
    byte[] bytes = HexFormat.ofDelimiter(" ").parseHex(hex);
    return RawHttpServer.start((line, out) -> out.write(bytes));
  }

  private static String address(RawHttpServer server) {
    // a name can have several addresses
    return "127.0.0.1:" + server.port();
  }

  private static Optional<String> problem(String brokers, Duration timeout) {
    return PlaintextListenerCheck.problem(
        Map.of(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, brokers), timeout);
  }
}
