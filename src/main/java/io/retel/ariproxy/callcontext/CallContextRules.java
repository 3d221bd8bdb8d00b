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
 * From event to call context (contract.md section 3): the first rule that answers wins, and its
 * answer is remembered for every resource in the event that has none.
 *
 * <p>To be asked by one thread, in the order of the events.
 */
public final class CallContextRules {

  private static final String CHANNEL_VARIABLE = "CALL_CONTEXT";

  private final CallContexts callContexts;

  public CallContextRules(CallContexts callContexts) {
    this.callContexts = callContexts;
  }

  /** Finds the call context of an event, and remembers what follows from it. */
  public MappedEvent map(AriEvent event) {
    List<Resource> resources = EventResources.of(event);
    List<Resource> related = EventResources.relatedTo(event);
    MappedEvent mapped =
        byChannelVariable(event, resources)
            .or(() -> byMemory(event, resources, resources))
            .or(() -> byMemory(event, resources, related))
            .or(() -> generated(event, resources))
            .orElseGet(() -> new MappedEvent(event, null, resources));
    if (mapped.callContext() != null) {
      remember(resources, mapped.callContext());
      remember(related, mapped.callContext());
    }
    if (!resources.isEmpty()) {
      lifetime(event, resources.get(0));
    }
    return mapped;
  }

  private void remember(List<Resource> resources, String callContext) {
    for (Resource resource : resources) {
      if (resource.type().partOfCall()) {
        callContexts.rememberIfNew(resource, callContext);
      }
    }
  }

  /** Rule 1: the dialplan says. The channel moves to that context, whatever it had before. */
  private Optional<MappedEvent> byChannelVariable(AriEvent event, List<Resource> resources) {
    return resources.stream()
        .filter(resource -> resource.type() == ResourceType.CHANNEL)
        .findFirst()
        .flatMap(
            channel ->
                event
                    .variableSet(CHANNEL_VARIABLE)
                    .map(callContext -> callContexts.move(channel, callContext))
                    .or(
                        () ->
                            event
                                .variableShown(CHANNEL_VARIABLE)
                                .map(callContext -> callContexts.follow(channel, callContext)))
                    .map(
                        callContext ->
                            new MappedEvent(event, callContext, first(channel, resources))));
  }

  /** Rules 2 and 3: one of these is remembered. It decided, so that it comes first. */
  private Optional<MappedEvent> byMemory(
      AriEvent event, List<Resource> resources, List<Resource> candidates) {
    for (Resource candidate : candidates) {
      Optional<String> callContext = callContexts.of(candidate);
      if (callContext.isPresent()) {
        return Optional.of(new MappedEvent(event, callContext.get(), first(candidate, resources)));
      }
    }
    return Optional.empty();
  }

  /** Rule 4: a new call. */
  private static Optional<MappedEvent> generated(AriEvent event, List<Resource> resources) {
    return event.type().equals("StasisStart")
        ? Optional.of(new MappedEvent(event, generate(event), resources))
        : Optional.empty();
  }

  /**
   * A name-based UUID, so that a proxy that has lost its memory arrives at the same one. The
   * channel's id alone would not do: Asterisk uses it again after a restart.
   */
  private static String generate(AriEvent stasisStart) {
    JsonNode json = stasisStart.json();
    JsonNode channel = json.path("channel");
    String name =
        String.join(
            "|",
            json.path("asterisk_id").asText(),
            json.path("application").asText(),
            channel.path("id").asText(),
            channel.path("creationtime").asText());
    return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)).toString();
  }

  private static List<Resource> first(Resource decided, List<Resource> resources) {
    if (!resources.isEmpty() && resources.get(0).equals(decided)) {
      return resources;
    }
    List<Resource> ordered = new ArrayList<>(resources.size() + 1);
    ordered.add(decided);
    for (Resource resource : resources) {
      if (!resource.equals(decided)) {
        ordered.add(resource);
      }
    }
    return List.copyOf(ordered);
  }

  /**
   * How long a resource is remembered follows from its events. Of a call from the dialplan Asterisk
   * tells no ChannelDestroyed: a ChannelHangupRequest before StasisEnd is all that tells a channel
   * that is gone from one that goes on in the dialplan or in another application. Of a snoop
   * channel StasisEnd is all it tells.
   */
  private void lifetime(AriEvent event, Resource own) {
    switch (event.type()) {
      case "StasisStart" ->
          callContexts.enterStasis(own, event.json().path("application").asText());
      case "PlaybackStarted", "RecordingStarted" -> callContexts.start(own);
      case "ChannelHangupRequest" -> callContexts.hangUp(own);
      case "StasisEnd" -> {
        if (event.json().at("/channel/name").asText().startsWith("Snoop/")) {
          callContexts.end(own);
        } else {
          callContexts.leaveStasis(own, event.json().path("application").asText());
        }
      }
      case "ChannelDestroyed",
          "BridgeDestroyed",
          "PlaybackFinished",
          "RecordingFinished",
          "RecordingFailed" ->
          callContexts.end(own);
      default -> {
        // everything else lives on
      }
    }
  }
}
