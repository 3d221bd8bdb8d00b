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
import java.util.function.Supplier;

/**
 * All that is measured, with its public name and its tags. A meter's name is an interface:
 * dashboards and alerts hang on it. Those of the ari-proxy in the field keep theirs.
 */
public enum Meters {
  EVENTS(
      Kind.COUNTER,
      "ari-proxy.events",
      "Events that Asterisk has sent",
      "eventType",
      "resourceType"),
  EVENTS_PUBLISHED(
      Kind.COUNTER,
      "ari-proxy.events.published",
      "Events that Kafka has acknowledged, unmapped ones included"),
  EVENTS_UNMAPPED(Kind.COUNTER, "ari-proxy.events.unmapped", "Events that belong to no known call"),
  EVENTS_KEPT(
      Kind.COUNTER,
      "ari-proxy.events.kept",
      "Events that are for the proxy and no call-controller"),
  EVENTS_UNREADABLE(
      Kind.COUNTER, "ari-proxy.events.unreadable", "Websocket messages that are no ARI events"),
  EVENTS_SYNTHESIZED(
      Kind.COUNTER,
      "ari-proxy.events.synthesized",
      "Events that were missed and that this proxy has made up for"),
  EVENTS_TOLD_BEFORE(
      Kind.COUNTER,
      "ari-proxy.events.told-before",
      "Events that came after all when they had been made up for already"),
  EVENTS_DROPPED(Kind.COUNTER, "ari-proxy.events.dropped", "Events that an edited route drops"),
  EVENTS_LOST(Kind.COUNTER, "ari-proxy.events.lost", "Events that Kafka will never take"),
  EVENTS_DELAY(
      Kind.TIMER,
      "ari-proxy.events.delay",
      "From Asterisk's timestamp of an event to Kafka's acknowledgement"),

  WEBSOCKET_CONNECTED(
      Kind.GAUGE, "ari-proxy.websocket.connected", "1 while events can arrive, else 0"),
  WEBSOCKET_RECONNECTS(
      Kind.COUNTER, "ari-proxy.websocket.reconnects", "Times that the websocket was opened again"),
  WEBSOCKET_GAP_SECONDS(
      Kind.COUNTER,
      "ari-proxy.websocket.gap-seconds",
      "Seconds without a websocket since it was first open"),
  BUFFER_BYTES(
      Kind.GAUGE, "ari-proxy.websocket.buffer.bytes", "Bytes of events that wait to be handled"),
  BUFFER_LIMIT(
      Kind.GAUGE,
      "ari-proxy.websocket.buffer.limit",
      "Bytes from which on the websocket is no longer read"),
  BUFFER_MESSAGES(
      Kind.GAUGE, "ari-proxy.websocket.buffer.messages", "Events that wait to be handled"),
  CHANNELS_FOUND(
      Kind.COUNTER,
      "ari-proxy.channels.found",
      "Channels that were in Stasis before the websocket was open"),
  CHANNELS_NOT_TOLD(
      Kind.COUNTER,
      "ari-proxy.channels.not-told",
      "Connects at which Asterisk did not tell its channels"),

  OUTGOING_REQUESTS(
      Kind.COUNTER, "ari-proxy.outgoing.requests", "Requests to ARI", "method", "path"),
  OUTGOING_REQUESTS_ERRORS(
      Kind.COUNTER,
      "ari-proxy.outgoing.requests.errors",
      "Requests to ARI that were answered 4xx or 5xx, or not at all",
      "method",
      "path",
      "error"),
  OUTGOING_REQUESTS_DURATION(
      Kind.TIMER,
      "ari-proxy.outgoing.requests.duration",
      "From a request to ARI to the head of its answer",
      "method",
      "path"),

  RESPONSES(
      Kind.COUNTER,
      "ari-proxy.responses",
      "RESPONSEs that Kafka has acknowledged",
      "outcome",
      "status"),
  COMMANDS_ANSWERED(
      Kind.COUNTER,
      "ari-proxy.commands.answered",
      "Commands whose RESPONSE Kafka has acknowledged"),
  COMMANDS_UNANSWERED(
      Kind.COUNTER,
      "ari-proxy.commands.unanswered",
      "Commands whose RESPONSE Kafka will never take"),
  COMMANDS_LEFT(
      Kind.COUNTER,
      "ari-proxy.commands.left",
      "Commands that were read and are left to another reader"),
  COMMANDS_UNDER_WAY(
      Kind.GAUGE, "ari-proxy.commands.under-way", "Commands that are being carried out"),
  COMMANDS_WAITING(
      Kind.GAUGE,
      "ari-proxy.commands.waiting",
      "Commands that were read and wait for the one before them, or for a free place"),
  COMMANDS_LAG(
      Kind.GAUGE,
      "ari-proxy.commands.lag",
      "Commands on the topics that have not been read; NaN while this proxy does not read them"),
  COMMANDS_PAUSED(
      Kind.GAUGE, "ari-proxy.commands.paused", "1 while an operator has paused commands, else 0"),

