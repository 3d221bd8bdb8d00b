// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.RouteDefinition;

/**
 * Routes that publish, after every connect, what was missed during the gap: before the first new
 * event, as far as Asterisk responds in time (docs/contract.md#resync).
 */
public final class ResyncRoutes extends RouteBuilder {

  @Override
  public void configure() {
    resync();
    publishMissedEvents();
  }

  private void resync() {
    route("resync", "handover:resync", "from-events", ResyncErrors.ID, 20)
        .description(
            "Compares mappings with Asterisk's state and publishes the difference as synthetic events.")
        .filter(simple("${header.CamelAhcWsEvent} == 'DISCONNECTED'"))
        .id("disconnected")
        .description("The websocket disconnected.")
        .process("recordGapStart")
        .id("record-gap-start")
        .stop()
        .id("stop-disconnected")
        .end()
        .process("startResync")
        .id("start-resync")
        .description("After a connect, waits for Asterisk's responses, at most ari.resync-timeout.")
        .process("findMissedEvents")
        .id("find-missed-events")
        .description(
            "Determines which resources have ended, which channels have entered Stasis, and which calls are still active.")
        .process("publishMissed")
        .id("publish-missed")
        .description("Sends each synthetic event through publish-missed-events, in order.");
  }

  private void publishMissedEvents() {
    route(
            "publish-missed-events",
            "handover:publish-missed-events",
            "missed-event",
            "event-errors",
            15)
        .description("Publishes synthetic events like Asterisk's own, before newer events.")
        .process("buildEventEnvelope")
        .id("build-missed-envelope")
        .to("handover:publish")
        .id("publish-missed-event");
  }

  private RouteDefinition route(
      String id, String fromUri, String fromId, String configurationId, int startupOrder) {
    RouteDefinition route =
        from(fromUri).routeId(id).routeConfigurationId(configurationId).startupOrder(startupOrder);
    route.getInput().setId(fromId);
    return route;
  }
}
