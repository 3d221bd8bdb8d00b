// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.route.PropagateErrors;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.RouteDefinition;

/**
 * Routes that publish, after every connect, what was missed during the gap, before the first new
 * event (docs/contract.md#resync).
 */
public final class ResyncRoutes extends RouteBuilder {

  /** How long to wait for a route that is being replaced. */
  private static final String TIMEOUT = "?timeout=5000";

  private static final String QUERY =
      "?httpClientConfigurer=#ariHttpClient&httpMethod=GET&skipRequestHeaders=true";

  @Override
  public void configure() {
    resync();
    queryAsterisk();
    findEndedMedia();
    restoreSubscriptions();
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
        .description("Records the mappings as they are before querying Asterisk.")
        .to("handover:query-asterisk" + TIMEOUT)
        .id("fetch-snapshot")
        .to("handover:find-ended-media" + TIMEOUT)
        .id("fetch-ended-media")
        .process("findMissedEvents")
        .id("find-missed-events")
        .description(
            "Determines which resources have ended, which channels have entered Stasis, and which calls are still active.")
        .process("publishMissed")
        .id("publish-missed")
        .description("Sends each synthetic event through publish-missed-events, in order.")
        .to("handover:restore-subscriptions" + TIMEOUT)
        .id("restore-lost-subscriptions");
  }

  /** Takes a snapshot of Asterisk. */
  private void queryAsterisk() {
    RouteDefinition route =
        route(
                "query-asterisk",
                "handover:query-asterisk",
                "snapshot-request",
                PropagateErrors.ID,
                16)
            .description("Queries Asterisk's identity, applications, channels and bridges.");
    // "only" is not a Camel option, so it is sent to Asterisk
    query(
        route,
        "get-asterisk-info",
        "asterisk/info" + QUERY + "&only=system,status",
        "store-asterisk-info",
        ResyncProperties.ASTERISK);
    query(
        route,
        "list-applications",
        "applications" + QUERY,
        "store-applications",
        ResyncProperties.APPLICATIONS);
    query(route, "list-channels", "channels" + QUERY, "store-channels", ResyncProperties.CHANNELS);
    query(route, "list-bridges", "bridges" + QUERY, "store-bridges", ResyncProperties.BRIDGES);
  }

  private void query(
      RouteDefinition route, String id, String path, String storeId, String property) {
    route
        .to("{{ari.url}}/" + path)
        .id(id)
        .setProperty(property, simple("${bodyAs(String)}"))
        .id(storeId);
  }

  /** Finds playbacks and recordings that have ended during a gap. */
  private void findEndedMedia() {
    route(
            "find-ended-media",
            "handover:find-ended-media",
            "media-lookup-request",
            PropagateErrors.ID,
            17)
        .description("Queries each mapped playback and recording, since ARI cannot list them.")
        .process("listMedia")
        .id("list-media")
        .split(simple("${body}"))
        // the first timeout ends the loop
        .stopOnException()
        .id("for-each-media")
        .process("buildMediaRequest")
        .id("build-media-request")
        .to(
            "{{ari.url}}?httpClientConfigurer=#ariHttpClient&httpMethod=GET&throwExceptionOnFailure=false")
        .id("get-media")
        .process("recordEndedMedia")
        .id("record-ended-media");
  }

  /** Restores what commands have set and Asterisk has lost. */
  private void restoreSubscriptions() {
    route(
            "restore-subscriptions",
            "handover:restore-subscriptions",
            "subscription-restore-request",
            PropagateErrors.ID,
            18)
        .description("Sets subscriptions and event filters again that Asterisk has lost.")
        .process("listMissingSubscriptions")
        .id("list-missing-subscriptions")
        .split(simple("${body}"))
        .stopOnException()
        .id("for-each-missing-subscription")
        .process("buildSubscriptionRequest")
        .id("build-subscription-request")
        .to("{{ari.url}}?httpClientConfigurer=#ariHttpClient&throwExceptionOnFailure=false")
        .id("send-subscription-request")
        .process("checkSubscriptionResponse")
        .id("check-subscription-response");
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
