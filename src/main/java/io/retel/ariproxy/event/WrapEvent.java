package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.kafka.Publication;
import io.retel.ariproxy.logging.AtWork;
import io.retel.ariproxy.logging.PayloadLog;
import io.retel.ariproxy.metrics.Meters;
import java.time.InstantSource;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.support.SynchronizationAdapter;

/**
 * Makes the {@link MappedEvent} its envelope, keyed by the call context; an unmapped one is keyed
 * by its resource.
 */
public final class WrapEvent implements Processor {

  private final Envelopes envelopes;
  private final Counter published;
  private final EventDelay delay;
  private final CountLost lost;
  private final EventsUnderWay underWay;
  private final PayloadLog payloads;

  /**
   * @param lost counts what fails where no error handling reaches any more, as in a stop while
   *     Kafka is away
   */
  public WrapEvent(
      Envelopes envelopes,
      MeterRegistry meters,
      CountLost lost,
      EventsUnderWay underWay,
      PayloadLog payloads) {
    this.payloads = payloads;
    this.underWay = underWay;
    this.envelopes = envelopes;
    this.lost = lost;
    this.published = Meters.EVENTS_PUBLISHED.in(meters);
    this.delay = new EventDelay(meters, InstantSource.system());
  }

  @Override
  public void process(Exchange exchange) {
    // those that are made up for come this way only
    underWay.begin(exchange);
    MappedEvent mapped = (MappedEvent) exchange.getMessage().getBody();
    String key =
        mapped.callContext() != null
            ? mapped.callContext()
            : mapped.resources().stream().findFirst().map(Resource::id).orElse(null);
    byte[] envelope = envelopes.event(mapped);
    Publication.prepare(exchange, key, envelope, mapped.unmapped());
    payloads.published(envelope);
    // the parsed event is not held until Kafka has acknowledged it
    long sentAt = EventDelay.sentAt(mapped.event());
    exchange
        .getExchangeExtension()
        .addOnCompletion(
            new SynchronizationAdapter() {
              @Override
              public void onComplete(Exchange done) {
                // one that is lost is handled, and so complete as well
                if (done.getProperty(Exchange.EXCEPTION_CAUGHT) == null) {
                  published.increment();
                  delay.acknowledged(sentAt);
                }
              }

              @Override
              public void onFailure(Exchange failed) {
                AtWork.on(failed, () -> lost.count(failed, failed.getException()));
              }
            });
  }
}
