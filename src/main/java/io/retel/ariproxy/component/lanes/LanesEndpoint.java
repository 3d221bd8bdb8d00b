// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import org.apache.camel.Category;
import org.apache.camel.Consumer;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.spi.Metadata;
import org.apache.camel.spi.UriEndpoint;
import org.apache.camel.spi.UriParam;
import org.apache.camel.spi.UriPath;
import org.apache.camel.support.DefaultEndpoint;

/**
 * Queue messages in memory and process messages of one key sequentially and messages of different
 * keys concurrently.
 *
 * <p>The key is the exchange property {@link LanesConstants#LANE}. The next message of a key starts
 * when the exchange of the previous one is done, including asynchronous steps. A group of messages
 * that hang leaves consumers to others ({@link LanesConstants#GROUP}). Queued messages survive the
 * replacement of either route. The queue is unbounded; the producer must limit it.
 */
@UriEndpoint(
    firstVersion = "0.1.0",
    scheme = "lanes",
    title = "Lanes",
    syntax = "lanes:name",
    category = Category.CORE)
public class LanesEndpoint extends DefaultEndpoint {

  @UriPath
  @Metadata(
      required = true,
      description = "Name of the queue, shared by its producers and its consumer.")
  private String name;

  @UriParam(
      label = "consumer",
      defaultValue = "64",
      description = "Maximum number of messages processed concurrently.")
  private int concurrentConsumers = 64;

  @UriParam(
      label = "consumer",
      defaultValue = "10000",
      description =
          "How long a message waits, in milliseconds, while its group hangs and has its share of "
              + "the consumers. Messages without a result hang after a tenth of it.")
  private long groupTimeout = 10_000;

  public LanesEndpoint(String uri, LanesComponent component) {
    super(uri, component);
  }

  @Override
  public Producer createProducer() {
    return new LanesProducer(this, lanes());
  }

  @Override
  public Consumer createConsumer(Processor processor) throws Exception {
    LanesConsumer consumer = new LanesConsumer(this, processor, lanes());
    configureConsumer(consumer);
    return consumer;
  }

  private Lanes<Exchange> lanes() {
    return ((LanesComponent) getComponent()).lanes(name);
  }

  public String getName() {
    return name;
  }

  public void setName(String name) {
    this.name = name;
  }

  public int getConcurrentConsumers() {
    return concurrentConsumers;
  }

  public void setConcurrentConsumers(int concurrentConsumers) {
    this.concurrentConsumers = concurrentConsumers;
  }

  public long getGroupTimeout() {
    return groupTimeout;
  }

  public void setGroupTimeout(long groupTimeout) {
    this.groupTimeout = groupTimeout;
  }
}
