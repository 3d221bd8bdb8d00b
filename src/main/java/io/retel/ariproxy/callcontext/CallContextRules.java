// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.EventResources;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Rules that map an event to its call context (docs/contract.md#mapping).
 *
 * <p>The first matching rule wins. Its call context is recorded for every unmapped resource of the
 * event. Must be called by one thread, in the order of the events.
 */
public final class CallContextRules {

  private static final String CHANNEL_VARIABLE = "CALL_CONTEXT";

  private final CallContexts callContexts;

  public CallContextRules(CallContexts callContexts) {
    this.callContexts = callContexts;
  }

  /** Resolves the call context of an event and updates the mappings accordingly. */
  public MappedEvent map(AriEvent event) {
    List<Resource> resources = EventResources.of(event);
    List<Resource> related = EventResources.relatedTo(event);
    MappedEvent mapped =
        byChannelVariable(event, resources)
            .or(() -> byMapping(event, resources, resources))
            .or(() -> byMapping(event, resources, related))
            .or(() -> forNewCall(event, resources))
            .orElseGet(() -> new MappedEvent(event, null, resources));
    String callContext = mapped.callContext();
    if (callContext != null) {
      assignIfAbsent(resources, callContext);
      assignIfAbsent(related, callContext);
    }
    if (!resources.isEmpty()) {
      updateLifecycle(event, resources.get(0));
    }
    return mapped;
  }

  private void assignIfAbsent(List<Resource> resources, String callContext) {
    for (Resource resource : resources) {
      if (resource.type().isCallScoped()) {
        callContexts.assignIfAbsent(resource, callContext);
      }
    }
  }

  /**
   * Rule 1: the dialplan sets the call context. The channel moves to that call context even if it
   * is already mapped.
   */
  private Optional<MappedEvent> byChannelVariable(AriEvent event, List<Resource> resources) {
    return resources.stream()
        .filter(resource -> resource.type() == ResourceType.CHANNEL)
        .findFirst()
        .flatMap(
            channel ->
                event
                    .changedVariable(CHANNEL_VARIABLE)
                    .map(callContext -> callContexts.move(channel, callContext))
                    .or(
                        () ->
                            event
                                .channelVariable(CHANNEL_VARIABLE)
                                .map(callContext -> callContexts.observe(channel, callContext)))
                    .map(
                        callContext ->
                            new MappedEvent(event, callContext, moveToFront(channel, resources))));
  }

  /**
   * Rules 2 and 3: one of the candidates is mapped. That candidate is listed first, since it
   * determined the call context.
   */
  private Optional<MappedEvent> byMapping(
      AriEvent event, List<Resource> resources, List<Resource> candidates) {
    for (Resource candidate : candidates) {
      Optional<String> callContext = callContexts.lookup(candidate);
      if (callContext.isPresent()) {
        return Optional.of(
            new MappedEvent(event, callContext.get(), moveToFront(candidate, resources)));
      }
    }
    return Optional.empty();
  }

  /** Rule 4: a new call. */
  private static Optional<MappedEvent> forNewCall(AriEvent event, List<Resource> resources) {
    return event.type().equals("StasisStart")
        ? Optional.of(new MappedEvent(event, generateCallContext(event), resources))
        : Optional.empty();
  }

  /**
   * Returns a name-based UUID, so that a proxy that has lost its mappings generates the same one.
   *
   * <p>The channel id alone is not sufficient: Asterisk reuses it after a restart.
   */
  private static String generateCallContext(AriEvent stasisStart) {
    JsonNode json = stasisStart.json();
    JsonNode channel = json.path("channel");
    String seed =
        String.join(
            "|",
            json.path("asterisk_id").asText(),
            json.path("application").asText(),
            channel.path("id").asText(),
            channel.path("creationtime").asText());
    return UUID.nameUUIDFromBytes(seed.getBytes(StandardCharsets.UTF_8)).toString();
  }

  private static List<Resource> moveToFront(Resource deciding, List<Resource> resources) {
    if (!resources.isEmpty() && resources.get(0).equals(deciding)) {
      return resources;
    }
    List<Resource> ordered = new ArrayList<>(resources.size() + 1);
    ordered.add(deciding);
    for (Resource resource : resources) {
      if (!resource.equals(deciding)) {
        ordered.add(resource);
      }
    }
    return List.copyOf(ordered);
  }

  /**
   * Updates how long the event's own resource stays mapped.
   *
   * <p>For a channel from the dialplan, Asterisk sends no ChannelDestroyed: only a
   * ChannelHangupRequest before StasisEnd distinguishes a hung-up channel from one that continues
   * in the dialplan or in another application. For a snoop channel it sends only StasisEnd.
   */
  private void updateLifecycle(AriEvent event, Resource ownResource) {
    switch (event.type()) {
      case "StasisStart" ->
          callContexts.enterStasis(ownResource, event.json().path("application").asText());
      case "PlaybackStarted", "RecordingStarted" -> callContexts.start(ownResource);
      case "ChannelHangupRequest" -> callContexts.hangUp(ownResource);
      case "StasisEnd" -> {
        if (event.json().at("/channel/name").asText().startsWith("Snoop/")) {
          callContexts.end(ownResource);
        } else {
          callContexts.leaveStasis(ownResource, event.json().path("application").asText());
        }
      }
      case "ChannelDestroyed",
          "BridgeDestroyed",
          "PlaybackFinished",
          "RecordingFinished",
          "RecordingFailed" ->
          callContexts.end(ownResource);
      default -> {
        // no other event changes the lifecycle
      }
    }
  }
}
