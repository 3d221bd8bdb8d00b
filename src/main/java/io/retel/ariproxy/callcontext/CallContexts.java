// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

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
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Cache of mappings from resource to call context (docs/contract.md#mapping).
 *
 * <p>A mapping exists as long as its resource and for a grace period after its end; it expires
 * after an idle timeout if no end event arrives. All mappings are in memory; mappings of active
 * resources are also written to a store asynchronously. Thread-safe.
 */
public final class CallContexts {

  /** Number of times per idle timeout that the use of a mapping is written to the store. */
  private static final int REFRESHES_PER_IDLE_TIMEOUT = 4;

  private final Cache<String, Mapping> cache;
  private final MappingHeap heap;
  private final ActiveCalls activeCalls = new ActiveCalls();
  private final MappingRestore restore;
  private final ReusedIds reusedIds;
  private final Duration idleTimeout;
  private final WriteBehind writeBehind;
  private final InstantSource clock;

  /** The application that a channel entered last. */
  private volatile String latestApplication = "";

  private final LongAdder lookups = new LongAdder();
  private final LongAdder misses = new LongAdder();

  /**
   * @param idleTimeout how long an unused mapping is retained
   * @param gracePeriod how long a mapping is retained after its resource has ended
   * @param ticker the clock of the cache
   * @param writeBehind writes the mappings of active resources to the store
   * @param clock the time of day, which is stored: the next process compares it with its own
   * @param maxBytes limits the heap of mappings and of their pending writes
   */
  public CallContexts(
      Duration idleTimeout,
      Duration gracePeriod,
      Ticker ticker,
      WriteBehind writeBehind,
      InstantSource clock,
      long maxBytes) {
    this.heap = new MappingHeap(maxBytes, writeBehind::pendingBytes);
    this.idleTimeout = idleTimeout;
    this.writeBehind = writeBehind;
    this.clock = clock;
    this.reusedIds = new ReusedIds(idleTimeout, gracePeriod, ticker, maxBytes);
    this.cache =
        Caffeine.newBuilder()
            .expireAfter(new MappingExpiry(idleTimeout, gracePeriod))
            .ticker(ticker)
            .evictionListener(this::onEvicted)
            // maintenance takes nanoseconds, less than waking another thread
            .executor(Runnable::run)
            .build();
    this.restore =
        new MappingRestore(
            cache.asMap(), heap, activeCalls, writeBehind, idleTimeout, this::now, this::shared);
  }

  /** Creates an instance without a store. */
  public CallContexts(Duration idleTimeout, Duration gracePeriod, Ticker ticker) {
    this(
        idleTimeout,
        gracePeriod,
        ticker,
        WriteBehind.noop(new SimpleMeterRegistry()),
        InstantSource.system(),
        Long.MAX_VALUE / 2);
  }

  /** Returns the call context of a resource; this counts as a use of its mapping. */
  public Optional<String> lookup(Resource resource) {
    lookups.increment();
    Mapping existing = cache.getIfPresent(resource.key());
    if (existing == null) {
      misses.increment();
      return Optional.empty();
    }
    if (!existing.isOf(resource)) {
      return lookupInstance(resource);
    }
    if (!existing.ended()
        && now() - existing.usedAt() > idleTimeout.toSeconds() / REFRESHES_PER_IDLE_TIMEOUT) {
      change(resource, mapping -> mapping.usedAt(now()));
    }
    return Optional.of(existing.callContext());
  }

  /** Looks up a resource that is not known to be the mapped one. */
  private Optional<String> lookupInstance(Resource resource) {
    String earlier = reusedIds.earlierCallContext(resource);
    if (earlier != null) {
      return Optional.of(earlier);
    }
    return Optional.ofNullable(recognize(resource))
        .filter(mapping -> !mapping.isOfOther(resource))
        .map(Mapping::callContext);
  }

  private @Nullable Mapping recognize(Resource resource) {
    return update(resource, existing -> recognize(resource, existing));
  }

  /**
   * Returns the mapping after an event of a resource that is not known to be the mapped one.
   *
   * <p>It is the successor that a command is creating; or a new resource, if the mapped one has
   * ended; or a playback or recording on another target. Otherwise it is the mapped one: a redirect
   * in Asterisk changes the creation time of a channel.
   */
  private @Nullable Mapping recognize(Resource resource, @Nullable Mapping existing) {
    if (existing == null || existing.isOf(resource)) {
      return existing;
    }
    if (existing.isOfOther(resource)) {
      Mapping successor = reusedIds.takeSuccessor(resource);
      if (successor != null || existing.ended()) {
        reusedIds.addEarlier(resource.key(), existing);
        return successor;
      }
      if (resource.type().isMedia()) {
        return existing;
      }
    } else if (reusedIds.hasSuccessor(resource)) {
      // either of them; the response decides
      return existing;
    }
    return existing.withInstance(resource.instance());
  }

  /**
   * Moves a resource to a call context, whether or not it is mapped.
   *
   * @return that call context
   */
  public String move(Resource resource, String callContext) {
    Mapping cached = cache.getIfPresent(resource.key());
    if (cached != null && !cached.isOf(resource)) {
      if (reusedIds.earlierCallContext(resource) != null) {
        reusedIds.moveEarlier(resource, callContext);
        return callContext;
      }
      cached = recognize(resource);
    }
    if (cached == null || !cached.callContext().equals(callContext)) {
      update(
          resource,
          existing ->
              existing == null
                  ? Mapping.of(callContext, resource.instance(), now())
                  : existing.moved(callContext, existing.callContext()));
    }
    return callContext;
  }

  /**
   * Handles a call context reported by an event: moves the resource to it, unless it is the
   * previous call context, which Asterisk can still report in some later events.
   *
   * @return the resource's current call context
   */
  public String observe(Resource resource, String shown) {
    Mapping cached = cache.getIfPresent(resource.key());
    if (cached != null
        && cached.isOf(resource)
        && cached.previousCallContext() == null
        && shown.equals(cached.callContext())) {
      // the common case: nearly all events
      return lookup(resource).orElse(shown);
    }
    if (cached != null && !cached.isOf(resource)) {
      String earlier = reusedIds.earlierCallContext(resource);
      if (earlier != null) {
        return earlier;
      }
      recognize(resource);
    }
    Mapping mapping =
        update(
            resource,
            existing -> {
              if (existing == null) {
                return Mapping.of(shown, resource.instance(), now());
              } else if (shown.equals(existing.previousCallContext())) {
                return existing;
              } else if (!shown.equals(existing.callContext())) {
                return existing.moved(shown, null);
              }
              return existing.withoutPrevious();
            });
    return mapping == null ? shown : mapping.callContext();
  }

  /**
   * Maps a resource to a call context unless it is mapped; this counts as a use.
   *
   * @return the resource's current call context; the given one if its id is mapped to another
   *     playback or recording, or if the heap for mappings is full
   */
  public String assignIfAbsent(Resource resource, String callContext) {
    // lookup() counts as a use
    return lookup(resource)
        .orElseGet(
            () -> {
              Mapping mapping =
                  update(
                      resource,
                      existing ->
                          existing == null
                              ? Mapping.of(callContext, resource.instance(), now())
                              : existing);
              return mapping == null || mapping.isOfOther(resource)
                  ? callContext
                  : mapping.callContext();
            });
  }

  /**
   * Maps a resource that is about to be created, unless its id is mapped and active.
   *
   * @param replaceActive whether a new resource can replace an active one with the same id
   * @return the registration, empty if nothing changed
   * @throws MappingLimitException if the heap for mappings is full
   */
  public Optional<Registration> register(
      Resource resource, String callContext, boolean replaceActive) {
    return register(resource, pendingMapping(resource, callContext), replaceActive);
  }

  /**
   * Maps a channel that is about to be claimed, unless it is mapped. Asterisk reports that it
   * leaves the application, not its end.
   *
   * @return the registration, empty if nothing changed
   * @throws MappingLimitException if the heap for mappings is full
   */
  public Optional<Registration> registerClaim(Resource channel, String callContext) {
    return register(
        channel, Mapping.forCreation(callContext, channel.instance(), false, now()), false);
  }

  @SuppressWarnings("ReferenceEquality") // the candidate itself
  private Optional<Registration> register(
      Resource resource, Mapping candidate, boolean replaceActive) {
    String callContext = candidate.callContext();
    AtomicReference<Registration> registration = new AtomicReference<>();
    Mapping current =
        update(
            resource,
            existing -> {
              boolean isActive = existing != null && !existing.ended() && !replaceActive;
              // registered by the same command before a crash
              boolean isSameCommand =
                  isActive && existing.pending() && existing.callContext().equals(callContext);
              if (isActive && !isSameCommand) {
                // a change, so that a comparison does not end it while the command runs
                return existing.usedAt(now());
              }
              if (!isSameCommand) {
                reusedIds.addEarlier(resource.key(), existing);
              }
              registration.set(new Registration(resource, candidate, existing));
              return candidate;
            });
    if (registration.get() != null && current != candidate) {
      throw new MappingLimitException(heap.full());
    }
    return Optional.ofNullable(registration.get());
  }

  /**
   * Waits until the store has acknowledged all changes so far.
   *
   * @throws StoreUnavailableException on timeout
   */
  public void awaitPersisted() throws InterruptedException, StoreUnavailableException {
    writeBehind.awaitAcknowledged();
  }

  /**
   * Restores the previous mapping, if any, since the resource was not created; ignored if the
   * resource has moved.
   */
  public void rollback(Registration registration) {
    change(
        registration.resource(),
        existing -> {
          Mapping previous = registration.previous();
          if (!existing.callContext().equals(registration.current().callContext())) {
            return existing;
          } else if (previous == null
              || previous.pending() && (previous.ended() || registration.isRepeated())) {
            return null;
          }
          // of a playback of another call, whose command can have ended before this one
          Mapping restored = previous.confirmed();
          return existing.ended() ? restored.end() : restored;
        });
  }

  /**
   * Announces a resource that is about to be created although its id is mapped and active: the
   * first event of another instance maps it, or {@link #replace}.
   */
  public void announceSuccessor(Resource resource, String callContext) {
    reusedIds.addSuccessor(resource.key(), pendingMapping(resource, callContext));
  }

  /** Withdraws a successor, since it was not created. */
  public void withdrawSuccessor(Resource resource, String callContext) {
    reusedIds.removeSuccessor(resource, callContext);
  }

  /**
   * Marks a registered resource as no longer pending: its command has ended and the resource can
   * exist. Ignored if the id is mapped to another resource.
   */
  public void confirm(Resource resource) {
    update(
        resource,
        existing -> {
          // a late event can have set the creation time of an earlier resource while pending, but
          // the target of a playback or recording is known from its command
          if (existing == null
              || existing.isOfOther(resource)
                  && (!existing.pending() || resource.type().isMedia())) {
            return existing;
          }
          Mapping confirmed = existing.confirmed();
          return confirmed.isOf(resource) ? confirmed : confirmed.withInstance(resource.instance());
        });
  }

  /**
   * Marks a registered resource as no longer pending: its command has ended, but only an event can
   * show that the resource exists.
   */
  public void recordUnknownOutcome(Resource resource) {
    change(
        resource,
        existing -> {
          // an event has already shown it; the instance of media is known from the command
          boolean isShown = !resource.type().isMedia() && !existing.instance().isEmpty();
          return isShown ? existing.confirmed() : existing.unknownOutcome();
        });
  }

  /** Maps a newly created resource, replacing an earlier mapping of the same id. */
  public void replace(Resource resource, String callContext) {
    reusedIds.removeSuccessor(resource, callContext);
    update(
        resource,
        existing -> {
          boolean isKnown =
              existing != null && !existing.instance().isEmpty() && !resource.instance().isEmpty();
          boolean isSame =
              existing != null
                  && (isKnown
                      ? existing.isOf(resource)
                      : !existing.ended() && existing.callContext().equals(callContext));
          if (isSame) {
            return existing.confirmed();
          }
          reusedIds.addEarlier(resource.key(), existing);
          return pendingMapping(resource, callContext).confirmed();
        });
  }

  /** Maps a created resource if the mapped one with the same id is known to be another one. */
  public void replaceIfOther(Resource resource, String callContext) {
    Mapping existing = cache.getIfPresent(resource.key());
    if (existing != null && existing.isOfOther(resource)) {
      replace(resource, callContext);
    }
    reusedIds.removeSuccessor(resource, callContext);
  }

  private Mapping pendingMapping(Resource resource, String callContext) {
    return Mapping.forCreation(
        callContext, resource.instance(), resource.type() == ResourceType.CHANNEL, now());
  }

  /** Records that a channel is in a Stasis application and that this has been published. */
  public void enterStasis(Resource channel, String application) {
    String shared = shared(application);
    change(channel, mapping -> mapping.enterStasis(shared));
  }

  /** Returns an equal text, so that not each mapping has its own. */
  private String shared(String application) {
    String latest = latestApplication;
    if (application.equals(latest)) {
      return latest;
    }
    latestApplication = application;
    return application;
  }

  /** Records a hangup: the channel ends when it leaves Stasis. */
  public void hangUp(Resource channel) {
    change(channel, Mapping::hangUp);
  }

  /**
   * Records that a channel has left Stasis: it has ended if it is hung up, otherwise it can return.
   */
  public void leaveStasis(Resource channel, String application) {
    change(channel, mapping -> mapping.leaveStasis(application));
  }

  /** Records a start, possibly a repeated one: the mapping is active. */
  public void start(Resource resource) {
    change(resource, Mapping::start);
  }

  /** Records the end: afterward the mapping serves late events only. */
  public void end(Resource resource) {
    change(resource, Mapping::end);
  }

  /**
   * Ends a mapping unless it has changed since it was read. A command that creates the resource
   * again is a change.
   *
   * @param read the mapping as returned by {@link #active}
   * @return whether it ended
   */
  @SuppressWarnings("ReferenceEquality") // each change creates an object, even an equal one
  public boolean endIfUnchanged(Resource resource, Mapping read) {
    AtomicBoolean ended = new AtomicBoolean();
    change(
        resource,
        existing -> {
          ended.set(existing == read);
          return ended.get() ? existing.end() : existing;
        });
    return ended.get();
  }

  /** Number of lookups. */
  public long lookups() {
    return lookups.sum();
  }

  /** Number of lookups without a mapping. */
  public long misses() {
    return misses.sum();
  }

  /** Approximate number of mappings, including recently ended ones. */
  public long size() {
    return cache.estimatedSize();
  }

  /** Number of active resources. */
  public int activeResources() {
    return activeCalls.resources();
  }

  /** Number of call contexts with active resources. */
  public int activeCalls() {
    return activeCalls.calls();
  }

  /** Heap of the mappings and their pending writes, in bytes. */
  public long heapBytes() {
    return heap.used();
  }

  /** The limit of {@link #heapBytes}. */
  public long maxHeapBytes() {
    return heap.limit();
  }

  /** Number of changes that the full heap for mappings prevented. */
  public long refused() {
    return heap.refused();
  }

  /** Returns a sentence while the heap for mappings is full. */
  public Optional<String> fullness() {
    return isFull()
        ? Optional.of(
            heap.full() + ": new resources are not mapped; end calls, or set a larger -Xmx")
        : Optional.empty();
  }

  /** Whether no new resource can be mapped. */
  public boolean isFull() {
    removeExpiredIfFull();
    return heap.isFull();
  }

  private void removeExpiredIfFull() {
    if (heap.isFull()) {
      // expired mappings occupy the heap until the next one is written
      cache.cleanUp();
    }
  }

  /** Returns the mapping of a resource. */
  public Optional<Mapping> mapping(Resource resource) {
    return Optional.ofNullable(cache.asMap().get(resource.key()));
  }

  /** Returns the mapping of a resource without counting as a use; for monitoring. */
  public Optional<Mapping> peek(Resource resource) {
    return Optional.ofNullable(cache.policy().getIfPresentQuietly(resource.key()));
  }

  /**
   * Finds mappings by prefix of call context, {@link Resource#key() key} or id, including ended
   * ones; does not count as a use.
   *
   * @param limit maximum number of results; an arbitrary subset if more match
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
   * Removes a mapping immediately, including from the store.
   *
   * @return the removed mapping
   */
  public Optional<Mapping> evict(Resource resource) {
    return evictIf(resource, mapping -> true);
  }

  /**
   * Removes all mappings of a call context.
   *
   * @return their resources
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

  /** Returns all mappings, including those of ended resources. */
  public Map<Resource, Mapping> all() {
    Map<Resource, Mapping> all = new LinkedHashMap<>();
    cache.asMap().forEach((key, mapping) -> all.put(Resource.fromKey(key), mapping));
    return all;
  }

  /** Returns the mappings of all active resources; those being created are excluded. */
  public Map<Resource, Mapping> active() {
    Map<Resource, Mapping> active = new LinkedHashMap<>();
    cache
        .asMap()
        .forEach(
            (key, mapping) -> {
              if (mapping.isActive()) {
                active.put(Resource.fromKey(key), mapping);
              }
            });
    return active;
  }

  /** Returns the call contexts with channels in this Stasis application and in no other. */
  Set<String> activeOnlyIn(String application) {
    Map<String, Boolean> onlyIn = new HashMap<>();
    active()
        .values()
        .forEach(
            mapping -> {
              if (mapping.application() != null) {
                onlyIn.merge(
                    mapping.callContext(),
                    mapping.application().equals(application),
                    Boolean::logicalAnd);
              }
            });
    onlyIn.values().removeIf(only -> !only);
    return Set.copyOf(onlyIn.keySet());
  }

  /** Returns the call contexts of all active resources. */
  public Set<String> activeCallContexts() {
    return cache.asMap().values().stream()
        .filter(Mapping::isActive)
        .map(Mapping::callContext)
        .collect(Collectors.toSet());
  }

  /**
   * Restores a stored mapping, instead of an earlier value of its key; none if it is malformed,
   * older than the idle timeout, or the heap for mappings is full.
   *
   * @param key as {@link Resource#key()}
   * @param storedJson the mapping as JSON, or null if it has been deleted
   */
  public void restore(String key, @Nullable String storedJson) {
    restore.restore(key, storedJson);
  }

  /**
   * Ends the restore: deletes expired mappings from the store, and logs those not restored.
   *
   * @return false if it needs all stored mappings once more, since later values have ended mappings
   *     that took the place of others
   */
  public boolean completeRestore() {
    return restore.complete();
  }

  /** Writes the mappings of all active resources to the store again. */
  public void persistAll() {
    for (String key : cache.asMap().keySet()) {
      cache
          .asMap()
          .computeIfPresent(
              key,
              (sameKey, mapping) -> {
                if (!mapping.ended()) {
                  writeBehind.enqueue(key, Optional.of(StoredMapping.of(mapping).toJson()));
                }
                return mapping;
              });
    }
  }

  /** Changes the mapping of a resource; an event of an earlier one changes nothing. */
  private void change(Resource resource, UnaryOperator<Mapping> change) {
    update(
        resource,
        existing ->
            existing == null || existing.isOfOther(resource) || isEarlier(resource, existing)
                ? existing
                : change.apply(existing));
  }

  /** Whether a resource is known to be an earlier one, whose mapping has been replaced. */
  public boolean isEarlier(Resource resource) {
    Mapping existing = cache.asMap().get(resource.key());
    return existing != null && isEarlier(resource, existing);
  }

  private boolean isEarlier(Resource resource, Mapping existing) {
    return !existing.isOf(resource) && reusedIds.earlierCallContext(resource) != null;
  }

  /**
   * The only way to change a mapping; writes to the store follow in the same order.
   *
   * @return the mapping afterward: the existing one, or null, if the heap for mappings is full
   */
  private @Nullable Mapping update(Resource resource, UnaryOperator<Mapping> change) {
    removeExpiredIfFull();
    return cache
        .asMap()
        .compute(
            resource.key(),
            (key, existing) -> {
              Mapping updated = change.apply(existing);
              if (!heap.replace(key, existing, updated)) {
                heap.refuse(key);
                return existing;
              }
              activeCalls.replace(existing, updated);
              boolean wasStored = existing != null && !existing.ended();
              if (updated == null || updated.ended()) {
                if (wasStored) {
                  writeBehind.enqueue(key, Optional.empty());
                }
              } else if (!updated.hasSameStoredForm(existing)) {
                writeBehind.enqueue(key, Optional.of(StoredMapping.of(updated).toJson()));
              }
              return updated;
            });
  }

  private void onEvicted(@Nullable String key, @Nullable Mapping mapping, RemovalCause cause) {
    if (key == null || mapping == null) {
      return;
    }
    heap.replace(key, mapping, null);
    activeCalls.replace(mapping, null);
    if (!mapping.ended()) {
      writeBehind.enqueue(key, Optional.empty());
    }
  }

  private long now() {
    return clock.instant().getEpochSecond();
  }

  /** The cache from {@link Resource#key()} to {@link Mapping}, for reading in a route. */
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
