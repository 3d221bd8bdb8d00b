// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.kafka.InFlightEvents;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;

/** Mappings are persisted after the events that change them, not after unmapped ones. */
class ResolveCallContextTest {

  private final InFlightEvents inFlight = new InFlightEvents();
  private final ResolveCallContext resolveCallContext =
      new ResolveCallContext(
          new CallContextRules(
              new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.systemTicker())),
          new SimpleMeterRegistry(),
          inFlight);

  @Test
  void changesDoNotWaitForUnmappedEvent() throws Exception {
    assertThat(resolve("ChannelDtmfReceived").unmapped()).isTrue();
    assertThat(inFlight.count()).isOne();
    allAcknowledged().get(10, TimeUnit.SECONDS);
  }

  @Test
  void changesWaitForMappedEvent() {
    assertThat(resolve("StasisStart").unmapped()).isFalse();
    assertThat(resolve("ChannelDtmfReceived").unmapped()).isFalse();
    CompletableFuture<Void> waiting = allAcknowledged();
    assertThatThrownBy(() -> waiting.get(100, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
  }

  private MappedEvent resolve(String type) {
    Exchange exchange = new DefaultExchange(new DefaultCamelContext());
    exchange
        .getMessage()
        .setBody(AriEvent.parse("{\"type\":\"" + type + "\",\"channel\":{\"id\":\"c\"}}"));
    resolveCallContext.process(exchange);
    return exchange.getMessage().getBody(MappedEvent.class);
  }

  private CompletableFuture<Void> allAcknowledged() {
    return CompletableFuture.runAsync(
        () -> {
          try {
            inFlight.awaitAcknowledged();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
  }
}
