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
import io.retel.ariproxy.callcontext.store.StoreNotReachedException;
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
  private static final int TOUCHES = 4;

  private final Cache<String, Mapping> cache;
  private final Duration idleTime;
  private final WriteBehind store;
  private final InstantSource clock;
  private final LongAdder lookUps = new LongAdder();
  private final LongAdder misses = new LongAdder();

  /** What was kept and nobody has asked for within idle time. */
  private final Set<String> tooOld = ConcurrentHashMap.newKeySet();

  /**
   * @param idleTime how long a mapping stays that nobody asks for
   * @param graceTime how long a mapping stays after its resource has ended
   * @param ticker the clock of the cache
   * @param store keeps what lives
   * @param clock the time of day
   */
  public CallContexts(
      Duration idleTime,
      Duration graceTime,
      Ticker ticker,
      WriteBehind store,
      InstantSource clock) {
    this.idleTime = idleTime;
    this.store = store;
    this.clock = clock;
    this.cache =
        Caffeine.newBuilder()
            .expireAfter(new Life(idleTime, graceTime))
            .ticker(ticker)
            .evictionListener(this::onEvicted)
            // its upkeep is a matter of nanoseconds; to wake another thread for it costs more
            .executor(Runnable::run)
            .build();
  }

  /** One that lives in memory alone. */
  public CallContexts(Duration idleTime, Duration graceTime, Ticker ticker) {
    this(
        idleTime,
        graceTime,
        ticker,
        WriteBehind.nowhere(new SimpleMeterRegistry()),
        InstantSource.system());
  }

  /** The call context that is remembered for a resource. */
  public Optional<String> of(Resource resource) {
    lookUps.increment();
    Mapping known = cache.getIfPresent(resource.key());
    if (known == null) {
      misses.increment();
      return Optional.empty();
    }
    if (!known.ended() && now() - known.usedAt() > idleTime.toSeconds() / TOUCHES) {
      change(resource, mapping -> mapping.usedAt(now()));
    }
    return Optional.of(known.callContext());
  }

  /**
   * A resource moves to a call context, whatever it had before.
   *
   * @return that call context
   */
  public String move(Resource resource, String callContext) {
    Mapping seen = cache.getIfPresent(resource.key());
    if (seen == null || !seen.callContext().equals(callContext)) {
      update(
          resource,
          known ->
              known == null
                  ? Mapping.of(callContext, now())
                  : known.moved(callContext, known.callContext()));
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
    Mapping seen = cache.getIfPresent(resource.key());
    if (seen != null && seen.left() == null && shown.equals(seen.callContext())) {
      // as with nearly all events
      return of(resource).orElse(shown);
    }
    return update(
            resource,
            known -> {
              if (known == null) {
                return Mapping.of(shown, now());
              } else if (shown.equals(known.left())) {
                return known;
              } else if (!shown.equals(known.callContext())) {
                return known.moved(shown, null);
              }
              return known.arrived();
            })
        .callContext();
  }

  /** Remembers a resource's call context unless it has one. */
  public void rememberIfNew(Resource resource, String callContext) {
    // to be asked for counts as use
    if (of(resource).isEmpty()) {
      update(resource, known -> known == null ? Mapping.of(callContext, now()) : known);
    }
  }

  /**
   * Gives a resource that is about to be created its call context, unless it has one and lives.
   *
   * @param evenIfAlive whether a new one of the same id may take the place of one that lives
   * @return what was changed, if anything
   */
  public Optional<Registration> register(
      Resource resource, String callContext, boolean evenIfAlive) {
    Mapping now = created(resource, callContext);
    AtomicReference<Registration> registration = new AtomicReference<>();
    update(
        resource,
        known -> {
          boolean lives = known != null && !known.ended() && !evenIfAlive;
          // the same command, before a crash
          boolean itsOwn = lives && known.pending() && known.callContext().equals(callContext);
          if (lives && !itsOwn) {
            return known;
          }
          registration.set(new Registration(resource, now, known));
          return now;
        });
    return Optional.ofNullable(registration.get());
  }

  /**
   * Waits until the store has acknowledged all changes so far.
   *
   * @throws StoreNotReachedException if that takes too long
   */
  public void awaitKept() throws InterruptedException, StoreNotReachedException {
    store.awaitAcknowledged();
  }

  /**
   * The resource has not been created: what was remembered before counts, if anything, unless the
   * resource has moved.
   */
  public void undo(Registration registration) {
    change(
        registration.resource(),
        known -> {
          Mapping before = registration.before();
          if (!known.callContext().equals(registration.now().callContext())) {
            return known;
          } else if (before == null || before.pending()) {
            return null;
          }
          return known.ended() ? before.end() : before;
        });
  }

  /** The command that registered the resource has come to its end, and it may be there. */
  public void settle(Resource resource) {
    change(resource, Mapping::settled);
  }

  /** The resource is a new one in that call context, whatever was remembered of its id. */
  public void replace(Resource resource, String callContext) {
    update(
        resource,
        known ->
            known == null || known.ended() || !known.callContext().equals(callContext)
                ? created(resource, callContext).settled()
                : known.settled());
  }

  private Mapping created(Resource resource, String callContext) {
    return Mapping.beingCreated(callContext, resource.type() == ResourceType.CHANNEL, now());
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
  public long lookUps() {
    return lookUps.sum();
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
  public Map<Resource, Mapping> find(String beginning, int atMost) {
    Map<Resource, Mapping> found = new LinkedHashMap<>();
    cache.asMap().entrySet().stream()
        .filter(entry -> begins(entry.getKey(), entry.getValue(), beginning))
        .limit(atMost)
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> found.put(Resource.ofKey(entry.getKey()), entry.getValue()));
    return found;
  }

  private static boolean begins(String key, Mapping mapping, String beginning) {
    return key.startsWith(beginning)
        || key.startsWith(beginning, key.indexOf(':') + 1)
        || mapping.callContext().startsWith(beginning);
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
        .map(Resource::ofKey)
        .filter(
            resource ->
                evictIf(resource, mapping -> mapping.callContext().equals(callContext)).isPresent())
        .toList();
  }

  private Optional<Mapping> evictIf(Resource resource, Predicate<Mapping> condition) {
    AtomicReference<Mapping> evicted = new AtomicReference<>();
    change(
        resource,
        known -> {
          boolean goes = condition.test(known);
          evicted.set(goes ? known : null);
          return goes ? null : known;
        });
    return Optional.ofNullable(evicted.get());
  }

  /** All resources that are thought to be there; those that are just being created are not. */
  public Map<Resource, Mapping> living() {
    Map<Resource, Mapping> living = new LinkedHashMap<>();
    cache
        .asMap()
        .forEach(
            (key, mapping) -> {
              if (!mapping.ended() && !mapping.pending()) {
                living.put(Resource.ofKey(key), mapping);
              }
            });
    return living;
  }

  /** The call contexts of all resources that are thought to be there. */
  public Set<String> livingCallContexts() {
    return living().values().stream().map(Mapping::callContext).collect(Collectors.toSet());
  }

  /**
   * Takes back what a store has kept, unless it is older than idle time.
   *
   * @param key as {@link Resource#key()}
   * @param kept the mapping as JSON
   */
  public void restore(String key, String kept) {
    try {
      Mapping mapping = JSON.readValue(kept, Mapping.class);
      if (mapping.callContext() == null) {
        throw new IllegalArgumentException("it has no call context");
      }
      if (now() - mapping.usedAt() < idleTime.toSeconds()) {
        cache.asMap().putIfAbsent(Resource.ofKey(key).key(), mapping);
      } else {
        tooOld.add(key);
      }
    } catch (JsonProcessingException | IllegalArgumentException e) {
      LOG.warn("What is kept of {} is no mapping, and is left out: {}", key, e.getMessage());
    }
  }

  /** All that was kept has been taken back: the store may forget what was too old. */
  public void restored() {
    tooOld.forEach(key -> store.note(key, Optional.empty()));
    tooOld.clear();
  }

  private void change(Resource resource, UnaryOperator<Mapping> change) {
    update(resource, known -> known == null ? null : change.apply(known));
  }

  /** The one way to change a mapping; what is kept follows in the same order. */
  private Mapping update(Resource resource, UnaryOperator<Mapping> change) {
    return cache
        .asMap()
        .compute(
            resource.key(),
            (key, known) -> {
              Mapping now = change.apply(known);
              boolean wasKept = known != null && !known.ended();
              if (now == null || now.ended()) {
                if (wasKept) {
                  store.note(key, Optional.empty());
                }
              } else if (!now.keptLike(known)) {
                store.note(key, Optional.of(json(now)));
              }
              return now;
            });
  }

  private void onEvicted(String key, Mapping mapping, RemovalCause cause) {
    if (mapping != null && !mapping.ended()) {
      store.note(key, Optional.empty());
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
