// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.route.AddedSteps;
import io.retel.ariproxy.route.BlockedStepMonitor;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class PublishMissedEventsTest {

  /** Asterisk's events wait for it, as for one of their own. */
  @Test
  void showsTheEventThatAStepBlocks() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    PublishMissedEvents publishMissed = new PublishMissedEvents(new SimpleMeterRegistry());
    try (DefaultCamelContext context = new DefaultCamelContext()) {
      context.addRoutes(
          new RouteBuilder() {
            @Override
            public void configure() {
              from("handover:publish-missed-events")
                  .routeId("publish-missed-events")
                  .process(exchange -> end.await(DefaultTimeout.SECONDS, TimeUnit.SECONDS))
                  .id("blocking");
            }
          });
      context.start();
      Exchange missed = new DefaultExchange(context);
      missed.getMessage().setBody(List.of(event(), event()));
      CompletableFuture<?> published =
          Async.run(
              () -> {
                try {
                  publishMissed.process(missed);
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              });
      Awaitility.await("the first event")
          .until(
              () ->
                  publishMissed
                      .current()
                      .map(event -> event.exchange().getExchangeExtension().getHistoryNodeId())
                      .filter("blocking"::equals)
                      .isPresent());
      BlockedStepMonitor monitor =
          new BlockedStepMonitor(
              context,
              () ->
                  publishMissed
                      .current()
                      .map(
                          event ->
                              new BlockedStepMonitor.Current(
                                  event.exchange(), event.age().plus(Duration.ofSeconds(5)))),
              new AddedSteps(new SimpleMeterRegistry(), 0, rejection -> false, stopped -> {}));
      assertThat(monitor.describe())
          .hasValueSatisfying(
              sentence ->
                  assertThat(sentence)
                      .startsWith(
                          "Events wait for step blocking of route publish-missed-events, for "));
      end.countDown();
      published.join();
      assertThat(publishMissed.current()).isEqualTo(Optional.empty());
    }
  }

  private static MappedEvent event() {
    CallContexts callContexts =
        new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.systemTicker());
    return new CallContextRules(callContexts)
        .map(
            AriEvent.parse(
                "{\"type\":\"StasisStart\",\"application\":\"app\",\"channel\":{\"id\":\"c\"}}"));
  }
}
