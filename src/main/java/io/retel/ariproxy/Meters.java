package io.retel.ariproxy;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.function.Supplier;

/**
 * All that is counted, with its public name. A meter's name is an interface: dashboards hang on it.
 */
public enum Meters {
  EVENTS_PUBLISHED(
      "ari-proxy.events.published", "Events that Kafka has acknowledged, unmapped ones included"),
  EVENTS_UNMAPPED("ari-proxy.events.unmapped", "Events that belong to no known call"),
  EVENTS_KEPT("ari-proxy.events.kept", "Events that are for the proxy and no call-controller"),
  EVENTS_UNREADABLE("ari-proxy.events.unreadable", "Websocket messages that are no ARI events"),
  EVENTS_SYNTHESIZED(
      "ari-proxy.events.synthesized",
      "Events that were missed and that this proxy has made up for"),
  EVENTS_TOLD_BEFORE(
      "ari-proxy.events.told-before",
      "Events that came after all when they had been made up for already"),
  EVENTS_DROPPED("ari-proxy.events.dropped", "Events that an edited route drops"),
  EVENTS_LOST("ari-proxy.events.lost", "Events that Kafka will never take"),
  CHANNELS_FOUND(
      "ari-proxy.channels.found", "Channels that were in Stasis before the websocket was open"),
  CHANNELS_NOT_TOLD(
      "ari-proxy.channels.not-told", "Connects at which Asterisk did not tell its channels"),
  HEAP_IN_FLIGHT("ari-proxy.kafka.heap-in-flight", "Bytes of heap that are on their way to Kafka"),
  KAFKA_SILENT_SECONDS(
      "ari-proxy.kafka.silent-seconds",
      "Seconds for which messages have waited without Kafka acknowledging any"),
  STORE_WAITING(
      "ari-proxy.persistence.waiting", "Changes that wait to be written to the call-context store"),
  STORE_READ_ERRORS(
      "ari-proxy.persistence.read.errors", "Tries to read the call-context store that failed"),
  STORE_WRITE_ERRORS(
      "ari-proxy.persistence.write.errors", "Tries to write to the call-context store that failed"),
  COMMANDS_ANSWERED(
      "ari-proxy.commands.answered", "Commands whose RESPONSE Kafka has acknowledged"),
  COMMANDS_UNANSWERED(
      "ari-proxy.commands.unanswered", "Commands whose RESPONSE Kafka will never take"),
  COMMANDS_REPEATED(
      "ari-proxy.commands.repeated", "Commands that were answered before, and are answered again"),
  COMMANDS_LEFT(
      "ari-proxy.commands.left", "Commands that were read and are left to another reader"),
  COMMANDS_REJECTED(
      "ari-proxy.commands.rejected",
      "Commands that are wrong, not allowed or too old: 400, 403, 410, 413"),
  COMMANDS_NOT_SENT("ari-proxy.commands.not-sent", "Commands that did not reach Asterisk: 503"),
  COMMANDS_UNKNOWN("ari-proxy.commands.unknown", "Commands to which Asterisk gave no answer: 504"),
  COMMANDS_TOO_LARGE(
      "ari-proxy.commands.too-large", "Commands whose answer is larger than Kafka takes: 413");

  private final String meterName;
  private final String description;

  Meters(String meterName, String description) {
    this.meterName = meterName;
    this.description = description;
  }

  /** Makes it a gauge in a registry. */
  void gauge(MeterRegistry registry, Supplier<Number> value) {
    Gauge.builder(meterName, value).description(description).register(registry);
  }

  /** Its counter in a registry. */
  public Counter in(MeterRegistry registry) {
    return Counter.builder(meterName).description(description).register(registry);
  }
}
