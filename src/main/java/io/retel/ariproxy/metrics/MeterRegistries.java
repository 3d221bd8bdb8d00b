// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.metrics;

import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.jmx.JmxConfig;
import io.micrometer.jmx.JmxMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Map;
import org.apache.camel.CamelContext;
import org.apache.camel.component.micrometer.MicrometerConstants;
import org.apache.camel.support.service.ServiceSupport;

/** Meter registries: a composite to record in, exposed to Prometheus and over JMX. */
public final class MeterRegistries {

  private MeterRegistries() {}

  /**
   * Creates the registries, and binds the one for Prometheus as {@code meters} and under the name
   * that Camel's management port looks up.
   *
   * @param tags the tags of every meter
   * @return the registry to record in; closed with the context
   */
  public static MeterRegistry bind(CamelContext context, Map<String, String> tags) {
    PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    JmxMeterRegistry jmx = new JmxMeterRegistry(JmxConfig.DEFAULT, Clock.SYSTEM);
    CompositeMeterRegistry composite = new CompositeMeterRegistry();
    for (MeterRegistry registry : new MeterRegistry[] {prometheus, jmx}) {
      // set on each registry, since Camel's and the JVM's meters bypass the composite
      registry
          .config()
          .commonTags(
              tags.entrySet().stream().map(tag -> Tag.of(tag.getKey(), tag.getValue())).toList())
          .meterFilter(new TagValueFilter());
    }
    composite.add(prometheus);
    composite.add(jmx);
    // not the composite: Camel's Prometheus service does not support one
    context.getRegistry().bind("meters", prometheus);
    context.getRegistry().bind(MicrometerConstants.METRICS_REGISTRY_NAME, prometheus);
    try {
      context.addService(new RegistryCloser(composite));
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    return composite;
  }

  /** Closes the registries, which removes their MBeans. */
  private static final class RegistryCloser extends ServiceSupport {

    private final CompositeMeterRegistry registries;

    RegistryCloser(CompositeMeterRegistry registries) {
      this.registries = registries;
    }

    @Override
    protected void doShutdown() {
      registries.getRegistries().forEach(MeterRegistry::close);
      registries.close();
    }
  }
}
