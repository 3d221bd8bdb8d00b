package io.retel.ariproxy.gap;

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
 * Compares what is remembered with what is there, and tells the difference as the events that were
 * missed (contract.md section 5): what has ended, which channels have entered Stasis, which calls
 * live on.
 *
 * <p>The memory follows, as it follows Asterisk's own events. For use by the events' thread.
 */
final class Comparison {

  private final CallContexts callContexts;
  private final CallContextRules rules;
  private final List<String> applications;
  private final LookAround look;
  private final AsteriskNow now;
  private final SynthesizedEvent make;
  private final List<MappedEvent> missed = new ArrayList<>();

  /** The calls that live, each with its resources that do. */
  private final Map<String, List<Resource>> living = new LinkedHashMap<>();

  /**
   * @param applications the proxy's Stasis applications
   * @param look what was remembered
   * @param now what is there
   */
  Comparison(
      CallContexts callContexts,
      CallContextRules rules,
      List<String> applications,
      LookAround look,
      AsteriskNow now) {
    this.callContexts = callContexts;
    this.rules = rules;
    this.applications = applications;
    this.look = look;
    this.now = now;
    this.make = new SynthesizedEvent(look.connected(), now.asteriskId());
  }

  /** The events that were missed, in the order in which Asterisk would have sent them. */
  List<MappedEvent> missed(Gap.Span gap) {
    // as when a channel is hung up: its media end, then it leaves, then its bridge ends
    look.remembered().keySet().forEach(this::endMedia);
    look.remembered().keySet().forEach(this::endChannel);
    look.remembered().keySet().forEach(this::endBridge);
    applications.forEach(this::begin);
    living.forEach((callContext, resources) -> liveOn(gap, callContext, resources));
    return missed;
  }

  private void endMedia(Resource media) {
    if (look.endedMedia().contains(media) && stillThought(media).isPresent()) {
      tell(
          media.type() == ResourceType.PLAYBACK
              ? make.playbackFinished(media.id(), applications.get(0))
              : make.recordingFinished(media.id(), applications.get(0)));
    }
  }

  private void endChannel(Resource channel) {
    Mapping mapping = stillThought(channel).orElse(null);
    if (mapping == null || channel.type() != ResourceType.CHANNEL) {
      return;
    }
    JsonNode shown = now.channels().get(channel.id());
    String in = mapping.application();
    if (in != null && !now.isInStasis(in, channel.id())) {
      tell(make.stasisEnd(channel.id(), shown, in));
    }
    if (shown == null) {
      if (mapping.created()) {
        tell(make.channelDestroyed(channel.id(), in == null ? applications.get(0) : in));
      }
      callContexts.end(channel);
    } else {
      livesOn(channel, mapping);
    }
  }

  private void endBridge(Resource bridge) {
    Mapping mapping = stillThought(bridge).orElse(null);
    if (mapping == null || bridge.type() != ResourceType.BRIDGE) {
      return;
    }
    if (now.bridges().contains(bridge.id())) {
      livesOn(bridge, mapping);
    } else {
      tell(make.bridgeDestroyed(bridge.id(), applications.get(0)));
    }
  }

  private void livesOn(Resource resource, Mapping mapping) {
    living.computeIfAbsent(mapping.callContext(), none -> new ArrayList<>()).add(resource);
  }

  /** Unless a command has ended it meanwhile, or made a new one of the same id. */
  private Optional<Mapping> stillThought(Resource resource) {
    return callContexts
        .mapping(resource)
        .filter(mapping -> !mapping.ended() && !mapping.pending())
        .filter(mapping -> mapping.sameAs(look.remembered().get(resource)));
  }

  private void begin(String application) {
    for (JsonNode channel : now.thatEntered(application)) {
      String id = channel.path("id").asText();
      boolean told =
          callContexts
              .mapping(new Resource(ResourceType.CHANNEL, id))
              .filter(mapping -> !mapping.ended())
              .map(Mapping::application)
              .filter(in -> now.isInStasis(in, id))
              .isPresent();
      if (!told) {
        tell(make.stasisStart(channel, application));
      }
    }
  }

  private void tell(AriEvent event) {
    missed.add(rules.map(event));
  }

  private void liveOn(Gap.Span gap, String callContext, List<Resource> resources) {
    if (gap.callContexts().contains(callContext)) {
      AriEvent event =
          make.connectionRestored(gap.start(), channels(resources), applications.get(0));
      missed.add(new MappedEvent(event, callContext, List.copyOf(resources)));
    }
  }

  private Collection<JsonNode> channels(List<Resource> resources) {
    return resources.stream()
        .filter(resource -> resource.type() == ResourceType.CHANNEL)
        .map(channel -> now.channels().get(channel.id()))
        .toList();
  }
}
