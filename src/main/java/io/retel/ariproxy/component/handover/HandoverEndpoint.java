// SPDX-License-Identifier: Apache-2.0
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
 * Call another route in the same context synchronously; that route can be replaced under load.
 *
 * <p>{@code direct:} defers the stop of the called route while anything is in flight, and under
 * load something always is in flight. Here the called route is suspended immediately: callers wait,
 * exchanges in flight finish, and the new route takes over.
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
      description = "Name of the handover point, shared by its producers and its one consumer.")
  private String name;

  @UriParam(
      label = "producer",
      defaultValue = "30000",
      javaType = "java.time.Duration",
      description =
          "How long a caller waits for the called route to start or to be replaced before the "
              + "exchange fails.")
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
