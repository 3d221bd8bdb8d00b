// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All meters, with their public names and tags. A name is an interface: dashboards and alerts
 * depend on it. Names of the older ari-proxy are unchanged.
 */
public enum Meters {
  STATE(
      Kind.GAUGE,
      "ari-proxy.state",
      "1 for the current state of the proxy, 0 for the others",
      "state"),
  THREADS_ENDED(
      Kind.GAUGE,
      "ari-proxy.threads.ended",
      "Kinds of threads that have ended although the proxy needs them"),

  EVENTS(
      Kind.COUNTER,
      "ari-proxy.events",
      "Events received from Asterisk",
      "eventType",
      "resourceType"),
  EVENTS_PUBLISHED(
      Kind.COUNTER,
      "ari-proxy.events.published",
      "Events acknowledged by Kafka, including unmapped ones"),
  EVENTS_UNMAPPED(Kind.COUNTER, "ari-proxy.events.unmapped", "Events without a call context"),
  EVENTS_LONG_IDS(
      Kind.COUNTER,
      "ari-proxy.events.long-ids",
      "Events with an id or call context of more than 4,096 characters, which is ignored"),
  EVENTS_IGNORED_IDS(
      Kind.COUNTER,
      "ari-proxy.events.ignored-ids",
      "Ids ignored because one event lists more than 10,000 channels in bridges"),
  EVENTS_BLOCKED(
      Kind.GAUGE,
      Unit.SECONDS,
      "ari-proxy.events.blocked",
      "Time for which all events wait for a step of a route, if at least 4 s"),
  STEPS_FAILED(
      Kind.COUNTER,
      "ari-proxy.steps.failed",
      "Messages that have failed in a step that is not part of the shipped routes, and copies that it could not send",
      "route",
      "step"),
  STEPS_COPIES_DISCARDED(
      Kind.COUNTER,
      "ari-proxy.steps.copies-discarded",
      "Copies that an option of their queue has discarded, such as discardWhenFull",
      "route",
      "step"),
  STEPS_LINES_SUPPRESSED(
      Kind.COUNTER,
      "ari-proxy.steps.lines-suppressed",
      "Lines that a log step has not written, since it writes 10 a second",
      "route",
      "step"),
  EVENTS_INTERNAL(
      Kind.COUNTER,
      "ari-proxy.events.internal",
      "Events that concern only the proxy and are not published"),
  EVENTS_MALFORMED(
      Kind.COUNTER,
      "ari-proxy.events.malformed",
      "Websocket messages that are not valid ARI events"),
  EVENTS_SYNTHESIZED(
      Kind.COUNTER, "ari-proxy.events.synthesized", "Synthetic events published by resync"),
  EVENTS_DUPLICATES(
      Kind.COUNTER,
      "ari-proxy.events.duplicates",
      "Asterisk events suppressed as duplicates of a synthetic event"),
  EVENTS_DROPPED(Kind.COUNTER, "ari-proxy.events.dropped", "Events dropped by an edited route"),
  EVENTS_LOST(
      Kind.COUNTER,
      "ari-proxy.events.lost",
      "Events that Kafka has rejected or that a shutdown discarded"),
  EVENTS_LATENCY(
      Kind.TIMER,
      "ari-proxy.events.latency",
      "Time from an event's timestamp to Kafka's acknowledgement"),

  WEBSOCKET_CONNECTED(
      Kind.GAUGE, "ari-proxy.websocket.connected", "1 while events can arrive, otherwise 0"),
  APPLICATIONS_LOST(
      Kind.GAUGE,
      "ari-proxy.applications.lost",
      "Stasis applications that another client has taken over, while others continue"),
  WEBSOCKET_RECONNECTS(
      Kind.COUNTER, "ari-proxy.websocket.reconnects", "Number of times the websocket was reopened"),
  WEBSOCKET_DOWNTIME(
      Kind.COUNTER,
      Unit.SECONDS,
      "ari-proxy.websocket.downtime",
      "Time without a websocket since it first opened"),
  WEBSOCKET_MESSAGES_LOST(
      Kind.COUNTER,
      "ari-proxy.websocket.messages.lost",
      "Websocket messages that did not reach a route: too large, or discarded by a forced stop"),
  BUFFER_BYTES(
      Kind.GAUGE, Unit.BYTES, "ari-proxy.websocket.buffer.bytes", "Bytes of buffered events"),
  BUFFER_LIMIT(
      Kind.GAUGE,
      "ari-proxy.websocket.buffer.limit",
      "Bytes at which the proxy stops reading from the websocket"),
  BUFFER_MESSAGES(Kind.GAUGE, "ari-proxy.websocket.buffer.messages", "Buffered events"),
  RESYNC_CHANNELS_DISCOVERED(
      Kind.COUNTER,
      "ari-proxy.resync.channels.discovered",
      "Channels that entered Stasis during a gap and were discovered by resync"),
  RESYNC_FAILURES(
      Kind.COUNTER,
      "ari-proxy.resync.failures",
      "Attempts of a resync after which resources were not compared with Asterisk"),
  RESYNC_PENDING(
      Kind.GAUGE,
      "ari-proxy.resync.pending",
      "Resources and lists that Asterisk has not described since the connect; at least one since a resync failed"),
  RESYNC_UNDESCRIBABLE(
      Kind.GAUGE,
      "ari-proxy.resync.undescribable",
      "Resources that Asterisk fails to describe, such as a channel with an extension that is not UTF-8"),