  CALL_CONTEXTS(
      Kind.GAUGE, "ari-proxy.call-contexts", "Calls of which a resource is thought to be there"),
  RESOURCES(Kind.GAUGE, "ari-proxy.resources", "Resources that are remembered"),
  CACHE_READ_ATTEMPTS(
      Kind.COUNTER, "ari-proxy.cache.read.attempts", "Look-ups of a resource's call context"),
  CACHE_READ_MISSES(
      Kind.COUNTER,
      "ari-proxy.cache.read.misses",
      "Look-ups of a resource whose call context is not known"),
  CACHE_READ_ERRORS(
      Kind.COUNTER,
      "ari-proxy.cache.read.errors",
      "Look-ups that failed: always 0, all call contexts are in memory"),
  STORE_READ_ERRORS(
      Kind.COUNTER,
      "ari-proxy.persistence.read.errors",
      "Tries to read the call-context store that failed"),
  STORE_WRITE_ERRORS(
      Kind.COUNTER,
      "ari-proxy.persistence.write.errors",
      "Tries to write to the call-context store that failed"),
  STORE_WRITE_DURATION(
      Kind.TIMER,
      "ari-proxy.persistence.write.duration",
      "Writing one batch to the call-context store"),
  STORE_WAITING(
      Kind.GAUGE,
      "ari-proxy.persistence.waiting",
      "Changes that wait to be written to the call-context store"),

  HEAP_IN_FLIGHT(
      Kind.GAUGE, "ari-proxy.kafka.heap-in-flight", "Bytes of heap that are on their way to Kafka"),
  HEAP_LIMIT(
      Kind.GAUGE,
      "ari-proxy.kafka.heap-limit",
      "Bytes of heap that may be on their way to Kafka before events and commands wait"),
  KAFKA_SILENT_SECONDS(
      Kind.GAUGE,
      "ari-proxy.kafka.silent-seconds",
      "Seconds for which messages have waited without Kafka acknowledging any"),

  PROCESSOR_RESTARTS(
      Kind.COUNTER,
      "ari-proxy.processor.restarts",
      "Times that a route was started again: after an edit, by hand or by its policy",
      "processorType"),
  BACKING_SERVICE_AVAILABILITY(
      Kind.GAUGE,
      "backing_service.availability",
      "1 while what the proxy depends on can be used, else 0",
      "backing_service");

  /** Fine where calls feel it, coarse where somebody is woken anyway. */
  private static final Duration[] BUCKETS =
      List.of(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000)
          .stream()
          .map(Duration::ofMillis)
          .toArray(Duration[]::new);

  private final Kind kind;
  private final String meterName;
  private final String description;
  private final List<String> tags;

  /** What a meter tells. */
  public enum Kind {
    /** How often something has happened. */
    COUNTER,
    /** How something is now. */
    GAUGE,
    /** How long something took, as a histogram. */
    TIMER
  }

  Meters(Kind kind, String meterName, String description, String... tags) {
    this.kind = kind;
    this.meterName = meterName;
    this.description = description;
    this.tags = List.of(tags);
  }

  /** What it tells. */
  public Kind kind() {
    return kind;
  }

  /** Its public name. */
  public String meterName() {
    return meterName;
  }

  /** What it measures, in a phrase. */
  public String description() {
    return description;
  }

  /** The names of its tags. */
  public List<String> tags() {
    return tags;
  }

  /**
   * Its counter in a registry. Not for each message: hold on to it.
   *
   * @param tagValues in the order of the tags
   */
  public Counter in(MeterRegistry registry, String... tagValues) {
    return Counter.builder(meterName)
        .description(description)
        .tags(tagged(Kind.COUNTER, tagValues))
        .register(registry);
  }

  /**
   * Makes a counter in a registry of what is counted elsewhere.
   *
   * @param total never decreases; the registry's reference to it is a weak one
   */
  public void counts(MeterRegistry registry, Supplier<Number> total) {
    FunctionCounter.builder(meterName, total, counted -> counted.get().doubleValue())
        .description(description)
        .tags(tagged(Kind.COUNTER))
        .register(registry);
  }

  /**
   * Its timer in a registry. Not for each message: hold on to it.
   *
   * @param tagValues in the order of the tags
   */
  public Timer timer(MeterRegistry registry, String... tagValues) {
    return Timer.builder(meterName)
        .description(description)
        .tags(tagged(Kind.TIMER, tagValues))
        .serviceLevelObjectives(BUCKETS)
        .register(registry);
  }

  /**
   * Makes it a gauge in a registry.
   *
   * @param value asked at each scrape
   * @param tagValues in the order of the tags
   */
  public void gauge(MeterRegistry registry, Supplier<Number> value, String... tagValues) {
    Gauge.builder(meterName, value)
        .description(description)
        .tags(tagged(Kind.GAUGE, tagValues))
        .strongReference(true)
        .register(registry);
  }

  private Tags tagged(Kind wanted, String... values) {
    if (kind != wanted || values.length != tags.size()) {
      throw new IllegalArgumentException(
          meterName + " is a " + kind + " with the tags " + tags + ", and none else");
    }
    List<Tag> tagged = new ArrayList<>(values.length);
    for (int i = 0; i < values.length; i++) {
      tagged.add(Tag.of(tags.get(i), values[i]));
    }
    return Tags.of(tagged);
  }
}
