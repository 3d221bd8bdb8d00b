package io.retel.ariproxy.callcontext;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.ari.Resource;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;

/**
 * The memory of call contexts: resource to call context (contract.md section 3).
 *
 * <p>A mapping lives as long as its resource, then for a grace time; what never ends is forgotten
 * after idle time. Safe for use by many threads.
 */
public final class CallContexts {

  private final Cache<String, Mapping> cache;

  /**
   * @param idleTime how long a mapping stays that nobody asks for
   * @param graceTime how long a mapping stays after its resource has ended
   * @param ticker the clock
   */
  public CallContexts(Duration idleTime, Duration graceTime, Ticker ticker) {
    this.cache =
        Caffeine.newBuilder().expireAfter(new Life(idleTime, graceTime)).ticker(ticker).build();
  }

  /** The call context that is remembered for a resource. */
  public Optional<String> of(Resource resource) {
    return Optional.ofNullable(cache.getIfPresent(resource.key())).map(Mapping::callContext);
  }

  /**
   * A resource moves to a call context, whatever it had before.
   *
   * @return that call context
   */
  public String move(Resource resource, String callContext) {
    Mapping known = cache.getIfPresent(resource.key());
    if (known == null) {
      cache.put(resource.key(), new Mapping(callContext));
    } else if (!known.callContext().equals(callContext)) {
      cache.put(resource.key(), known.moved(callContext, known.callContext()));
    }
    return callContext;
  }

  /**
   * A resource is shown in a call context, and moves there unless that is the one that it has just
   * left: Asterisk may show that for some events more.
   *
   * @return the call context that it has now
   */
  public String follow(Resource resource, String shown) {
    Mapping known = cache.getIfPresent(resource.key());
    if (known == null) {
      cache.put(resource.key(), new Mapping(shown));
    } else if (shown.equals(known.left())) {
      return known.callContext();
    } else if (!shown.equals(known.callContext())) {
      cache.put(resource.key(), known.moved(shown, null));
    } else if (known.left() != null) {
      cache.put(resource.key(), known.arrived());
    }
    return shown;
  }

  /** Remembers a resource's call context unless it has one. */
  public void rememberIfNew(Resource resource, String callContext) {
    cache.asMap().putIfAbsent(resource.key(), new Mapping(callContext));
  }

  /**
   * Gives a resource that is about to be created its call context, unless it has one and lives.
   *
   * @param evenIfAlive whether a new one of the same id may take the place of one that lives
   * @return what was changed, if anything
   */
  public Optional<Registration> register(
      Resource resource, String callContext, boolean evenIfAlive) {
    Mapping now = new Mapping(callContext);
    AtomicReference<Registration> registration = new AtomicReference<>();
    cache
        .asMap()
        .compute(
            resource.key(),
            (key, known) -> {
              if (known != null && !known.ended() && !evenIfAlive) {
                return known;
              }
              registration.set(new Registration(resource, now, known));
              return now;
            });
    return Optional.ofNullable(registration.get());
  }

  /**
   * The resource has not been created: what was remembered before counts, if anything, unless the
   * resource has moved.
   */
  public void undo(Registration registration) {
    cache
        .asMap()
        .computeIfPresent(
            registration.resource().key(),
            (key, known) -> {
              if (!known.callContext().equals(registration.now().callContext())) {
                return known;
              }
              return registration.before();
            });
  }

  /** The resource is a new one in that call context, whatever was remembered of its id. */
  public void replace(Resource resource, String callContext) {
    cache
        .asMap()
        .compute(
            resource.key(),
            (key, known) ->
                known == null || known.ended() || !known.callContext().equals(callContext)
                    ? new Mapping(callContext)
                    : known);
  }

  /** A channel is hung up: it is gone as soon as it leaves Stasis. */
  public void hangUp(Resource channel) {
    change(channel, Mapping::hangUp);
  }

  /** A channel has left Stasis: it is gone if it is hung up, else it may come back. */
  public void leaveStasis(Resource channel) {
    change(channel, Mapping::leaveStasis);
  }

  /** The resource begins, maybe once again: its mapping stays. */
  public void start(Resource resource) {
    change(resource, Mapping::start);
  }

  /** The resource is gone: its mapping stays for late events only. */
  public void end(Resource resource) {
    change(resource, Mapping::end);
  }

  private void change(Resource resource, UnaryOperator<Mapping> change) {
    cache.asMap().computeIfPresent(resource.key(), (key, mapping) -> change.apply(mapping));
  }

  /** The cache itself, from {@link Resource#key()} to {@link Mapping}, to be read from a route. */
  public Cache<String, Mapping> cache() {
    return cache;
  }

  private record Life(Duration idleTime, Duration graceTime) implements Expiry<String, Mapping> {

    @Override
    public long expireAfterCreate(String key, Mapping mapping, long now) {
      return (mapping.ended() ? graceTime : idleTime).toNanos();
    }

    @Override
    public long expireAfterUpdate(String key, Mapping mapping, long now, long left) {
      return expireAfterCreate(key, mapping, now);
    }

    @Override
    public long expireAfterRead(String key, Mapping mapping, long now, long left) {
      return mapping.ended() ? left : idleTime.toNanos();
    }
  }
}
