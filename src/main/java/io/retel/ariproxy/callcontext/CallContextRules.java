// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceChange;
import io.retel.ariproxy.ari.ResourceType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Rules that map an event to its call context (docs/contract.md#mapping).
 *
 * <p>The first matching rule wins. Its call context is recorded for every unmapped resource of the
 * event; a resource of another call adds a copy for that call. Must be called by one thread, in the
 * order of the events.
 */
public final class CallContextRules {

  /** Offers a channel to all applications. */
  private static final String CALL_BROADCAST = "CallBroadcast";

  private final CallContexts callContexts;

  public CallContextRules(CallContexts callContexts) {
    this.callContexts = callContexts;
  }

  /** Resolves the call context of an event and updates the mappings accordingly. */
  public MappedEvent map(AriEvent event) {
    if (event.type().equals(CALL_BROADCAST)) {
      return mapBroadcast(event);
    }
    MappedEvent mapped =
        byChannelVariable(event)
            .or(() -> byMapping(event, event.resources()))
            .or(() -> byMapping(event, event.relatedResources()))
            .or(() -> forNewCall(event))
            .orElseGet(() -> new MappedEvent(event, null, event.resources()));
    String callContext = mapped.callContext();
    if (callContext != null) {
      Map<String, Resource> otherCalls = assignIfAbsent(event.resources(), callContext);
      assignIfAbsent(event.relatedResources(), callContext);
      mapped = addCopies(mapped, otherCalls);
    }
    if (!event.resources().isEmpty()) {
      updateLifecycle(event, event.resources().get(0));
    }
    return mapped;
  }

  /**
   * Resolves the call context that the channel has after it is claimed and enters Stasis. It is not
   * mapped: this application gets no further event of it if another one claims it.
   */
  private MappedEvent mapBroadcast(AriEvent event) {
    if (event.channel().id().isEmpty()) {
      return new MappedEvent(event, null, event.resources());
    }
    String callContext = event.channel().callContext();
    if (callContext.isEmpty()) {
      callContext =
          callContexts.lookup(event.resources().get(0)).orElseGet(() -> generateCallContext(event));
    }
    return new MappedEvent(event, callContext, event.resources());
  }

  /** Returns the other call contexts of the resources, each with its first resource. */
  private Map<String, Resource> assignIfAbsent(List<Resource> resources, String callContext) {
    Map<String, Resource> others = Map.of();
    for (Resource resource : resources) {
      if (resource.type().isCallScoped()) {
        String current = callContexts.assignIfAbsent(resource, callContext);
        if (!current.equals(callContext)) {
          others = others.isEmpty() ? new LinkedHashMap<>(2) : others;
          others.putIfAbsent(current, resource);
        }
      }
    }
    return others;
  }

  /**
   * Adds a copy for each other call. A StasisStart has none: it announces a channel to its own call
   * only, so that no other controller answers it.
   */
  private static MappedEvent addCopies(MappedEvent mapped, Map<String, Resource> otherCalls) {
    if (otherCalls.isEmpty() || mapped.event().change() == ResourceChange.ENTERED_STASIS) {
      return mapped;
    }
    List<MappedEvent> copies =
        otherCalls.entrySet().stream()
            .map(other -> decidedBy(other.getValue(), mapped.event(), other.getKey()))
            .toList();
    return new MappedEvent(mapped.event(), mapped.callContext(), mapped.resources(), copies);
  }

  /**
   * Rule 1: the dialplan sets the call context. The channel moves to that call context even if it
   * is already mapped.
   */
  private Optional<MappedEvent> byChannelVariable(AriEvent event) {
    String assigned = event.assignedCallContext();
    String shown = event.channel().callContext();
    if (assigned.isEmpty() && shown.isEmpty()) {
      return Optional.empty();
    }
    return event.resources().stream()
        .filter(
            resource ->
                resource.type() == ResourceType.CHANNEL
                    && resource.id().equals(event.channel().id()))
        .findFirst()
        .map(
            channel ->
                decidedBy(
                    channel,
                    event,
                    assigned.isEmpty()
                        ? callContexts.observe(channel, shown)
                        : callContexts.move(channel, assigned)));
  }

  /** Rules 2 and 3: one of the candidates is mapped. */
  private Optional<MappedEvent> byMapping(AriEvent event, List<Resource> candidates) {
    for (Resource candidate : candidates) {
      Optional<String> callContext = callContexts.lookup(candidate);
      if (callContext.isPresent()) {
        return Optional.of(decidedBy(candidate, event, callContext.get()));
      }
    }
    return Optional.empty();
  }

  /** Rule 4: a new call. */
  private static Optional<MappedEvent> forNewCall(AriEvent event) {
    return event.change() == ResourceChange.ENTERED_STASIS
        ? Optional.of(new MappedEvent(event, generateCallContext(event), event.resources()))
        : Optional.empty();
  }

  /**
   * Returns a name-based UUID, so that a proxy that has lost its mappings generates the same one.
   *
   * <p>The channel id alone is not sufficient: Asterisk reuses it after a restart.
   */
  private static String generateCallContext(AriEvent event) {
    String seed =
        String.join(
            "|",
            event.asteriskId(),
            event.application(),
            event.channel().id(),
            event.channel().creationTime());
    return UUID.nameUUIDFromBytes(seed.getBytes(StandardCharsets.UTF_8)).toString();
  }

  /** Lists the resource that determined the call context first. */
  private static MappedEvent decidedBy(Resource deciding, AriEvent event, String callContext) {
    return new MappedEvent(event, callContext, moveToFront(deciding, event.resources()));
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
    switch (event.change()) {
      case ENTERED_STASIS -> callContexts.enterStasis(ownResource, event.application());
      case STARTED -> callContexts.start(ownResource);
      case HUNG_UP -> callContexts.hangUp(ownResource);
      case LEFT_STASIS -> {
        if (event.channel().isSnoop()) {
          callContexts.end(ownResource);
        } else {
          callContexts.leaveStasis(ownResource, event.application());
        }
      }
      case ENDED -> callContexts.end(ownResource);
      case NONE -> {
        // the lifecycle does not change
      }
    }
  }
}
