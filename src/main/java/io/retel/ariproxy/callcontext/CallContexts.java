package io.retel.ariproxy.callcontext;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import com.github.benmanes.caffeine.cache.RemovalCause;
import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.store.StoreUnavailableException;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The memory of call contexts: resource to call context (contract.md section 3).
 *
 * <p>A mapping lives as long as its resource, then for a grace time; what never ends is forgotten
 * after idle time. All mappings are in a cache in memory; what lives is kept in a store as well,
 * behind the back of the callers. Safe for use by many threads.
 */
public final class CallContexts {

  private static final Logger LOG = LoggerFactory.getLogger(CallContexts.class);

  private static final ObjectMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  /** In how many parts of the idle time the store learns once that a mapping is used. */
  private static final int REFRESHES_PER_IDLE_TIMEOUT = 4;

  private final Cache<String, Mapping> cache;
  private final Duration idleTimeout;
  private final WriteBehind writeBehind;
  private final InstantSource clock;
  private final LongAdder lookups = new LongAdder();
  private final LongAdder misses = new LongAdder();

  /** What was kept and nobody has asked for within idle time. */
  private final Set<String> expiredKeys = ConcurrentHashMap.newKeySet();

  /**
   * @param idleTime how long a mapping stays that nobody asks for
   * @param graceTime how long a mapping stays after its resource has ended
   * @param ticker the clock of the cache
   * @param store keeps what lives
   * @param clock the time of day
   */
  public CallContexts(
      Duration idleTimeout,
      Duration gracePeriod,
      Ticker ticker,
      WriteBehind writeBehind,
      InstantSource clock) {
    this.idleTimeout = idleTimeout;
    this.writeBehind = writeBehind;
    this.clock = clock;
    this.cache =
        Caffeine.newBuilder()
            .expireAfter(new MappingExpiry(idleTimeout, gracePeriod))
            .ticker(ticker)
            .evictionListener(this::onEvicted)
            // its upkeep is a matter of nanoseconds; to wake another thread for it costs more
            .executor(Runnable::run)
            .build();
  }

  /** One that lives in memory alone. */
  public CallContexts(Duration idleTimeout, Duration gracePeriod, Ticker ticker) {
    this(
        idleTimeout,
        gracePeriod,
        ticker,
        WriteBehind.noop(new SimpleMeterRegistry()),
        InstantSource.system());
  }

  /** The call context that is remembered for a resource. */
  public Optional<String> lookup(Resource resource) {
    lookups.increment();
    Mapping existing = cache.getIfPresent(resource.key());
    if (existing == null) {
      misses.increment();
      return Optional.empty();
    }
    if (!existing.ended()
        && now() - existing.usedAt() > idleTimeout.toSeconds() / REFRESHES_PER_IDLE_TIMEOUT) {
      change(resource, mapping -> mapping.usedAt(now()));
    }
    return Optional.of(existing.callContext());
  }

  /**
   * A resource moves to a call context, whatever it had before.
   *
   * @return that call context
   */
  public String move(Resource resource, String callContext) {
    Mapping cached = cache.getIfPresent(resource.key());
    if (cached == null || !cached.callContext().equals(callContext)) {
      update(
          resource,
          existing ->
              existing == null
                  ? Mapping.of(callContext, now())
                  : existing.moved(callContext, existing.callContext()));
    }
    return callContext;
  }

  /**
   * A resource is shown in a call context, and moves there unless that is the one that it has just
   * left: Asterisk may show that for some events more.
   *
   * @return the call context that it has now
   */
  public String observe(Resource resource, String shown) {
    Mapping cached = cache.getIfPresent(resource.key());
    if (cached != null
        && cached.previousCallContext() == null
        && shown.equals(cached.callContext())) {
      // as with nearly all events
      return lookup(resource).orElse(shown);
    }
    return update(
            resource,
            existing -> {
              if (existing == null) {
                return Mapping.of(shown, now());
              } else if (shown.equals(existing.previousCallContext())) {
                return existing;
              } else if (!shown.equals(existing.callContext())) {
                return existing.moved(shown, null);
              }
              return existing.withoutPrevious();
            })
        .callContext();
  }

  /** Remembers a resource's call context unless it has one. */
  public void assignIfAbsent(Resource resource, String callContext) {
    // to be asked for counts as use
    if (lookup(resource).isEmpty()) {
      update(resource, existing -> existing == null ? Mapping.of(callContext, now()) : existing);
    }
  }

