package io.retel.ariproxy.gap;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.EventResources;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.CallContexts;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What controllers have been told by events that were made up for: Asterisk's answers show what it
 * may still be about to tell itself, and controllers shall not hear it twice.
 *
 * <p>Remembered for a while, and not longer than until the resource begins or ends once more.
 */
public final class SyntheticEventLog {

  private enum State {
    IN_STASIS,
    OUT_OF_STASIS,
    ENDED
  }

  /**
   * @param application the Stasis application that a channel is in or out of; else empty
   */
  private record Transition(Resource resource, State state, String application) {

    /** What does not hold any more when this is told. */
    List<Transition> superseded() {
      return switch (state) {
        case IN_STASIS ->
            List.of(
                new Transition(resource, State.OUT_OF_STASIS, application),
                new Transition(resource, State.ENDED, ""));
        case OUT_OF_STASIS -> List.of(new Transition(resource, State.IN_STASIS, application));
        case ENDED -> List.of();
      };
    }
  }

  private final CallContexts callContexts;
  private final Cache<Transition, Boolean> transitions;

  /**
   * @param callContexts knows whether a resource of that id lives again
   * @param memory how late Asterisk's own event may come
   */
  public SyntheticEventLog(CallContexts callContexts, Duration retention, Ticker ticker) {
    this.callContexts = callContexts;
    this.transitions = Caffeine.newBuilder().expireAfterWrite(retention).ticker(ticker).build();
  }

  /** An event is published that was made up for. */
  void record(AriEvent event) {
    transition(event)
        .ifPresent(
            transition -> {
              transitions.invalidateAll(transition.superseded());
              transitions.put(transition, true);
            });
  }

  /** Whether Asterisk's event says again what has been told; that is then done with. */
  public boolean consumeIfDuplicate(AriEvent event) {
    if (transitions.asMap().isEmpty()) {
      // as nearly always
      return false;
    }
    Transition transition = transition(event).orElse(null);
    if (transition == null) {
      return false;
    }
    transitions.invalidateAll(transition.superseded());
    return transitions.asMap().remove(transition) != null && !isReusedId(transition);
  }

  /** A command may have made another one of the same id. */
  private boolean isReusedId(Transition transition) {
    return transition.state() == State.ENDED
        && callContexts
            .mapping(transition.resource())
            .filter(mapping -> !mapping.ended())
            .isPresent();
  }

  private static Optional<Transition> transition(AriEvent event) {
    State state =
        switch (event.type()) {
          // a media's begin is none of what is made up for, and ends what was told of an earlier
          // one
          case "StasisStart", "PlaybackStarted", "RecordingStarted" -> State.IN_STASIS;
          case "StasisEnd" -> State.OUT_OF_STASIS;
          case "ChannelDestroyed",
              "BridgeDestroyed",
              "PlaybackFinished",
              "RecordingFinished",
              "RecordingFailed" ->
              State.ENDED;
          default -> null;
        };
    List<Resource> resources = state == null ? List.of() : EventResources.of(event);
    if (resources.isEmpty()) {
      return Optional.empty();
    }
    String application = state == State.ENDED ? "" : event.json().path("application").asText();
    return Optional.of(new Transition(resources.get(0), state, application));
  }
}
