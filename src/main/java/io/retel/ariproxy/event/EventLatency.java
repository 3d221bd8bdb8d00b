package io.retel.ariproxy.event;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.AsteriskTime;
import io.retel.ariproxy.metrics.Meters;
import java.time.DateTimeException;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;

/**
 * Measures how old an event is when Kafka has acknowledged it, by the clocks of two machines: what
 * Asterisk's is ahead counts as nothing. Events that the proxy has made up for have no timestamp of
 * Asterisk's and are not measured.
 */
final class EventLatency {

  private static final long UNKNOWN = Long.MIN_VALUE;

  private final Timer latency;
  private final InstantSource clock;

  EventLatency(MeterRegistry meters, InstantSource clock) {
    this.latency = Meters.EVENTS_LATENCY.timer(meters);
    this.clock = clock;
  }

  /**
   * When Asterisk has sent an event, in milliseconds since 1970.
   *
   * @return {@link #UNKNOWN} if it does not say so
   */
  static long sentAt(AriEvent event) {
    String timestamp = event.json().path("timestamp").textValue();
    if (timestamp == null || event.json().has(AriEvent.SYNTHESIZED_BY)) {
      return UNKNOWN;
    }
    try {
      return AsteriskTime.epochMillis(timestamp);
    } catch (DateTimeException e) {
      // an Asterisk that writes it otherwise is none that is known; the event is what matters
      return UNKNOWN;
    }
  }

  /**
   * Kafka has acknowledged an event just now.
   *
   * @param sentAt as {@link #sentAt} has it
   */
  void onAcknowledged(long sentAt) {
    if (sentAt != UNKNOWN) {
      latency.record(Math.max(0, clock.millis() - sentAt), TimeUnit.MILLISECONDS);
    }
  }
}
