// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.callcontext.Mapping;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

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
  private final Map<String, String> applicationByCall;
  private final Findings findings;
  private final Gap gap;
  private final SyntheticEvents syntheticEvents;
  private final List<MappedEvent> missedEvents = new ArrayList<>();
  private final Set<Resource> reconciled = new HashSet<>();
  private final Set<Resource> outdated = new LinkedHashSet<>();

  /** The active calls, each with its active resources. */
  private final Map<String, Map<Resource, Observation>> activeCalls;

  /**
   * @param applications the proxy's Stasis applications
   * @param applicationByCall the application of each call with a channel in one, before the gap
   * @param findings what Asterisk has responded
   * @param activeCalls the calls found active before; updated
   */
  Reconciler(
      CallContexts callContexts,
      CallContextRules rules,
      List<String> applications,
      Map<String, String> applicationByCall,
      Findings findings,
      Map<String, Map<Resource, Observation>> activeCalls,
      Gap gap) {
    this.callContexts = callContexts;
    this.rules = rules;
    this.applications = applications;
    this.applicationByCall = applicationByCall;
    this.findings = findings;
    this.activeCalls = activeCalls;
    this.gap = gap;
    this.syntheticEvents =
        new SyntheticEvents(findings.connectedAt(), findings.asteriskId(), findings.late());
  }

  /** Returns the missed events, in the order in which Asterisk would have sent them. Call once. */
  List<MappedEvent> missedEvents() {
    // as after a hangup: media end, then the channel leaves Stasis, then its bridge ends
    findings.observations().forEach(this::reconcileMedia);
    findings.observations().forEach(this::reconcileChannel);
    findings.observations().forEach(this::reconcileBridge);
    Map<String, String> callsByBridgedChannel = callsByBridgedChannel();
    applications.forEach(application -> discoverChannels(application, callsByBridgedChannel));
    addConnectionsRestored();
    return missedEvents;
  }

  /**
   * Returns the resources to ask for again, since their mappings have changed while Asterisk
   * responded.
   */
  Set<Resource> outdated() {
    return outdated;
  }

  private void reconcileMedia(Observation media) {
    ResourceType type = media.resource().type();
    boolean isPlayback = type == ResourceType.PLAYBACK;
    if ((!isPlayback && type != ResourceType.RECORDING) || media.exists()) {
      return;
    }
    Mapping mapping = knownMapping(media).orElse(null);
    if (mapping == null) {
      return;
    }
    String id = media.resource().id();
    String application = applicationOfMedia(mapping);
    addMissed(
        isPlayback
            ? syntheticEvents.playbackFinished(id, application)
            : syntheticEvents.recordingFinished(id, application));
  }

  private void reconcileChannel(Observation channel) {
    if (channel.resource().type() != ResourceType.CHANNEL) {
      return;
    }
    Mapping mapping = knownMapping(channel).orElse(null);
    if (mapping == null) {
      return;
    }
    String id = channel.resource().id();
    String application = mapping.application();
    boolean exists = channel.exists(mapping);
    if (application != null && !(exists && channel.isIn(application))) {
      addMissed(syntheticEvents.stasisEnd(id, exists ? channel.channel() : null, application));
    }
    if (exists) {
      addActive(channel, mapping);
      return;
    }
    if (mapping.created()) {
      addMissed(
          syntheticEvents.channelDestroyed(
              id, application == null ? applicationOf(mapping.callContext()) : application));
    }
    callContexts.end(channel.resource());
  }

  private void reconcileBridge(Observation bridge) {
    if (bridge.resource().type() != ResourceType.BRIDGE) {
      return;
    }
    Mapping mapping = knownMapping(bridge).orElse(null);
    if (mapping == null) {
      return;
    }
    if (bridge.exists(mapping)) {
      addActive(bridge, mapping);
    } else {
      addMissed(
          syntheticEvents.bridgeDestroyed(
              bridge.resource().id(), applicationOf(mapping.callContext())));
    }
  }

  /** Returns the application of the channel that a playback or recording is on, or of the call. */
  private String applicationOfMedia(Mapping mapping) {
    return Resource.ofTarget(mapping.instance())
        .flatMap(callContexts::mapping)
        .map(Mapping::application)
        .orElseGet(() -> applicationOf(mapping.callContext()));
  }

  /** Returns the application of a call; any of the proxy's if it has had no channel in one. */
  private String applicationOf(String callContext) {
    return applicationByCall.getOrDefault(callContext, applications.get(0));
  }

  /** Returns the application of a call, including those that its channels have entered since. */
  private String applicationOf(String callContext, List<Observation> active) {
    Set<String> entered =
        active.stream()
            .flatMap(observation -> callContexts.mapping(observation.resource()).stream())
            .map(Mapping::application)
            .filter(Objects::nonNull)
            .collect(Collectors.toSet());
    return applications.stream()
        .filter(
            application ->
                application.equals(applicationByCall.get(callContext))
                    || entered.contains(application))
        .findFirst()
        .orElseGet(() -> applicationOf(callContext));
  }

  private void addActive(Observation resource, Mapping mapping) {
    if (gap.includes(mapping.callContext())) {
      activeCalls
          .computeIfAbsent(mapping.callContext(), key -> new LinkedHashMap<>())
          .put(resource.resource(), resource);
    }
  }

  /**
   * Returns the mapping that the resource had when Asterisk was asked, unless it changed since: a
   * command has ended the resource or created a new one with the same id, or an event was
   * published.
   */
  private Optional<Mapping> knownMapping(Observation observation) {
    Mapping current = callContexts.mapping(observation.resource()).orElse(null);
    if (current == null || !current.isActive()) {
      return Optional.empty();
    }
    if (observation.isOutdated(current)) {
      if (findings.late()) {
        outdated.add(observation.resource());
      }
      return Optional.empty();
    }
    reconciled.add(observation.resource());
    return Optional.of(current);
  }

  private void discoverChannels(String application, Map<String, String> callsByBridgedChannel) {
    findings.observations().stream()
        .filter(channel -> channel.hasEntered(application))
        .filter(channel -> !isOutdated(channel))
        .filter(channel -> !isPublished(channel))
        .sorted(Comparator.comparing(Reconciler::creationTime))
        .forEach(
            channel -> {
              String call = callsByBridgedChannel.get(channel.resource().id());
              if (call != null) {
                callContexts.assignIfAbsent(channel.described(), call);
              }
              MappedEvent start =
                  addMissed(
                      syntheticEvents.stasisStart(
                          Objects.requireNonNull(channel.channel()), application));
              activeCalls.computeIfPresent(
                  Objects.requireNonNull(start.callContext()),
                  (callContext, active) -> {
                    active.put(channel.resource(), channel);
                    return active;
                  });
            });
  }

  /**
   * Returns the calls of the bridges by the channels in them. A channel that was not announced can
   * only be in a bridge because Asterisk put it there, in place of a channel that was transferred.
   */
  private Map<String, String> callsByBridgedChannel() {
    Map<String, String> calls = new HashMap<>();
    for (Observation bridge : findings.observations()) {
      if (!bridge.channelIds().isEmpty()) {
        callContexts
            .mapping(bridge.resource())
            .filter(mapping -> !mapping.ended() && bridge.exists(mapping))
            .ifPresent(
                mapping ->
                    bridge
                        .channelIds()
                        .forEach(id -> calls.putIfAbsent(id, mapping.callContext())));
      }
    }
    return calls;
  }

  /** Whether newer events can be the reason that no start was published. */
  private boolean isOutdated(Observation channel) {
    if (!findings.late() || reconciled.contains(channel.resource())) {
      return false;
    }
    Mapping current = callContexts.mapping(channel.resource()).orElse(null);
    if (!channel.isOutdated(current)) {
      return false;
    }
    if (current == null || !current.ended()) {
      outdated.add(channel.resource());
    }
    return true;
  }

  private boolean isPublished(Observation channel) {
    return callContexts
        .mapping(channel.resource())
        .filter(mapping -> !mapping.ended())
        .map(Mapping::application)
        .filter(channel::isIn)
        .isPresent();
  }

  private static String creationTime(Observation channel) {
    return Objects.requireNonNull(channel.channel()).creationTime() + channel.resource().id();
  }

  private MappedEvent addMissed(AriEvent event) {
    MappedEvent mapped = rules.map(event);
    missedEvents.add(mapped);
    return mapped;
  }

  private void addConnectionsRestored() {
    for (Iterator<Map.Entry<String, Map<Resource, Observation>>> calls =
            activeCalls.entrySet().iterator();
        calls.hasNext(); ) {
      Map.Entry<String, Map<Resource, Observation>> call = calls.next();
      if (!findings.pendingCalls().contains(call.getKey())) {
        calls.remove();
        addConnectionRestored(call.getKey(), call.getValue().values());
      }
    }
  }

  private void addConnectionRestored(String callContext, Collection<Observation> found) {
    List<Observation> active =
        found.stream()
            .filter(
                observation ->
                    callContexts
                        .mapping(observation.resource())
                        .filter(mapping -> !mapping.ended())
                        .isPresent())
            .toList();
    if (active.isEmpty() || !gap.includes(callContext)) {
      return;
    }
    AriEvent event =
        syntheticEvents.connectionRestored(
            gap.end(callContext),
            active.stream()
                .filter(observation -> observation.resource().type() == ResourceType.CHANNEL)
                .map(Reconciler::describe)
                .toList(),
            applicationOf(callContext, active));
    missedEvents.add(
        new MappedEvent(event, callContext, active.stream().map(Observation::resource).toList()));
  }

  /** Returns the description of a channel as JSON; only its id if Asterisk cannot describe it. */
  private static String describe(Observation channel) {
    ChannelDescription description = channel.channel();
    return description == null
        ? JsonNodeFactory.instance.objectNode().put("id", channel.resource().id()).toString()
        : description.json();
  }
}
