// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.support.SynchronizationAdapter;
import org.junit.jupiter.api.Test;

/** Completions of an exchange run once, after its processing. */
class LanesCompletionTest extends LanesTestSupport {

  private final List<String> steps = new CopyOnWriteArrayList<>();

  @Override
  RouteBuilder queueingRoute() {
    return new RouteBuilder() {
      @Override
      public void configure() {
        from("direct:intake")
            .routeId("intake")
            .process(
                exchange ->
                    exchange.getExchangeExtension().addOnCompletion(new CompletionRecorder()))
            .to("lanes:queue")
            .process(exchange -> steps.add("queued"));
      }
    };
  }

  private final class CompletionRecorder extends SynchronizationAdapter {
    @Override
    public void onComplete(Exchange exchange) {
      steps.add("completed");
    }

    @Override
    public void onFailure(Exchange exchange) {
      steps.add("failed");
    }
  }

  @Test
  void completesAfterProcessing() throws Exception {
    CountDownLatch queued = new CountDownLatch(1);
    start(
        "",
        exchange -> {
          queued.await();
          steps.add("worked");
        });
    send("key", 0);
    assertThat(steps).containsExactly("queued");
    queued.countDown();
    await().until(() -> steps.size() == 3);
    assertThat(steps).containsExactly("queued", "worked", "completed");
  }

  @Test
  void failsWhenProcessingFails() throws Exception {
    start(
        "",
        exchange -> {
          throw new IllegalStateException("the route fails");
        });
    send("key", 0);
    await().until(() -> steps.contains("failed"));
    assertThat(steps).containsExactlyInAnyOrder("queued", "failed");
  }

  @Test
  void doesNotModifyCallersExchange() throws Exception {
    start("", exchange -> exchange.getMessage().setBody("changed"));
    Exchange sent =
        template.send("direct:intake", exchange -> exchange.getMessage().setBody("original"));
    await().until(() -> steps.contains("completed"));
    assertThat(sent.getMessage().getBody()).isEqualTo("original");
    assertThat(sent.getException()).isNull();
  }
}
