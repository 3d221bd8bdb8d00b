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
public final class Told {

  private enum What {
    IN_STASIS,
    OUT_OF_STASIS,
    GONE
  }

  /**
   * @param application the Stasis application that a channel is in or out of; else empty
   */
  private record Fact(Resource resource, What what, String application) {

    /** What does not hold any more when this is told. */
    List<Fact> contradicted() {
      return switch (what) {
        case IN_STASIS ->
            List.of(
                new Fact(resource, What.OUT_OF_STASIS, application),
                new Fact(resource, What.GONE, ""));
        case OUT_OF_STASIS -> List.of(new Fact(resource, What.IN_STASIS, application));
        case GONE -> List.of();
      };
    }
  }

  private final CallContexts callContexts;
  private final Cache<Fact, Boolean> facts;

  /**
   * @param callContexts knows whether a resource of that id lives again
   * @param memory how late Asterisk's own event may come
   */
  public Told(CallContexts callContexts, Duration memory, Ticker ticker) {
    this.callContexts = callContexts;
    this.facts = Caffeine.newBuilder().expireAfterWrite(memory).ticker(ticker).build();
  }

  /** An event is published that was made up for. */
  void tell(AriEvent event) {
    fact(event)
        .ifPresent(
            fact -> {
              facts.invalidateAll(fact.contradicted());
              facts.put(fact, true);
            });
  }

  /** Whether Asterisk's event says again what has been told; that is then done with. */
  public boolean wasTold(AriEvent event) {
    if (facts.asMap().isEmpty()) {
      // as nearly always
      return false;
    }
    Fact fact = fact(event).orElse(null);
    if (fact == null) {
      return false;
    }
    facts.invalidateAll(fact.contradicted());
    return facts.asMap().remove(fact) != null && !isOfANewOne(fact);
  }

  /** A command may have made another one of the same id. */
  private boolean isOfANewOne(Fact fact) {
    return fact.what() == What.GONE
        && callContexts.mapping(fact.resource()).filter(mapping -> !mapping.ended()).isPresent();
  }

  private static Optional<Fact> fact(AriEvent event) {
    What what =
        switch (event.type()) {
          // a media's begin is none of what is made up for, and ends what was told of an earlier
          // one
          case "StasisStart", "PlaybackStarted", "RecordingStarted" -> What.IN_STASIS;
          case "StasisEnd" -> What.OUT_OF_STASIS;
          case "ChannelDestroyed",
              "BridgeDestroyed",
              "PlaybackFinished",
              "RecordingFinished",
              "RecordingFailed" ->
              What.GONE;
          default -> null;
        };
    List<Resource> resources = what == null ? List.of() : EventResources.of(event);
    if (resources.isEmpty()) {
      return Optional.empty();
    }
    String application = what == What.GONE ? "" : event.json().path("application").asText();
    return Optional.of(new Fact(resources.get(0), what, application));
  }
}
