package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.kafka.OutgoingRecord;
import io.retel.ariproxy.logging.ExchangeContext;
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
public final class BuildEventEnvelope implements Processor {

  private final Envelopes envelopes;
  private final Counter published;
  private final EventLatency latency;
  private final HandleLostEvent lostEventHandler;
  private final InFlightEvents inFlight;
  private final PayloadLog payloads;

  /**
   * @param lost counts what fails where no error handling reaches any more, as in a stop while
   *     Kafka is away
   */
  public BuildEventEnvelope(
      Envelopes envelopes,
      MeterRegistry meters,
      HandleLostEvent lostEventHandler,
      InFlightEvents inFlight,
      PayloadLog payloads) {
    this.payloads = payloads;
    this.inFlight = inFlight;
    this.envelopes = envelopes;
    this.lostEventHandler = lostEventHandler;
    this.published = Meters.EVENTS_PUBLISHED.counter(meters);
    this.latency = new EventLatency(meters, InstantSource.system());
  }

  @Override
  public void process(Exchange exchange) {
    // those that are made up for come this way only
    inFlight.add(exchange);
    MappedEvent mapped = (MappedEvent) exchange.getMessage().getBody();
    String key =
        mapped.callContext() != null
            ? mapped.callContext()
            : mapped.resources().stream().findFirst().map(Resource::id).orElse(null);
    byte[] envelope = envelopes.event(mapped);
    OutgoingRecord.prepare(exchange, key, envelope, mapped.unmapped());
    payloads.logPublished(envelope);
    // the parsed event is not held until Kafka has acknowledged it
    long sentAt = EventLatency.sentAt(mapped.event());
    exchange
        .getExchangeExtension()
        .addOnCompletion(
            new SynchronizationAdapter() {
              @Override
              public void onComplete(Exchange done) {
                // one that is lost is handled, and so complete as well
                if (done.getProperty(Exchange.EXCEPTION_CAUGHT) == null) {
                  published.increment();
                  latency.onAcknowledged(sentAt);
                }
              }

              @Override
              public void onFailure(Exchange failed) {
                ExchangeContext.runWith(
                    failed, () -> lostEventHandler.count(failed, failed.getException()));
              }
            });
  }
}
