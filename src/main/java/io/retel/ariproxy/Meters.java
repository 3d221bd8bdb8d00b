package io.retel.ariproxy;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * All that is counted, with its public name. A meter's name is an interface: dashboards hang on it.
 */
public enum Meters {
  EVENTS_PUBLISHED(
      "ari-proxy.events.published", "Events that Kafka has acknowledged, unmapped ones included"),
  EVENTS_UNMAPPED("ari-proxy.events.unmapped", "Events that belong to no known call"),
  EVENTS_KEPT("ari-proxy.events.kept", "Events that are for the proxy and no call-controller"),
  EVENTS_UNREADABLE("ari-proxy.events.unreadable", "Websocket messages that are no ARI events"),
  EVENTS_LOST("ari-proxy.events.lost", "Events that Kafka will never take"),
  COMMANDS_ANSWERED(
      "ari-proxy.commands.answered", "Commands whose RESPONSE Kafka has acknowledged"),
  COMMANDS_UNANSWERED(
      "ari-proxy.commands.unanswered", "Commands whose RESPONSE Kafka will never take");

  private final String meterName;
  private final String description;

  Meters(String meterName, String description) {
    this.meterName = meterName;
    this.description = description;
  }

  /** Its counter in a registry. */
  public Counter in(MeterRegistry registry) {
    return Counter.builder(meterName).description(description).register(registry);
  }
}
