// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.ArrayList;
import java.util.List;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.Test;

/** Connection events reach the route in order with the messages, if enabled. */
class AhcWsConsumerConnectionEventsTest extends AhcWsTestSupport {

  private void collect(Exchange exchange) {
    String event = exchange.getMessage().getHeader(AhcWsConstants.EVENT, String.class);
    received.add(event != null ? event : exchange.getMessage().getBody(String.class));
    if (event != null) {
      assertThat(exchange.getMessage().getBody()).isNull();
    }
  }

  @Test
  void firesConnectionEventsInOrder() throws Exception {
    startConnected("fireWebSocketConnectionEvents=true", this::collect);
    asterisk.emit(APP, "first");
    awaitReceived(2);
    asterisk.dropConnections();
    await().until(() -> asterisk.totalWebsocketCount() == 2);
    awaitConnected();
    asterisk.emit(APP, "second");
    awaitReceived(5);
    assertThat(received)
        .containsExactly("CONNECTED", "first", "DISCONNECTED", "CONNECTED", "second");
  }

  @Test
  void deliversMessagesOnlyBetweenConnectionEvents() throws Exception {
    startConnected("fireWebSocketConnectionEvents=true", this::collect);
    asterisk.flood(APP, 20_000, 5_000, 1);
    for (int cuts = 1; cuts <= 5; cuts++) {
      asterisk.dropConnections();
      int expected = 1 + cuts;
      await().until(() -> asterisk.totalWebsocketCount() == expected);
    }
    awaitConnected();
    asterisk.emit(APP, "end");
    await().until(() -> List.copyOf(received).contains("end"));
    List<Object> events = new ArrayList<>();
    boolean connected = false;
    for (Object message : received) {
      if (message.equals("CONNECTED") || message.equals("DISCONNECTED")) {
        connected = message.equals("CONNECTED");
        events.add(message);
      } else {
        assertThat(connected).as("connected when %s arrives", message).isTrue();
      }
    }
    assertThat(events).hasSize(11).startsWith("CONNECTED", "DISCONNECTED").endsWith("CONNECTED");
  }

  @Test
  void firesNoConnectionEventsByDefault() throws Exception {
    startConnected("", this::collect);
    asterisk.dropConnections();
    await().until(() -> asterisk.totalWebsocketCount() == 2);
    awaitConnected();
    asterisk.emit(APP, "only");
    awaitReceived(1);
  }
}
