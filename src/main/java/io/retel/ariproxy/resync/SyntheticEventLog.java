// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.CallContexts;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A log of recently published synthetic events, to drop Asterisk's own duplicates.
 *
 * <p>Asterisk's responses can be more recent than its events: an event can still arrive after its
 * synthetic counterpart. An entry expires after a while, or when the resource starts or ends again.
 */
public final class SyntheticEventLog {

  /**
   * Limit of the heap in bytes: about 100,000 transitions, many times the channels of an Asterisk.
   * Those that it invents are bounded, too.
   */
  private static final long MAX_BYTES = 20_000_000;

  private static final int TRANSITION_BYTES = 150;

  private enum State {
    IN_STASIS,
    OUT_OF_STASIS,
    ENDED
  }

  /**
   * @param application Stasis application that a channel entered or left; otherwise empty
   */
  private record Transition(Resource resource, State state, String application)
      implements Comparable<Transition> {

    /** Ids can be chosen so that their hashes are equal; then the cache searches in this order. */
    private static final Comparator<Transition> ORDER =
        Comparator.comparing(Transition::resource)
            .thenComparing(Transition::state)
            .thenComparing(Transition::application);

    @Override
    public int compareTo(Transition other) {
      return ORDER.compare(this, other);
    }

    /** Returns what the log keeps, which is equal. */
    Transition withoutInstance() {
      return new Transition(new Resource(resource.type(), resource.id()), state, application);
    }

    int bytes() {
      return TRANSITION_BYTES + 2 * (resource.id().length() + application.length());
    }

    /** Returns the transitions that this one invalidates. */
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
   * @param callContexts to detect reused ids
   * @param retention maximum delay of Asterisk's own event
   */
  public SyntheticEventLog(CallContexts callContexts, Duration retention, Ticker ticker) {
    this.callContexts = callContexts;
    this.transitions =
        Caffeine.newBuilder()
            .maximumWeight(MAX_BYTES)
            .weigher((Transition transition, Boolean present) -> transition.bytes())
            .expireAfterWrite(retention)
            .ticker(ticker)
            .build();
  }

  /** Records a synthetic event. */
  void record(AriEvent event) {
    transition(event)
        .ifPresent(
            transition -> {
              transitions.invalidateAll(transition.superseded());
              transitions.put(transition.withoutInstance(), true);
            });
  }

  /** Returns whether an event from Asterisk duplicates a synthetic one, and removes that entry. */
  public boolean consumeIfDuplicate(AriEvent event) {
    if (transitions.asMap().isEmpty()) {
      // the usual case
      return false;
    }
    Transition transition = transition(event).orElse(null);
    if (transition == null) {
      return false;
    }
    transitions.invalidateAll(transition.superseded());
    return transitions.asMap().remove(transition) != null && !isReusedId(transition);
  }

  /**
   * Whether another resource with the same id has ended: a command has created it, or its instance
   * is another one.
   */
  private boolean isReusedId(Transition transition) {
    Resource resource = transition.resource();
    return transition.state() == State.ENDED
        && !callContexts.isEarlier(resource)
        && callContexts
            .mapping(resource)
            .filter(mapping -> !mapping.ended() || mapping.isCertainlyOfOther(resource))
            .isPresent();
  }

  private static Optional<Transition> transition(AriEvent event) {
    State state =
        switch (event.change()) {
          // the start of a playback or recording is never synthetic, but invalidates the end of an
          // earlier one
          case ENTERED_STASIS, STARTED -> State.IN_STASIS;
          case LEFT_STASIS -> State.OUT_OF_STASIS;
          case ENDED -> State.ENDED;
          case HUNG_UP, NONE -> null;
        };
    if (state == null || event.resources().isEmpty()) {
      return Optional.empty();
    }
    String application = state == State.ENDED ? "" : event.application();
    return Optional.of(new Transition(event.resources().get(0), state, application));
  }
}