  /**
   * Gives a resource that is about to be created its call context, unless it has one and lives.
   *
   * @param evenIfAlive whether a new one of the same id may take the place of one that lives
   * @return what was changed, if anything
   */
  public Optional<Registration> register(
      Resource resource, String callContext, boolean replaceActive) {
    Mapping candidate = pendingMapping(resource, callContext);
    AtomicReference<Registration> registration = new AtomicReference<>();
    update(
        resource,
        existing -> {
          boolean isActive = existing != null && !existing.ended() && !replaceActive;
          // the same command, before a crash
          boolean isSameCommand =
              isActive && existing.pending() && existing.callContext().equals(callContext);
          if (isActive && !isSameCommand) {
            return existing;
          }
          registration.set(new Registration(resource, candidate, existing));
          return candidate;
        });
    return Optional.ofNullable(registration.get());
  }

  /**
   * Waits until the store has acknowledged all changes so far.
   *
   * @throws StoreUnavailableException if that takes too long
   */
  public void awaitPersisted() throws InterruptedException, StoreUnavailableException {
    writeBehind.awaitAcknowledged();
  }

  /**
   * The resource has not been created: what was remembered before counts, if anything, unless the
   * resource has moved.
   */
  public void rollback(Registration registration) {
    change(
        registration.resource(),
        existing -> {
          Mapping previous = registration.previous();
          if (!existing.callContext().equals(registration.current().callContext())) {
            return existing;
          } else if (previous == null || previous.pending()) {
            return null;
          }
          return existing.ended() ? previous.end() : previous;
        });
  }

  /** The command that registered the resource has come to its end, and it may be there. */
  public void confirm(Resource resource) {
    change(resource, Mapping::confirmed);
  }

  /** The resource is a new one in that call context, whatever was remembered of its id. */
  public void replace(Resource resource, String callContext) {
    update(
        resource,
        existing ->
            existing == null || existing.ended() || !existing.callContext().equals(callContext)
                ? pendingMapping(resource, callContext).confirmed()
                : existing.confirmed());
  }

  private Mapping pendingMapping(Resource resource, String callContext) {
    return Mapping.forCreation(callContext, resource.type() == ResourceType.CHANNEL, now());
  }

  /** A channel is in a Stasis application, and controllers are told so. */
  public void enterStasis(Resource channel, String application) {
    change(channel, mapping -> mapping.enterStasis(application));
  }

  /** A channel is hung up: it is gone as soon as it leaves Stasis. */
  public void hangUp(Resource channel) {
    change(channel, Mapping::hangUp);
  }

  /** A channel has left Stasis: it is gone if it is hung up, else it may come back. */
  public void leaveStasis(Resource channel, String application) {
    change(channel, mapping -> mapping.leaveStasis(application));
  }

  /** The resource begins, maybe once again: its mapping stays. */
  public void start(Resource resource) {
    change(resource, Mapping::start);
  }

  /** The resource is gone: its mapping stays for late events only. */
  public void end(Resource resource) {
    change(resource, Mapping::end);
  }

  /** How often a resource's call context was looked up. */
  public long lookups() {
    return lookups.sum();
  }

  /** How many of the look-ups found none. */
  public long misses() {
    return misses.sum();
  }

  /** About how many resources are remembered, those that have just ended included. */
  public long size() {
    return cache.estimatedSize();
  }

  /** What is remembered of a resource. */
  public Optional<Mapping> mapping(Resource resource) {
    return Optional.ofNullable(cache.asMap().get(resource.key()));
  }

  /** What is remembered of a resource, for who only watches: to look does not count as use. */
  public Optional<Mapping> peek(Resource resource) {
    return Optional.ofNullable(cache.policy().getIfPresentQuietly(resource.key()));
  }

