package io.retel.ariproxy.event;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.metrics.Meters;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;

/**
 * Measures how old an event is when Kafka has acknowledged it, by the clocks of two machines: what
 * Asterisk's is ahead counts as nothing. Events that the proxy has made up for have no timestamp of
 * Asterisk's and are not measured.
 */
final class EventDelay {

  /** As Asterisk writes it: {@code 2026-11-25T11:02:03.456+0000}. */
  private static final DateTimeFormatter TIMESTAMP =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSxx");

  private final Timer delay;
  private final InstantSource clock;

  EventDelay(MeterRegistry meters, InstantSource clock) {
    this.delay = Meters.EVENTS_DELAY.timer(meters);
    this.clock = clock;
  }

  /** Kafka has acknowledged the event just now. */
  void acknowledged(AriEvent event) {
    String timestamp = event.json().path("timestamp").textValue();
    if (timestamp == null || event.json().has(AriEvent.SYNTHESIZED_BY)) {
      return;
    }
    try {
      Duration age =
          Duration.between(
              OffsetDateTime.parse(timestamp, TIMESTAMP),
              clock.instant().atOffset(java.time.ZoneOffset.UTC));
      delay.record(age.isNegative() ? Duration.ZERO : age);
    } catch (DateTimeException e) {
      // an Asterisk that writes it otherwise is none that is known; the event is what matters
    }
  }
}