  OUTGOING_REQUESTS(
      Kind.COUNTER, "ari-proxy.outgoing.requests", "Requests to ARI", "method", "path"),
  OUTGOING_REQUESTS_ERRORS(
      Kind.COUNTER,
      "ari-proxy.outgoing.requests.errors",
      "Requests to ARI with a 4xx or 5xx response, or without a response",
      "method",
      "path",
      "error"),
  OUTGOING_REQUESTS_DURATION(
      Kind.TIMER,
      "ari-proxy.outgoing.requests.duration",
      "Time from a request to ARI to the head of its response",
      "method",
      "path"),

  CONNECTIONS_REFUSED(
      Kind.COUNTER,
      "ari-proxy.connections.refused",
      "Connections for requests that Asterisk closed without a response, as it does at its sessionlimit"),
  RESPONSES(
      Kind.COUNTER, "ari-proxy.responses", "RESPONSEs acknowledged by Kafka", "outcome", "status"),
  RESPONSE_BUFFER_BYTES(
      Kind.GAUGE,
      Unit.BYTES,
      "ari-proxy.responses.buffer.bytes",
      "Heap used by large responses of Asterisk that are not yet in flight to Kafka"),
  RESPONSE_BUFFER_LIMIT(
      Kind.GAUGE,
      "ari-proxy.responses.buffer.limit",
      "Heap for large responses of Asterisk before others wait in their sockets"),
  COMMANDS_COMPLETED(
      Kind.COUNTER, "ari-proxy.commands.completed", "Commands with an acknowledged RESPONSE"),
  RESPONSES_LOST(Kind.COUNTER, "ari-proxy.responses.lost", "RESPONSEs that Kafka has rejected"),
  COMMANDS_RELEASED(
      Kind.COUNTER, "ari-proxy.commands.released", "Commands released to another consumer"),
  COMMANDS_SKIPPED(
      Kind.COUNTER,
      "ari-proxy.commands.skipped",
      "Commands neither executed nor answered: older than the start of a new group, deleted by Kafka"
          + " before they were consumed, or unreadable and skipped by an operator",
      "reason"),
  COMMANDS_UNREADABLE(
      Kind.GAUGE,
      "ari-proxy.commands.unreadable",
      "Partitions whose next command cannot be read, so that their commands wait"),
  COMMANDS_IN_FLIGHT(Kind.GAUGE, "ari-proxy.commands.in-flight", "Commands being executed"),
  COMMANDS_HANGING(
      Kind.GAUGE,
      "ari-proxy.commands.hanging",
      "Commands that wait for Asterisk for longer than a tenth of ari.response-timeout"),
  COMMANDS_BLOCKED(
      Kind.GAUGE,
      Unit.SECONDS,
      "ari-proxy.commands.blocked",
      "Time for which a command has been in a step that is not part of the shipped routes, if at least 4 s"),
  COMMANDS_OLDEST(
      Kind.GAUGE,
      Unit.SECONDS,
      "ari-proxy.commands.oldest",
      "Age of the oldest of these commands; 0 without one"),
  COMMANDS_POLL_AGE(
      Kind.GAUGE,
      Unit.SECONDS,
      "ari-proxy.commands.poll.age",
      "Time since commands were last polled from Kafka, of the consumer that is late; NaN while this proxy is not consuming"),
  COMMANDS_QUEUED(
      Kind.GAUGE,
      "ari-proxy.commands.queued",
      "Commands waiting for an earlier one of their call, or for a free slot"),
  COMMANDS_LAG(
      Kind.GAUGE,
      "ari-proxy.commands.lag",
      "Commands on the topics that have not been consumed; NaN while this proxy is not consuming"),
  COMMANDS_PAUSED(
      Kind.GAUGE,
      "ari-proxy.commands.paused",
      "1 while commands are paused by an operator, otherwise 0"),

