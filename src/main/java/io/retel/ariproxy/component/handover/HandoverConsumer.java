package io.retel.ariproxy.component.handover;

import io.retel.ariproxy.component.ReplaceableConsumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Processor;
import org.apache.camel.ShutdownRunningTask;

/** The called side of a seam. */
class HandoverConsumer extends ReplaceableConsumer {

  private final HandoverSeam seam;

  HandoverConsumer(Endpoint endpoint, Processor processor, HandoverSeam seam) {
    super(endpoint, processor, seam.turnstile);
    this.seam = seam;
  }

  @Override
  protected void doStart() throws Exception {
    super.doStart();
    if (seam.consumer != null) {
      throw new IllegalStateException("Another route already consumes from " + getEndpoint());
    }
    seam.consumer = this;
    turnstile.open();
  }

  @Override
  protected void doStop() throws Exception {
    if (seam.consumer == this) {
      turnstile.close();
      seam.consumer = null;
    }
    super.doStop();
  }

  /** One that could not start, because there is another one, does not close the seam to that. */
  @Override
  protected void doSuspend() {
    if (seam.consumer == this) {
      super.doSuspend();
    }
  }

  @Override
  protected void doResume() {
    if (seam.consumer == this) {
      super.doResume();
    }
  }

  /** When the context is suspended, too, the callers come first. */
  @Override
  public boolean deferShutdown(ShutdownRunningTask shutdownRunningTask) {
    return contextStops() || getEndpoint().getCamelContext().isSuspending();
  }

  @Override
  public int getPendingExchangesSize() {
    return turnstile.inside();
  }
}
