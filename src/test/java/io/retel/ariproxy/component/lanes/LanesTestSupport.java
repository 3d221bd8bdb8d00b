// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A context with a route that queues numbered messages and one that processes them. */
abstract class LanesTestSupport {

  static final String WORK = "work";
  final DefaultCamelContext context = new DefaultCamelContext();
  final AtomicInteger processed = new AtomicInteger();
  final List<String> errors = new CopyOnWriteArrayList<>();
  private final Map<String, Integer> nextNumbers = new ConcurrentHashMap<>();
  private final Map<String, Boolean> busyLanes = new ConcurrentHashMap<>();
  ProducerTemplate template;

  @BeforeEach
  void configureContext() {
    context.disableJMX();
    context.getShutdownStrategy().setTimeout(15);
    template = context.createProducerTemplate();
  }

  @AfterEach
  void stopContext() {
    context.stop();
  }

  RouteBuilder queueingRoute() {
    return new RouteBuilder() {
      @Override
      public void configure() {
        from("direct:intake").routeId("intake").to("lanes:queue");
      }
    };
  }

  RouteBuilder workRoute(String options, Processor processor) {
    return new RouteBuilder() {
      @Override
      public void configure() {
        errorHandler(noErrorHandler());
        from("lanes:queue" + options).routeId(WORK).process(processor);
      }
    };
  }

  void start(String options, Processor processor) throws Exception {
    context.addRoutes(queueingRoute());
    context.addRoutes(workRoute(options, processor));
    context.start();
  }

  /** Queues a message; a null lane gives it its own lane. */
  void send(String lane, Object body) {
    template.send(
        "direct:intake",
        exchange -> {
          exchange.setProperty(LanesConstants.LANE, lane);
          exchange.getMessage().setBody(body);
        });
  }

  static String lane(Exchange exchange) {
    return exchange.getProperty(LanesConstants.LANE, String.class);
  }

  /** Marks the start of processing of a numbered message. */
  void begin(Exchange exchange) {
    String lane = lane(exchange);
    int number = exchange.getMessage().getBody(Integer.class);
    if (busyLanes.put(lane, true) != null) {
      errors.add("concurrent messages in " + lane);
    }
    int expected = nextNumbers.getOrDefault(lane, 0);
    if (number != expected) {
      errors.add(number + " instead of " + expected + " in " + lane);
    }
    nextNumbers.put(lane, number + 1);
  }

  /** Marks the end of processing. */
  void end(Exchange exchange) {
    busyLanes.remove(lane(exchange));
    processed.incrementAndGet();
  }

  void awaitProcessed(int count) {
    await().until(() -> processed.get() >= count || !errors.isEmpty());
    assertThat(errors).isEmpty();
    assertThat(processed).hasValue(count);
  }
}
