// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.HostileCommand;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each hostile or broken command gets a RESPONSE, and no request leaves ARI. */
class HostileCommandsTest {

  @AutoClose private static final Closer CLOSER = new Closer();
  private static SimulatedAsterisk asterisk;
  private static RoutesUnderTest routes;

  private int requestsBefore;

  @BeforeAll
  static void start() throws Exception {
    asterisk = CLOSER.register(SimulatedAsterisk.builder().user("user", "password").start());
    asterisk.faults().respondWith(request -> true, 204, null, new byte[0]);
    routes = CLOSER.register(RoutesUnderTest.startWithAsterisk(asterisk.port()));
  }

  @BeforeEach
  void reset() {
    routes.reset();
    requestsBefore = asterisk.requests().size();
  }

  static List<HostileCommand> commands() {
    return HostileCommand.all();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("commands")
  void yieldsOneResponse(HostileCommand hostile) throws IOException {
    routes.sendRecord(hostile.value(), hostile.headers());
    routes.awaitResponse();

    List<RecordedRequest> requests = asterisk.requests();
    assertThat(requests.subList(requestsBefore, requests.size()))
        .as("requests on the wire")
        .allSatisfy(
            request -> {
              assertThat(request.header("Host")).isEqualTo("localhost:" + asterisk.port());
              assertThat(request.header("Authorization"))
                  .isEqualTo(
                      "Basic "
                          + Base64.getEncoder()
                              .encodeToString("user:password".getBytes(StandardCharsets.US_ASCII)));
              assertThat(request.headers().toString()).doesNotContainIgnoringCase("evil");
            })
        .extracting(RecordedRequest::toString)
        .map(HostileCommand::withoutGeneratedId)
        .isEqualTo(hostile.forwarded() == null ? List.of() : List.of(hostile.forwarded()));
    assertThat(routes.mappedTopic().getReceivedExchanges()).hasSize(1);
    Message message = routes.mappedTopic().getReceivedExchanges().get(0).getMessage();
    assertThat(message.getHeaders().keySet()).isSubsetOf(KafkaConstants.KEY);
    byte[] value = message.getBody(byte[].class);
    JsonNode response = new ObjectMapper().readTree(value);
    assertThat(response.at("/payload/status_code").intValue())
        .isEqualTo(hostile.forwarded() == null ? 400 : 204);
    assertThat(new String(value, StandardCharsets.UTF_8).replace("ari.password", ""))
        .doesNotContain("password");
  }
}
