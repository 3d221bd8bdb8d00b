// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.spi.ILoggingEvent;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A thread has a current exchange only within a step. */
class ExchangeContextTest {

  private static final Logger LOG = LoggerFactory.getLogger(ExchangeContextTest.class);

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final CapturedLog log = new CapturedLog();

  @BeforeEach
  void start() throws Exception {
    context.getCamelContextExtension().addInterceptStrategy(new ExchangeContext());
    Processor line = exchange -> LOG.warn("in {}", exchange.getMessage().getBody());
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:here").process(line).filter(body().isNotNull()).process(line).end();
            from("direct:elsewhere").process(line).threads(1, 1).process(line);
            from("direct:fails")
                .onException(Exception.class)
                .handled(true)
                .process(line)
                .end()
                .process(
                    exchange -> {
                      throw new IllegalStateException("on purpose");
                    });
          }
        });
    context.start();
  }

  @AfterEach
  void stop() {
    log.close();
    context.stop();
  }

  @Test
  void tagsLinesOnlyWithinStep() {
    send("direct:here", "a");
    LOG.warn("after it");
    send("direct:here", "b");

    assertThat(mdcMaps("in a")).hasSize(2).containsOnly(tags("a"));
    assertThat(mdcMaps("after it")).containsExactly(Map.of());
    assertThat(mdcMaps("in b")).hasSize(2).containsOnly(tags("b"));
  }

  @Test
  void followsExchangeToAnotherThread() {
    send("direct:elsewhere", "a");
    LOG.warn("after it");

    assertThat(mdcMaps("in a")).hasSize(2).containsOnly(tags("a"));
    assertThat(
            log.events().stream()
                .filter(event -> event.getFormattedMessage().equals("in a"))
                .map(ILoggingEvent::getThreadName)
                .distinct())
        .hasSize(2);
    assertThat(mdcMaps("after it")).containsExactly(Map.of());
  }

  @Test
  void tagsLinesOfErrorHandler() {
    send("direct:fails", "a");

    assertThat(mdcMaps("in a")).containsExactly(tags("a"));
  }

  @Test
  void restoresOuterExchangeAfterInnerExchange() {
    Exchange outer = exchange("outer");
    ExchangeContext.runWith(
        outer,
        () -> {
          send("direct:here", "inner");
          LOG.warn("again");
        });
    LOG.warn("after it");

    assertThat(mdcMaps("in inner")).containsOnly(tags("inner"));
    assertThat(mdcMaps("again")).containsExactly(tags("outer"));
    assertThat(mdcMaps("after it")).containsExactly(Map.of());
  }

  @Test
  void omitsMissingTags() {
    Exchange exchange = new DefaultExchange(context);
    ExchangeContext.tag(exchange, "call", "command", List.of());
    ExchangeContext.runWith(exchange, () -> LOG.warn("no resource"));

    assertThat(mdcMaps("no resource"))
        .singleElement()
        .satisfies(
            mdc -> {
              assertThat(mdc).containsEntry("callContext", "call");
              assertThat(mdc).containsEntry("commandId", "command");
              assertThat(mdc).doesNotContainKey("resource");
            });
  }

  private void send(String route, String name) {
    context.createProducerTemplate().send(route, exchange(name));
  }

  private Exchange exchange(String name) {
    Exchange exchange = new DefaultExchange(context);
    exchange.getMessage().setBody(name);
    ExchangeContext.tag(
        exchange,
        "call-" + name,
        "command-" + name,
        List.of(new Resource(ResourceType.CHANNEL, name)));
    return exchange;
  }

  private static Map<String, String> tags(String name) {
    return Map.of(
        "callContext",
        "call-" + name,
        "commandId",
        "command-" + name,
        "resource",
        "CHANNEL:" + name);
  }

  private List<Map<String, String>> mdcMaps(String message) {
    return log.events().stream()
        .filter(event -> event.getFormattedMessage().equals(message))
        .map(ILoggingEvent::getMDCPropertyMap)
        .toList();
  }
}
