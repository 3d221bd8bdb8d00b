// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.callcontext.Mapping;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Compares the mappings with Asterisk's state and derives the missed events
 * (docs/contract.md#outages): ended resources, channels that entered Stasis, and calls that are
 * still active.
 *
 * <p>Updates the mappings as Asterisk's own events would. For the events thread only.
 */
final class Reconciler {

  private final CallContexts callContexts;
  private final CallContextRules rules;
  private final List<String> applications;
  private final ResyncContext resync;
  private final AsteriskSnapshot snapshot;
  private final SyntheticEvents syntheticEvents;
  private final List<MappedEvent> missedEvents = new ArrayList<>();

  /** The active calls, each with its active resources. */
  private final Map<String, List<Resource>> activeCalls = new LinkedHashMap<>();

  /**
   * @param applications the proxy's Stasis applications
   * @param resync the mappings before Asterisk was queried
   * @param snapshot Asterisk's state
   */
  Reconciler(
      CallContexts callContexts,
      CallContextRules rules,
      List<String> applications,
      ResyncContext resync,
      AsteriskSnapshot snapshot) {
    this.callContexts = callContexts;
    this.rules = rules;
    this.applications = applications;
    this.resync = resync;
    this.snapshot = snapshot;
    this.syntheticEvents = new SyntheticEvents(resync.connectedAt(), snapshot.asteriskId());
  }

  /** Returns the missed events, in the order in which Asterisk would have sent them. Call once. */
  List<MappedEvent> missedEvents(Gap.Span gap) {
    // as after a hangup: media end, then the channel leaves Stasis, then its bridge ends
    resync.knownMappings().keySet().forEach(this::reconcileMedia);
    resync.knownMappings().keySet().forEach(this::reconcileChannel);
    resync.knownMappings().keySet().forEach(this::reconcileBridge);
    applications.forEach(this::discoverChannels);
    activeCalls.forEach(
        (callContext, resources) -> addConnectionRestored(gap, callContext, resources));
    return missedEvents;
  }

  private void reconcileMedia(Resource media) {
    if (resync.endedMedia().contains(media) && unchangedMapping(media).isPresent()) {
      addMissed(
          media.type() == ResourceType.PLAYBACK
              ? syntheticEvents.playbackFinished(media.id(), applications.get(0))
              : syntheticEvents.recordingFinished(media.id(), applications.get(0)));
    }
  }

  private void reconcileChannel(Resource channel) {
    Mapping mapping = unchangedMapping(channel).orElse(null);
    if (mapping == null || channel.type() != ResourceType.CHANNEL) {
      return;
    }
    JsonNode channelJson = snapshot.channels().get(channel.id());
    String application = mapping.application();
    if (application != null && !snapshot.isInStasis(application, channel.id())) {
      addMissed(syntheticEvents.stasisEnd(channel.id(), channelJson, application));
    }
    if (channelJson == null) {
      if (mapping.created()) {
        addMissed(
            syntheticEvents.channelDestroyed(
                channel.id(), application == null ? applications.get(0) : application));
      }
      callContexts.end(channel);
    } else {
      addActive(channel, mapping);
    }
  }

  private void reconcileBridge(Resource bridge) {
    Mapping mapping = unchangedMapping(bridge).orElse(null);
    if (mapping == null || bridge.type() != ResourceType.BRIDGE) {
      return;
    }
    if (snapshot.bridges().contains(bridge.id())) {
      addActive(bridge, mapping);
    } else {
      addMissed(syntheticEvents.bridgeDestroyed(bridge.id(), applications.get(0)));
    }
  }

  private void addActive(Resource resource, Mapping mapping) {
    activeCalls.computeIfAbsent(mapping.callContext(), key -> new ArrayList<>()).add(resource);
  }

  /**
   * Returns the mapping unless a command has ended the resource since, or created a new one with
   * the same id.
   */
  private Optional<Mapping> unchangedMapping(Resource resource) {
    return callContexts
        .mapping(resource)
        .filter(mapping -> !mapping.ended() && !mapping.pending())
        .filter(mapping -> mapping.equalsIgnoringUse(resync.knownMappings().get(resource)));
  }

  private void discoverChannels(String application) {
    for (JsonNode channel : snapshot.channelsIn(application)) {
      String id = channel.path("id").asText();
      boolean alreadyPublished =
          callContexts
              .mapping(new Resource(ResourceType.CHANNEL, id))
              .filter(mapping -> !mapping.ended())
              .map(Mapping::application)
              .filter(mappedApplication -> snapshot.isInStasis(mappedApplication, id))
              .isPresent();
      if (!alreadyPublished) {
        addMissed(syntheticEvents.stasisStart(channel, application));
      }
    }
  }

  private void addMissed(AriEvent event) {
    missedEvents.add(rules.map(event));
  }

  private void addConnectionRestored(Gap.Span gap, String callContext, List<Resource> resources) {
    if (gap.callContexts().contains(callContext)) {
      AriEvent event =
          syntheticEvents.connectionRestored(
              gap.start(), channelObjects(resources), applications.get(0));
      missedEvents.add(new MappedEvent(event, callContext, List.copyOf(resources)));
    }
  }

  private Collection<JsonNode> channelObjects(List<Resource> resources) {
    return resources.stream()
        .filter(resource -> resource.type() == ResourceType.CHANNEL)
        .map(channel -> snapshot.channels().get(channel.id()))
        .toList();
  }
}
