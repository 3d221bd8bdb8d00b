// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.dryrun;

import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.MultipleConsumersSupport;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.support.DefaultConsumer;
import org.apache.camel.support.DefaultEndpoint;
import org.apache.camel.support.DefaultProducer;

/** In place of an endpoint that would connect to a server, or start on its own. */
final class DryRunEndpoint extends DefaultEndpoint implements MultipleConsumersSupport {

  private final Endpoint original;
  private final DryRun dryRun;

  /**
   * @param original has the options, and is never started
   */
  DryRunEndpoint(Endpoint original, DryRun dryRun) {
    super(original.getEndpointUri(), null);
    setCamelContext(original.getCamelContext());
    this.original = original;
    this.dryRun = dryRun;
  }

  Endpoint original() {
    return original;
  }

  @Override
  public boolean isMultipleConsumersSupported() {
    return original instanceof MultipleConsumersSupport several
        && several.isMultipleConsumersSupported();
  }

  @Override
  public boolean isSingleton() {
    return original.isSingleton();
  }

  @Override
  public Producer createProducer() {
    return new DefaultProducer(this) {
      @Override
      public void process(Exchange exchange) {
        dryRun.send(original, exchange);
      }
    };
  }

  @Override
  public Consumer createConsumer(Processor processor) {
    return new DefaultConsumer(this, processor) {
      @Override
      protected void doStart() throws Exception {
        super.doStart();
        dryRun.add(original, this);
      }
    };
  }
}
