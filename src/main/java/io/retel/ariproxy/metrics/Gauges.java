package io.retel.ariproxy.metrics;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.component.ahcws.WebSocketStatus;
import io.retel.ariproxy.component.lanes.LanesComponent;
import io.retel.ariproxy.kafka.BoundInFlight;
import io.retel.ariproxy.kafka.ProxyKafkaClients;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * Lets meters read what the proxy's parts know anyway: it is asked at each scrape only.
 *
 * <p>To be kept as long as the meters are: a counter that reads holds on to nothing itself.
 */
public final class Gauges {

  private final MeterRegistry meters;
  private final List<Supplier<Number>> read = new ArrayList<>();

  public Gauges(MeterRegistry meters) {
    this.meters = meters;
  }

  /**
   * The websockets and their buffers; there is one, but while a route that names another address is
   * exchanged.
   */
  public Gauges websocket(Supplier<List<WebSocketStatus>> status) {
    Meters.WEBSOCKET_CONNECTED.gauge(
        meters,
        () -> {
          List<WebSocketStatus> all = status.get();
          return !all.isEmpty() && all.stream().allMatch(WebSocketStatus::connected) ? 1 : 0;
        });
    counts(Meters.WEBSOCKET_RECONNECTS, sum(status, WebSocketStatus::reconnects));
    counts(Meters.WEBSOCKET_GAP_SECONDS, sum(status, s -> s.gaps().toMillis() / 1_000.0));
    Meters.BUFFER_BYTES.gauge(meters, sum(status, WebSocketStatus::bufferedBytes));
    Meters.BUFFER_LIMIT.gauge(meters, sum(status, WebSocketStatus::bufferLimit));
    Meters.BUFFER_MESSAGES.gauge(meters, sum(status, WebSocketStatus::bufferedMessages));
    return this;
  }

  private void counts(Meters meter, Supplier<Number> total) {
    read.add(total);
    meter.counts(meters, total);
  }

  private static Supplier<Number> sum(
      Supplier<List<WebSocketStatus>> status, ToDoubleFunction<WebSocketStatus> of) {
    return () -> status.get().stream().mapToDouble(of).sum();
  }

  /**
   * The commands that are in this process, and those that are not yet.
   *
   * @param paused whether an operator has paused them
   */
  public Gauges commands(
      LanesComponent lanes, ProxyKafkaClients kafkaClients, BooleanSupplier paused) {
    Meters.COMMANDS_UNDER_WAY.gauge(meters, lanes::leased);
    Meters.COMMANDS_WAITING.gauge(meters, lanes::waiting);
    Meters.COMMANDS_LAG.gauge(meters, kafkaClients::lag);
    Meters.COMMANDS_PAUSED.gauge(meters, () -> paused.getAsBoolean() ? 1 : 0);
    return this;
  }

  /** What is remembered of calls, and what of it is not written yet. */
  public Gauges callContexts(CallContexts callContexts, WriteBehind store) {
    Meters.CALL_CONTEXTS.gauge(meters, () -> callContexts.livingCallContexts().size());
    Meters.RESOURCES.gauge(meters, callContexts::size);
    counts(Meters.CACHE_READ_ATTEMPTS, callContexts::lookUps);
    counts(Meters.CACHE_READ_MISSES, callContexts::misses);
    Meters.CACHE_READ_ERRORS.in(meters);
    Meters.STORE_WAITING.gauge(meters, store::waiting);
    return this;
  }

  /** What is on its way to Kafka. */
  public Gauges kafka(BoundInFlight inFlight) {
    Meters.HEAP_IN_FLIGHT.gauge(meters, inFlight::taken);
    Meters.HEAP_LIMIT.gauge(meters, inFlight::limit);
    Meters.KAFKA_SILENT_SECONDS.gauge(meters, () -> inFlight.silence().toSeconds());
    return this;
  }
}
