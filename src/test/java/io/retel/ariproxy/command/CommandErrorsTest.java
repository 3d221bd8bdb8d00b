// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.ari.http.TlsNotEstablishedException;
import io.retel.ariproxy.callcontext.store.StoreUnavailableException;
import io.retel.ariproxy.component.lanes.GroupActivity;
import io.retel.ariproxy.envelope.CommandRequest;
import io.retel.ariproxy.fixtures.route.FailingRoute;
import io.retel.ariproxy.fixtures.route.MockedSteps;
import io.retel.ariproxy.route.RetryPolicy;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import javax.net.ssl.SSLHandshakeException;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.hc.client5.http.ConnectTimeoutException;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Retries and RESPONSE of each failed command, with mocks. */
class CommandErrorsTest {

  private static final RetryPolicy RETRIES = new RetryPolicy(2, Duration.ofMillis(1));

  @ParameterizedTest
  @MethodSource("connectFailures")
  void retriesEveryConnectFailure(Exception failure) throws Exception {
    assertSteps(failure, "commands", 3, "respondUnreachable", "updateCreatedMappings", "publish");
  }

  static List<Exception> connectFailures() {
    return List.of(
        new ConnectException("refused"),
        new UnknownHostException("asterisk"),
        new NoRouteToHostException("unreachable"),
        new TlsNotEstablishedException(new SSLHandshakeException("certificate")),
        new ConnectTimeoutException("connect timeout"),
        new ConnectionRequestTimeoutException("pool exhausted"));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 5})
  void retriesAsConfigured(int maxRetries) throws Exception {
    assertSteps(
        new RetryPolicy(maxRetries, Duration.ofMillis(1)),
        new ConnectException("refused"),
        "commands",
        1 + maxRetries,
        "respondUnreachable",
        "updateCreatedMappings",
        "publish");
  }

  @Test
  void releasesUnsentGenericCommand() throws Exception {
    assertSteps(
        new ConnectException("refused"), "generic", 3, "releaseCommand", "updateCreatedMappings");
    assertSteps(
        new StoreUnavailableException("timeout"),
        "generic",
        1,
        "releaseCommand",
        "updateCreatedMappings");
    assertSteps(earlierCommandsHang(), "generic", 1, "releaseCommand");
  }

  @Test
  void respondsWithoutRetryToOtherFailures() throws Exception {
    assertSteps(
        new CommandRejectedException(400, "invalid"), "commands", 1, "respondRejected", "publish");
    assertSteps(
        new StoreUnavailableException("timeout"),
        "commands",
        1,
        "respondStoreUnavailable",
        "updateCreatedMappings",
        "publish");
    assertSteps(earlierCommandsHang(), "commands", 1, "respondEarlierCommandsHang", "publish");
    assertSteps(new RecordTooLargeException("large"), "commands", 1, "respondTooLarge", "publish");
    assertSteps(
        new SocketTimeoutException("no response"),
        "generic",
        1,
        "respondOutcomeUnknown",
        "updateCreatedMappings",
        "publish");
  }

  private static EarlierCommandsHangException earlierCommandsHang() {
    return EarlierCommandsHangException.of(
        new GroupActivity("POST /channels", 3, Duration.ofSeconds(9), 1));
  }

  private static void assertSteps(Exception failure, String topic, int attempts, String... calls)
      throws Exception {
    assertSteps(RETRIES, failure, topic, attempts, calls);
  }

  private static void assertSteps(
      RetryPolicy retries, Exception failure, String topic, int attempts, String... calls)
      throws Exception {
    FailingRoute route = new FailingRoute(CommandErrors.ID, failure);
    try (MockedSteps steps =
        new MockedSteps(
                "respondRejected",
                "respondUnreachable",
                "respondStoreUnavailable",
                "respondEarlierCommandsHang",
                "respondTooLarge",
                "respondOutcomeUnknown",
                "releaseCommand",
                "updateCreatedMappings",
                "publish")
            .add(new CommandErrors(retries), route, commandsOf(topic))
            .start()) {
      Exchange exchange = steps.send("direct:command", "any", "value");
      assertThat(exchange.getException()).isNull();
      assertThat(route.attempts()).isEqualTo(attempts);
      assertThat(steps.calls()).containsExactly(calls);
    }
  }

  private static RouteBuilder commandsOf(String topic) {
    Command command =
        new Command.Rejected(
            new RecordPosition(topic, 0, 7, null, Instant.EPOCH),
            new CommandRequest(null, null, null, null),
            new CommandRejectedException(400, "invalid"));
    return new RouteBuilder() {
      @Override
      public void configure() {
        from("direct:command")
            .setProperty(CommandProperties.COMMAND, constant(command))
            .to(FailingRoute.URI);
        from("handover:publish").process("publish");
      }
    };
  }
}