  CALL_CONTEXTS(Kind.GAUGE, "ari-proxy.call-contexts", "Calls with at least one live resource"),
  RESOURCES(Kind.GAUGE, "ari-proxy.resources", "Resources with a mapping"),
  RESOURCES_BYTES(
      Kind.GAUGE,
      Unit.BYTES,
      "ari-proxy.resources.bytes",
      "Heap of the mappings, and of their changes not yet written to the call-context store"),
  RESOURCES_LIMIT(
      Kind.GAUGE,
      "ari-proxy.resources.limit",
      "Heap for mappings, an eighth of that beyond 48MB; at this limit, new resources are not mapped"),
  RESOURCES_REFUSED(
      Kind.COUNTER,
      "ari-proxy.resources.refused",
      "Mappings that were not created or changed because of that limit"),
  COMPARISON_MAPPINGS_ENDED(
      Kind.COUNTER,
      "ari-proxy.comparison.mappings.ended",
      "Mappings ended by a comparison with Asterisk, since their resources ended without an event"),
  CACHE_READ_ATTEMPTS(
      Kind.COUNTER, "ari-proxy.cache.read.attempts", "Lookups of a resource's call context"),
  CACHE_READ_MISSES(
      Kind.COUNTER, "ari-proxy.cache.read.misses", "Lookups of a resource without a mapping"),
  CACHE_READ_ERRORS(
      Kind.COUNTER,
      "ari-proxy.cache.read.errors",
      "Failed lookups: always 0, since all mappings are in memory"),
  STORE_READ_ERRORS(
      Kind.COUNTER,
      "ari-proxy.persistence.read.errors",
      "Failed attempts to read the call-context store"),
  STORE_WRITE_ERRORS(
      Kind.COUNTER,
      "ari-proxy.persistence.write.errors",
      "Failed attempts to write to the call-context store"),
  STORE_REJECTED(
      Kind.COUNTER,
      "ari-proxy.persistence.rejected",
      "Mappings that the call-context store can never accept, so that they are only in memory"),
  STORE_WRITE_DURATION(
      Kind.TIMER,
      "ari-proxy.persistence.write.duration",
      "Time to write one batch to the call-context store"),
  STORE_PENDING(
      Kind.GAUGE,
      "ari-proxy.persistence.pending",
      "Changes not yet written to the call-context store"),

  KAFKA_IN_FLIGHT_BYTES(
      Kind.GAUGE,
      Unit.BYTES,
      "ari-proxy.kafka.in-flight.bytes",
      "Heap used by records in flight to Kafka"),
  KAFKA_IN_FLIGHT_LIMIT(
      Kind.GAUGE,
      "ari-proxy.kafka.in-flight.limit",
      "Heap for records in flight to Kafka before events and commands wait"),
  KAFKA_ACK_STALLED(
      Kind.GAUGE,
      Unit.SECONDS,
      "ari-proxy.kafka.ack.stalled",
      "Time for which Kafka has not acknowledged the oldest record in flight"),
  KAFKA_HEADERS_DROPPED(
      Kind.COUNTER,
      "ari-proxy.kafka.headers-dropped",
      "Records published without their headers, which steps of authors had made too large"),
  KAFKA_PRODUCERS_REPLACED(
      Kind.COUNTER,
      "ari-proxy.kafka.producers.replaced",
      "Producers replaced because they no longer published"),

  ROUTE_FILES_REJECTED(
      Kind.GAUGE,
      "ari-proxy.route-files.rejected",
      "Route files whose content is not in effect, since it does not load"),
  PROCESSOR_RESTARTS(
      Kind.COUNTER,
      "ari-proxy.processor.restarts",
      "Route restarts: after an edit, manually or by a policy",
      "processorType"),
  MANAGEMENT_REFUSED(
      Kind.COUNTER,
      "ari-proxy.management.refused",
      "Requests and connections that the management port has refused",
      "reason"),
  PROBE_AGE(
      Kind.GAUGE,
      Unit.SECONDS,
      "ari-proxy.probe.age",
      "Time since the last result of the check of a dependency",
      "backing_service"),
  HEALTH(
      Kind.GAUGE,
      "ari-proxy.health",
      "1 while the health check is UP, 0 while it is DOWN",
      "check"),
  BACKING_SERVICE_AVAILABILITY(
      Kind.GAUGE,
      "backing_service.availability",
      "1 while the dependency is available, otherwise 0",
      "backing_service");

