package io.retel.ariproxy.component.handover;

import org.apache.camel.Category;
import org.apache.camel.Consumer;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.spi.Metadata;
import org.apache.camel.spi.UriEndpoint;
import org.apache.camel.spi.UriParam;
import org.apache.camel.spi.UriPath;
import org.apache.camel.support.DefaultEndpoint;

/**
 * Call another route of the same context synchronously, and let that route be exchanged under load.
 *
 * <p>{@code direct:} defers the called route's stop while anything is in flight, and under load
 * something always is. Here the called route is suspended at once: callers wait, what is in flight
 * finishes, the new route takes over.
 */
@UriEndpoint(
    firstVersion = "0.1.0",
    scheme = "handover",
    title = "Handover",
    syntax = "handover:name",
    category = Category.CORE)
public class HandoverEndpoint extends DefaultEndpoint {

  @UriPath
  @Metadata(
      required = true,
      description = "Name of the seam; producers and the one consumer of that name meet in it.")
  private String name;

  @UriParam(
      label = "producer",
      defaultValue = "30000",
      javaType = "java.time.Duration",
      description =
          "How long a caller waits while the called route is being exchanged or has not started, before the exchange"
              + " fails.")
  private long timeout = 30_000;

  public HandoverEndpoint(String uri, HandoverComponent component) {
    super(uri, component);
  }

  @Override
  public Producer createProducer() {
    return new HandoverProducer(this, handoverPoint());
  }

  @Override
  public Consumer createConsumer(Processor processor) throws Exception {
    HandoverConsumer consumer = new HandoverConsumer(this, processor, handoverPoint());
    configureConsumer(consumer);
    return consumer;
  }

  private HandoverPoint handoverPoint() {
    return ((HandoverComponent) getComponent()).handoverPoint(name);
  }

  public String getName() {
    return name;
  }

  public void setName(String name) {
    this.name = name;
  }

  public long getTimeout() {
    return timeout;
  }

  public void setTimeout(long timeout) {
    this.timeout = timeout;
  }
}
