// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import io.retel.ariproxy.ari.MalformedEventException;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.model.RouteConfigurationDefinition;

/**
 * Route configuration that counts and logs every failed event. Only the Kafka producer retries, so
 * there is nothing to retry here (docs/decisions/0005-no-camel-redelivery-into-kafka.md).
 */
public final class EventErrors extends RouteConfigurationBuilder {

  /** The id of this route configuration. */
  public static final String ID = "event-errors";

  @Override
  public void configuration() {
    RouteConfigurationDefinition errors = routeConfiguration(ID);
    errors
        .onException(MalformedEventException.class)
        .id("malformed-event")
        .handled(true)
        .process("handleMalformedEvent")
        .id("handle-malformed-event");
    errors
        .onException(Exception.class)
        .id("resync-unavailable")
        .description(
            "The resync route does not exist or is stopped. Errors within it go to resync-errors.")
        .onWhen(simple("${header.CamelAhcWsEvent} != null"))
        .handled(true)
        .process("handleResyncFailure")
        .id("handle-resync-unavailable");
    errors
        .onException(Exception.class)
        .id("publish-failed")
        .handled(true)
        .process("handleLostEvent")
        .id("handle-lost-event");
  }
}
