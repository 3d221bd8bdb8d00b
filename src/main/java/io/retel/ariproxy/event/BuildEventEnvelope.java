// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.component.MessageCompletion;
import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.kafka.InFlightEvents;
import io.retel.ariproxy.kafka.OutgoingRecord;
import io.retel.ariproxy.logging.ExchangeContext;
import io.retel.ariproxy.logging.PayloadLog;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.route.AddedSteps;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Supplier;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Builds the envelope of a {@link MappedEvent}, and of each of its copies. The record key is the
 * call context; for an unmapped event, its first resource.
 */
public final class BuildEventEnvelope implements Processor {

  /** The event type as Asterisk writes it, for steps that follow: the body is bytes then. */
  static final String EVENT_TYPE = "eventType";

  private final Envelopes envelopes;
  private final Counter published;
  private final EventLatency latency;
  private final HandleLostEvent lostEventHandler;
  private final InFlightEvents inFlight;
  private final PayloadLog payloads;

  /**
   * @param lostEventHandler counts failures that do not reach an error handler, such as during a
   *     shutdown while Kafka is unavailable
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
    // synthetic events enter the routes here
    inFlight.add(exchange);
    MappedEvent mapped = (MappedEvent) exchange.getMessage().getBody();
    String key =
        mapped.callContext() != null
            ? mapped.callContext()
            : mapped.resources().stream().findFirst().map(Resource::id).orElse(null);
    List<String> callContexts = mapped.callContexts();
    exchange.setProperty(EVENT_TYPE, mapped.type());
    byte[] envelope = envelopes.event(mapped, callContexts);
    OutgoingRecord.prepare(exchange, key, envelope, mapped.unmapped());
    payloads.logPublished(envelope);
    if (!mapped.copies().isEmpty()) {
      OutgoingRecord.prepareCopies(
          exchange,
          mapped.copies().stream()
              .map(copy -> outgoing(copy, callContexts, envelope.length))
              .toList());
    }
    // releases the parsed event before Kafka acknowledges the record
    long sentAt = EventLatency.sentAt(mapped.event());
    exchange
        .getExchangeExtension()
        .addOnCompletion(
            new MessageCompletion() {
              @Override
              public void onComplete(Exchange done) {
                // a lost event is handled, so its exchange completes as well
                if (done.getProperty(Exchange.EXCEPTION_CAUGHT) == null
                    && AddedSteps.stopped(done).isEmpty()) {
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

  private OutgoingRecord outgoing(MappedEvent copy, List<String> callContexts, int size) {
    return new OutgoingRecord(
        copy.callContext(), size, new Envelope(envelopes, payloads, copy, callContexts));
  }

  /** Builds the envelope of a copy. A record, so that the heap of its components is counted. */
  private record Envelope(
      Envelopes envelopes, PayloadLog payloads, MappedEvent copy, List<String> callContexts)
      implements Supplier<byte[]> {

    @Override
    public byte[] get() {
      byte[] envelope = envelopes.event(copy, callContexts);
      payloads.logPublished(envelope);
      return envelope;
    }

    /** A tracer shows it. */
    @Override
    public String toString() {
      return "Envelope";
    }
  }
}
