// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.apache.camel.Endpoint;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Known options configure the endpoint; all others are sent to the server. */
class AhcWsEndpointTest extends AhcWsTestSupport {

  @ParameterizedTest
  @CsvSource({
    "'one,two', one",
    "'one,two', two",
    "one%2Ctwo, two",
    "with space, with space",
    "grün, grün",
    "RAW(a&b=c+d%), a&b=c+d%"
  })
  void sendsUnknownOptionsToServer(String option, String app) throws Exception {
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("ahc-ws:localhost:%d/ari/events?app=%s&pingInterval=1s"
                    .formatted(asterisk.port(), option))
                .process(exchange -> received.add(exchange.getMessage().getBody()));
          }
        });
    context.start();
    asterisk.awaitConnected(app);
    asterisk.emit(app, "hello");
    awaitReceived(1);
    assertThat(asterisk.requests()).noneMatch(request -> request.uri().contains("pingInterval"));
  }

  @Test
  void doesNotShowLoginInQuery() {
    AhcWsEndpoint endpoint =
        context.getEndpoint(
            "ahc-ws:a:not-to-be-seen@localhost:1/ari/events?app=x&api_key=a:not-to-be-seen",
            AhcWsEndpoint.class);
    assertThat(endpoint.getServiceUrl()).isEqualTo("ws://localhost:1/ari/events");
  }

  @Test
  void rejectsProducers() {
    Endpoint endpoint = context.getEndpoint(uri(""));
    assertThatThrownBy(endpoint::createProducer).hasMessageContaining("only consumes");
  }

  @Test
  void rejectsPolling() {
    Endpoint endpoint = context.getEndpoint(uri(""));
    assertThatThrownBy(endpoint::createPollingConsumer).hasMessageContaining("by a route only");
  }

  @Test
  void parsesDurationsWithUnits() throws Exception {
    AhcWsEndpoint endpoint =
        context.getEndpoint(uri("pingInterval=3s&pongTimeout=1500"), AhcWsEndpoint.class);
    assertThat(endpoint.getConfiguration().getPingInterval()).isEqualTo(3_000);
    assertThat(endpoint.getConfiguration().getPongTimeout()).isEqualTo(1_500);
  }
}