  /**
   * What is remembered of resources whose call context, {@link Resource#key() key} or id begins
   * with a text, those that have ended included; to look does not count as use.
   *
   * @param atMost how many at most; which ones, if there are more, is not said
   */
  public Map<Resource, Mapping> find(String prefix, int limit) {
    Map<Resource, Mapping> found = new LinkedHashMap<>();
    cache.asMap().entrySet().stream()
        .filter(entry -> matchesPrefix(entry.getKey(), entry.getValue(), prefix))
        .limit(limit)
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> found.put(Resource.fromKey(entry.getKey()), entry.getValue()));
    return found;
  }

  private static boolean matchesPrefix(String key, Mapping mapping, String prefix) {
    return key.startsWith(prefix)
        || key.startsWith(prefix, key.indexOf(':') + 1)
        || mapping.callContext().startsWith(prefix);
  }

  /**
   * Forgets a resource at once, in the store as well.
   *
   * @return what was remembered of it
   */
  public Optional<Mapping> evict(Resource resource) {
    return evictIf(resource, mapping -> true);
  }

  /**
   * Forgets all resources of a call context.
   *
   * @return which they were
   */
  public List<Resource> evictAllOf(String callContext) {
    return cache.asMap().keySet().stream()
        .map(Resource::fromKey)
        .filter(
            resource ->
                evictIf(resource, mapping -> mapping.callContext().equals(callContext)).isPresent())
        .toList();
  }

  private Optional<Mapping> evictIf(Resource resource, Predicate<Mapping> condition) {
    AtomicReference<Mapping> evicted = new AtomicReference<>();
    change(
        resource,
        existing -> {
          boolean matches = condition.test(existing);
          evicted.set(matches ? existing : null);
          return matches ? null : existing;
        });
    return Optional.ofNullable(evicted.get());
  }

  /** All resources that are thought to be there; those that are just being created are not. */
  public Map<Resource, Mapping> active() {
    Map<Resource, Mapping> active = new LinkedHashMap<>();
    cache
        .asMap()
        .forEach(
            (key, mapping) -> {
              if (!mapping.ended() && !mapping.pending()) {
                active.put(Resource.fromKey(key), mapping);
              }
            });
    return active;
  }

  /** The call contexts of all resources that are thought to be there. */
  public Set<String> activeCallContexts() {
    return active().values().stream().map(Mapping::callContext).collect(Collectors.toSet());
  }

  /**
   * Takes back what a store has kept, unless it is older than idle time.
   *
   * @param key as {@link Resource#key()}
   * @param kept the mapping as JSON
   */
  public void restore(String key, String storedJson) {
    try {
      Mapping mapping = JSON.readValue(storedJson, Mapping.class);
      if (mapping.callContext() == null) {
        throw new IllegalArgumentException("it has no call context");
      }
      if (now() - mapping.usedAt() < idleTimeout.toSeconds()) {
        cache.asMap().putIfAbsent(Resource.fromKey(key).key(), mapping);
      } else {
        expiredKeys.add(key);
      }
    } catch (JsonProcessingException | IllegalArgumentException e) {
      LOG.warn("What is kept of {} is no mapping, and is left out: {}", key, e.getMessage());
    }
  }

  /** All that was kept has been taken back: the store may forget what was too old. */
  public void completeRestore() {
    expiredKeys.forEach(key -> writeBehind.enqueue(key, Optional.empty()));
    expiredKeys.clear();
  }

  private void change(Resource resource, UnaryOperator<Mapping> change) {
    update(resource, existing -> existing == null ? null : change.apply(existing));
  }

  /** The one way to change a mapping; what is kept follows in the same order. */
  private Mapping update(Resource resource, UnaryOperator<Mapping> change) {
    return cache
        .asMap()
        .compute(
            resource.key(),
            (key, existing) -> {
              Mapping updated = change.apply(existing);
              boolean wasStored = existing != null && !existing.ended();
              if (updated == null || updated.ended()) {
                if (wasStored) {
                  writeBehind.enqueue(key, Optional.empty());
                }
              } else if (!updated.hasSameStoredForm(existing)) {
                writeBehind.enqueue(key, Optional.of(json(updated)));
              }
              return updated;
            });
  }

  private void onEvicted(String key, Mapping mapping, RemovalCause cause) {
    if (mapping != null && !mapping.ended()) {
      writeBehind.enqueue(key, Optional.empty());
    }
  }

  private static String json(Mapping mapping) {
    try {
      return JSON.writeValueAsString(mapping);
    } catch (JsonProcessingException e) {
      // texts and numbers do not fail
      throw new UncheckedIOException(e);
    }
  }

  private long now() {
    return clock.instant().getEpochSecond();
  }

  /** The cache itself, from {@link Resource#key()} to {@link Mapping}, to be read from a route. */
  public Cache<String, Mapping> cache() {
    return cache;
  }

  private record MappingExpiry(Duration idleTimeout, Duration gracePeriod)
      implements Expiry<String, Mapping> {

    @Override
    public long expireAfterCreate(String key, Mapping mapping, long currentTime) {
      return (mapping.ended() ? gracePeriod : idleTimeout).toNanos();
    }

    @Override
    public long expireAfterUpdate(String key, Mapping mapping, long currentTime, long remaining) {
      return expireAfterCreate(key, mapping, currentTime);
    }

    @Override
    public long expireAfterRead(String key, Mapping mapping, long currentTime, long remaining) {
      return mapping.ended() ? remaining : idleTimeout.toNanos();
    }
  }
}
