// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.text.LogText;
import io.retel.ariproxy.time.Moment;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.net.impl.ConnectionBase;
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
    MALFORMED,
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

  /**
   * Refuses a request, and closes its connection. Further requests on it are discarded.
   *
   * @param sentence the reason, which quotes only the start of a foreign text
   */
  void refuse(RoutingContext routing, int status, Reason reason, String sentence) {
    record(reason, sentence);
    HttpConnection connection = routing.request().connection();
    if (connection instanceof ConnectionBase base) {
      discardFurtherRequests(base.channelHandlerContext());
    }
    routing
        .response()
        .setStatusCode(status)
        .putHeader(HttpHeaders.CONTENT_TYPE, "text/plain; charset=utf-8")
        .putHeader(HttpHeaders.CONNECTION, "close")
        .end(sentence + "\n");
    if (!routing.request().isEnded()) {
      routing.request().resume();
    }
    routing.vertx().setTimer(CLOSE_DELAY_MILLIS, timer -> abort(connection));
  }

  /** Otherwise each would get a response; and Vert.x fails to close a connection with one in it. */
  private static void discardFurtherRequests(ChannelHandlerContext vertx) {
    if (vertx.pipeline().get(Discard.class) == null) {
      vertx.pipeline().addBefore(vertx.name(), null, new Discard());
    }
  }

  private static final class Discard extends ChannelInboundHandlerAdapter {

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ReferenceCountUtil.release(message);
    }
  }

  /** Closes a connection without the wait of Vert.x until the client has read its responses. */
  static void abort(HttpConnection connection) {
    if (connection instanceof ConnectionBase base) {
      // channel().close() would wait as well
      base.channelHandlerContext().close();
    } else {
      connection.close();
    }
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