  /**
   * Histogram buckets: fine-grained where calls are affected, coarse beyond the alert thresholds.
   */
  private static final Duration[] HISTOGRAM_BUCKETS =
      List.of(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000)
          .stream()
          .map(Duration::ofMillis)
          .toArray(Duration[]::new);

  private static final Logger LOG = LoggerFactory.getLogger(Meters.class);

  private final Kind kind;
  private final Unit unit;
  private final String meterName;
  private final String description;
  private final List<String> tags;

  /** Type of a meter. */
  public enum Kind {
    /** Number of occurrences. */
    COUNTER,
    /** Current value. */
    GAUGE,
    /** Durations, as a histogram. */
    TIMER
  }

  /** Micrometer's base unit, which Prometheus appends to the name of a counter or gauge. */
  public enum Unit {
    NONE(null),
    SECONDS("seconds"),
    BYTES("bytes");

    private final @Nullable String baseUnit;

    Unit(@Nullable String baseUnit) {
      this.baseUnit = baseUnit;
    }
  }

  Meters(Kind kind, String meterName, String description, String... tags) {
    this(kind, Unit.NONE, meterName, description, tags);
  }

  Meters(Kind kind, Unit unit, String meterName, String description, String... tags) {
    this.kind = kind;
    this.unit = unit;
    this.meterName = meterName;
    this.description = description;
    this.tags = List.of(tags);
  }

  /** Type of the meter. */
  public Kind kind() {
    return kind;
  }

  /** Public name. */
  public String meterName() {
    return meterName;
  }

  /** Measured quantity, as a phrase. */
  public String description() {
    return description;
  }

  /** The base unit of a counter or gauge; null if it has none. Timers are always in seconds. */
  public @Nullable String baseUnit() {
    return unit.baseUnit;
  }

  /** Tag names. */
  public List<String> tags() {
    return tags;
  }

  /**
   * Returns the counter in a registry. Cache it: the lookup is too slow for each message.
   *
   * @param tagValues in the order of the tags
   */
  public Counter counter(MeterRegistry registry, String... tagValues) {
    return Counter.builder(meterName)
        .description(description)
        .baseUnit(unit.baseUnit)
        .tags(toTags(Kind.COUNTER, tagValues))
        .register(registry);
  }

  /**
   * Registers a counter whose total is maintained elsewhere. A total that decreases or cannot be
   * computed is reported as the previous one, since one invalid counter would fail the whole
   * scrape.
   *
   * @param total never decreases; the registry holds only a weak reference
   */
  public void functionCounter(MeterRegistry registry, Supplier<Number> total) {
    AtomicReference<Double> last = new AtomicReference<>(0.0);
    FunctionCounter.builder(
            meterName, total, supplier -> last.accumulateAndGet(valueOrZero(supplier), Math::max))
        .description(description)
        .baseUnit(unit.baseUnit)
        .tags(toTags(Kind.COUNTER))
        .register(registry);
  }

  /**
   * Returns the timer in a registry. Cache it: the lookup is too slow for each message.
   *
   * @param tagValues in the order of the tags
   */
  public Timer timer(MeterRegistry registry, String... tagValues) {
    return Timer.builder(meterName)
        .description(description)
        .tags(toTags(Kind.TIMER, tagValues))
        .serviceLevelObjectives(HISTOGRAM_BUCKETS)
        .register(registry);
  }

  /**
   * Registers a gauge.
   *
   * @param value read on each scrape
   * @param tagValues in the order of the tags
   */
  public void gauge(MeterRegistry registry, Supplier<Number> value, String... tagValues) {
    Gauge.builder(meterName, value)
        .description(description)
        .baseUnit(unit.baseUnit)
        .tags(toTags(Kind.GAUGE, tagValues))
        .strongReference(true)
        .register(registry);
  }

  private double valueOrZero(Supplier<Number> total) {
    try {
      double value = total.get().doubleValue();
      return Double.isNaN(value) ? 0 : value;
    } catch (RuntimeException e) {
      LOG.warn("Cannot read {}: {}", meterName, e.toString());
      return 0;
    }
  }

  private Tags toTags(Kind expectedKind, String... values) {
    if (kind != expectedKind || values.length != tags.size()) {
      throw new IllegalArgumentException(
          meterName + " is a " + kind + " with exactly the tags " + tags);
    }
    List<Tag> result = new ArrayList<>(values.length);
    for (int i = 0; i < values.length; i++) {
      result.add(Tag.of(tags.get(i), values[i]));
    }
    return Tags.of(result);
  }
}
