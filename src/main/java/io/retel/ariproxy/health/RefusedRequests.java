// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.text.LogText;
import io.retel.ariproxy.time.Moment;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Responds to requests that the management port refuses, counts and logs them. Thread-safe. */
final class RefusedRequests {

  private static final Logger LOG = LoggerFactory.getLogger(RefusedRequests.class);

  private static final Duration LOG_INTERVAL = Duration.ofMinutes(1);

  /** Time to read what the client still sends, since a reset could discard the response. */
  private static final long CLOSE_DELAY_MILLIS = 500;

  /** What was wrong with a request; a tag value. */
  enum Reason {
    HOST,
    ORIGIN,
    METHOD,
    CONTENT_TYPE,
    SIZE,
    TOKEN,
    OPERATION,
    BUSY,
    CONNECTIONS;

    private String tag() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  private final Map<Reason, Counter> counters = new EnumMap<>(Reason.class);
  private final Map<Reason, Moment> lastLogged = new EnumMap<>(Reason.class);

  RefusedRequests(MeterRegistry meters) {
    for (Reason reason : Reason.values()) {
      counters.put(reason, Meters.MANAGEMENT_REFUSED.counter(meters, reason.tag()));
    }
  }

  /** Refuses a request, and closes its connection. */
  void refuse(RoutingContext routing, int status, Reason reason, String sentence) {
    record(reason, sentence);
    routing
        .response()
        .setStatusCode(status)
        .putHeader(HttpHeaders.CONTENT_TYPE, "text/plain; charset=utf-8")
        .putHeader(HttpHeaders.CONNECTION, "close")
        .end(sentence + "\n");
    if (!routing.request().isEnded()) {
      routing.request().resume();
    }
    routing.vertx().setTimer(CLOSE_DELAY_MILLIS, timer -> routing.request().connection().close());
  }

  /** Counts a refusal; logs one line a minute for each reason. */
  void record(Reason reason, String sentence) {
    Objects.requireNonNull(counters.get(reason)).increment();
    Moment now = Moment.now();
    synchronized (lastLogged) {
      Moment last = lastLogged.get(reason);
      if (last != null && now.since(last).compareTo(LOG_INTERVAL) < 0) {
        return;
      }
      lastLogged.put(reason, now);
    }
    LOG.warn("Request to the management port refused: {}", LogText.abbreviate(sentence));
  }
}
