package io.retel.ariproxy.component.handover;

import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.Processor;
import org.apache.camel.ShutdownRunningTask;
import org.apache.camel.Suspendable;
import org.apache.camel.spi.ShutdownAware;
import org.apache.camel.support.DefaultConsumer;

/** The called side of a seam. */
class HandoverConsumer extends DefaultConsumer implements Suspendable, ShutdownAware {

  private final HandoverSeam seam;

  HandoverConsumer(Endpoint endpoint, Processor processor, HandoverSeam seam) {
    super(endpoint, processor);
    this.seam = seam;
  }

  @Override
  protected void doStart() throws Exception {
    super.doStart();
    if (seam.consumer != null) {
      throw new IllegalStateException("Another route already consumes from " + getEndpoint());
    }
    seam.consumer = this;
    seam.turnstile.open();
  }

  @Override
  protected void doSuspend() {
    seam.turnstile.close();
  }

  @Override
  protected void doResume() {
    seam.turnstile.open();
  }

  @Override
  protected void doStop() throws Exception {
    if (seam.consumer == this) {
      seam.turnstile.close();
      seam.consumer = null;
    }
    super.doStop();
  }

  /**
   * An exchanged route is suspended at once; only when the whole context stops or is suspended are
   * the callers served to the end.
   */
  @Override
  public boolean deferShutdown(ShutdownRunningTask shutdownRunningTask) {
    CamelContext context = getEndpoint().getCamelContext();
    return context.isStopping() || context.isSuspending();
  }

  @Override
  public int getPendingExchangesSize() {
    return seam.turnstile.inside();
  }

  @Override
  public void prepareShutdown(boolean suspendOnly, boolean forced) {
    // nothing to prepare
  }
}
