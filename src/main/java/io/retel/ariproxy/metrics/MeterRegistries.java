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

/** Where meters are kept: one registry for those who count, read by Prometheus and over JMX. */
public final class MeterRegistries {

  private MeterRegistries() {}

  /**
   * Makes them, and binds the one for Prometheus as {@code meters}, and where Camel's management
   * port looks for it.
   *
   * @param tags are on every meter
   * @return the registry to count in; it is closed with the context
   */
  public static MeterRegistry bind(CamelContext context, Map<String, String> tags) {
    PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    JmxMeterRegistry jmx = new JmxMeterRegistry(JmxConfig.DEFAULT, Clock.SYSTEM);
    CompositeMeterRegistry composite = new CompositeMeterRegistry();
    for (MeterRegistry registry : new MeterRegistry[] {prometheus, jmx}) {
      // Camel's own meters and the JVM's go past the composite one
      registry
          .config()
          .commonTags(
              tags.entrySet().stream().map(tag -> Tag.of(tag.getKey(), tag.getValue())).toList());
    }
    composite.add(prometheus);
    composite.add(jmx);
    // not the composite one: Camel's service for Prometheus takes none
    context.getRegistry().bind("meters", prometheus);
    context.getRegistry().bind(MicrometerConstants.METRICS_REGISTRY_NAME, prometheus);
    try {
      context.addService(new RegistryCloser(composite));
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    return composite;
  }

  /** Removes what JMX shows. */
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
