// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.Component;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.component.http.HttpComponent;
import org.apache.camel.component.platform.http.PlatformHttpComponent;
import org.apache.camel.http.base.HttpHeaderFilterStrategy;
import org.apache.camel.spi.HeaderFilterStrategy;
import org.apache.camel.spi.HeaderFilterStrategyAware;
import org.apache.camel.support.HeaderFilterStrategyComponent;
import org.apache.camel.support.LifecycleStrategySupport;

/**
 * Refuses headers from outside that are options of a component: with {@code kafka.OVERRIDE_TOPIC},
 * a server or a client chooses the topic of a later step. Each component refuses only its own.
 *
 * <p>Kafka's component refuses them in records. An endpoint of {@code http} and {@code
 * platform-http} with its own {@code headerFilterStrategy} has no such filter. Thread-safe.
 */
public final class ForeignHeaderFilter implements HeaderFilterStrategy {

  /** Of headers that Camel's components read. */
  private static final List<String> OPTIONS = List.of("kafka.", "camel", "org.apache.camel.");

  private final HeaderFilterStrategy strategy;

  /**
   * @param strategy filters the other headers
   */
  ForeignHeaderFilter(HeaderFilterStrategy strategy) {
    this.strategy = strategy;
  }

  /** Filters the headers of all routes; call it before components exist. */
  public static void install(CamelContext context) {
    HeaderFilterStrategy http = new ForeignHeaderFilter(new HttpHeaderFilterStrategy());
    context.addLifecycleStrategy(
        new LifecycleStrategySupport() {
          @Override
          public void onComponentAdd(String name, Component component) {
            if (isHttp(component)
                && component instanceof HeaderFilterStrategyComponent filtered
                && filtered.getHeaderFilterStrategy() == null) {
              filtered.setHeaderFilterStrategy(http);
            }
          }

          @Override
          public void onEndpointAdd(Endpoint endpoint) {
            // of components in lib/extra
            if (!isHttp(endpoint.getComponent())
                && endpoint instanceof HeaderFilterStrategyAware filtered
                && filtered.getHeaderFilterStrategy() != null) {
              filtered.setHeaderFilterStrategy(
                  new ForeignHeaderFilter(filtered.getHeaderFilterStrategy()));
            }
          }
        });
  }

  private static boolean isHttp(Component component) {
    return component instanceof HttpComponent || component instanceof PlatformHttpComponent;
  }

  @Override
  public boolean applyFilterToCamelHeaders(String name, Object value, Exchange exchange) {
    return strategy.applyFilterToCamelHeaders(name, value, exchange);
  }

  @Override
  public boolean applyFilterToExternalHeaders(String name, Object value, Exchange exchange) {
    // camel-jms decodes dots after this
    String decoded = name.replace("_DOT_", ".");
    return OPTIONS.stream().anyMatch(it -> decoded.regionMatches(true, 0, it, 0, it.length()))
        || strategy.applyFilterToExternalHeaders(name, value, exchange);
  }
}
