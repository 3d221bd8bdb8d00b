// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.command.HangingCommands;
import io.retel.ariproxy.command.LargeResponseLimiter;
import io.retel.ariproxy.component.ahcws.WebSocketStatus;
import io.retel.ariproxy.component.lanes.LanesComponent;
import io.retel.ariproxy.health.EssentialThreads;
import io.retel.ariproxy.kafka.InFlightLimiter;
import io.retel.ariproxy.kafka.ProxyKafkaClientFactory;
import io.retel.ariproxy.metrics.Meters;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * Gauges and counters that read other components' values on each scrape.
 *
 * <p>Must stay referenced while the meters exist: function counters hold only weak references.
 */
public final class Gauges {

  private final MeterRegistry meters;
  private final List<Supplier<Number>> strongReferences = new ArrayList<>();

  public Gauges(MeterRegistry meters) {
    this.meters = meters;
  }

  /** Binds one series per state. */
  Gauges bindState(Lifecycle lifecycle) {
    for (ProxyState state : ProxyState.values()) {
      Meters.STATE.gauge(meters, () -> lifecycle.state() == state ? 1 : 0, state.name());
    }
    return this;
  }

  /** Binds the number of kinds of threads that have ended. */
  Gauges bindThreads(EssentialThreads threads) {
    Meters.THREADS_ENDED.gauge(meters, () -> threads.ended().size());
    return this;
  }

  /**
   * Binds the websocket and its buffer; while a reload changes the address, the sum of both
   * websockets.
   *
   * @param lost number of messages that did not reach a route
   */
  public Gauges bindWebsocket(Supplier<List<WebSocketStatus>> statuses, Supplier<Number> lost) {
    Meters.WEBSOCKET_CONNECTED.gauge(
        meters,
        () -> {
          List<WebSocketStatus> current = statuses.get();
          return !current.isEmpty() && current.stream().allMatch(WebSocketStatus::connected)
              ? 1
              : 0;
        });
    bindCounter(Meters.WEBSOCKET_RECONNECTS, sum(statuses, WebSocketStatus::reconnects));
    bindCounter(
        Meters.WEBSOCKET_DOWNTIME, sum(statuses, status -> status.totalGap().toMillis() / 1_000.0));
    bindCounter(Meters.WEBSOCKET_MESSAGES_LOST, lost);
    Meters.BUFFER_BYTES.gauge(meters, sum(statuses, WebSocketStatus::bufferedBytes));
    Meters.BUFFER_LIMIT.gauge(meters, sum(statuses, WebSocketStatus::maxBufferedBytes));
    Meters.BUFFER_MESSAGES.gauge(meters, sum(statuses, WebSocketStatus::bufferedMessages));
    return this;
  }

  /** Binds the number of applications that another client has taken over. */
  Gauges bindApplications(StasisApplications applications) {
    Meters.APPLICATIONS_LOST.gauge(meters, () -> applications.lost().size());
    return this;
  }

  private void bindCounter(Meters meter, Supplier<Number> total) {
    strongReferences.add(total);
    meter.functionCounter(meters, total);
  }

  private static Supplier<Number> sum(
      Supplier<List<WebSocketStatus>> statuses, ToDoubleFunction<WebSocketStatus> value) {
    return () -> statuses.get().stream().mapToDouble(value).sum();
  }

  /**
   * Binds commands in this process and those still to be consumed.
   *
   * @param paused whether an operator has paused commands
   */
  public Gauges bindCommands(
      LanesComponent lanes,
      HangingCommands hanging,
      ProxyKafkaClientFactory kafkaClients,
      BooleanSupplier paused) {
    Meters.COMMANDS_IN_FLIGHT.gauge(meters, lanes::leased);
    Meters.COMMANDS_HANGING.gauge(meters, hanging::count);
    Meters.COMMANDS_OLDEST.gauge(meters, () -> hanging.oldest().toMillis() / 1_000.0);
    Meters.COMMANDS_POLL_AGE.gauge(meters, kafkaClients::pollAge);
    Meters.COMMANDS_QUEUED.gauge(meters, lanes::queued);
    Meters.COMMANDS_LAG.gauge(meters, kafkaClients::lag);
    Meters.COMMANDS_PAUSED.gauge(meters, () -> paused.getAsBoolean() ? 1 : 0);
    Meters.COMMANDS_UNREADABLE.gauge(meters, kafkaClients::unreadablePartitions);
    return this;
  }

  /** Binds the heap of large responses. */
  public Gauges bindLargeResponses(LargeResponseLimiter limiter) {
    Meters.RESPONSE_BUFFER_BYTES.gauge(meters, limiter::usedBytes);
    Meters.RESPONSE_BUFFER_LIMIT.gauge(meters, limiter::limit);
    return this;
  }

  /** Binds mappings, and changes not yet written to the store. */
  public Gauges bindCallContexts(CallContexts callContexts, WriteBehind store) {
    Meters.CALL_CONTEXTS.gauge(meters, callContexts::activeCalls);
    Meters.RESOURCES.gauge(meters, callContexts::size);
    Meters.RESOURCES_BYTES.gauge(meters, callContexts::heapBytes);
    Meters.RESOURCES_LIMIT.gauge(meters, callContexts::maxHeapBytes);
    bindCounter(Meters.RESOURCES_REFUSED, callContexts::refused);
    bindCounter(Meters.CACHE_READ_ATTEMPTS, callContexts::lookups);
    bindCounter(Meters.CACHE_READ_MISSES, callContexts::misses);
    Meters.CACHE_READ_ERRORS.counter(meters);
    Meters.STORE_PENDING.gauge(meters, store::pending);
    return this;
  }

  /** Binds records in flight to Kafka. */
  public Gauges bindKafka(InFlightLimiter inFlightLimiter) {
    Meters.KAFKA_IN_FLIGHT_BYTES.gauge(meters, inFlightLimiter::inFlightBytes);
    Meters.KAFKA_IN_FLIGHT_LIMIT.gauge(meters, inFlightLimiter::limit);
    Meters.KAFKA_ACK_STALLED.gauge(meters, () -> inFlightLimiter.stall().toSeconds());
    return this;
  }
}
