// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.retel.ariproxy.ari.PathEncoding;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.Mapping;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.time.Moment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The questions of one resync: what has become of the mapped resources, and which channels have
 * entered the applications.
 *
 * <p>The first attempt asks for everything, concurrently: lists, then single resources where
 * Asterisk fails on a list, then playbacks and recordings, which it does not list. Later attempts,
 * with growing delays, repeat what failed. The events thread waits for the first one, but not for
 * long, and then {@linkplain #take takes} the findings. Thread-safe.
 */
final class AsteriskQuery implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(AsteriskQuery.class);

  private static final Duration FIRST_RETRY_DELAY = Duration.ofSeconds(1);
  private static final Duration MAX_RETRY_DELAY = Duration.ofMinutes(1);

  /** How long late observations are collected before they are published. */
  private static final Duration COLLECTION_TIME = Duration.ofMillis(500);

  /** The key of an attempt's failure that no question explains. */
  private static final String ATTEMPT = "attempt";

  /** Limit of the channels in applications: 200,000 in a heap of 1 GB. */
  static final long MAX_LISTED_CHANNELS = Runtime.getRuntime().maxMemory() / 5_000;

  /** An id of Asterisk has 17 characters, a startup time 28. */
  private static final int MAX_INFO_LENGTH = 64;

  private final Moment connectedAt;
  private final CallContexts callContexts;
  private final StasisApplications stasisApplications;
  private final List<String> ownApplications;
  private final AriClient client;
  private final ApplicationsRequest applicationsRequest;
  private final ExecutorService requests;
  private final ScheduledExecutorService timer;
  private final SubscriptionRestore subscriptions;
  private final SubscriptionRestore.Progress restoreProgress = new SubscriptionRestore.Progress();
  private final Listener listener;
  private final DescriptionHeap heap;

  /** With the mapped resources and listed channels that Asterisk has not described. */
  private final OpenQuestions open = new OpenQuestions();

  private final CompletableFuture<Void> firstAttempt = new CompletableFuture<>();

  /** Calls with resources that exist and have not been reported; for the events thread only. */
  private final Map<String, Map<Resource, Observation>> activeCalls = new LinkedHashMap<>();

  /** The application of each call with a channel in one, at the connect. */
  private final Map<String, String> applicationByCall = new HashMap<>();

  // guarded by this

  private List<Observation> observations = new ArrayList<>();

  /** Whether this attempt has observed a resource. */
  private boolean progressed;

  private Map<Resource, Mapping> mappings;

  /** The applications that list a channel, by its id, during this attempt; or null. */
  private @Nullable Map<String, Set<String>> applicationsByChannelId;

  /** The ends of playbacks and recordings whose channel or bridge no longer exists. */
  private final Map<Resource, Observation> endsWithTarget = new HashMap<>();

  /** Whether channels that Asterisk lists were added to {@link #open}; newer ones have events. */
  private boolean discovered;

  private boolean allApplicationsListed = true;
  private boolean subscriptionsRestored;
  private boolean askForSingleChannels;
  private boolean askForSingleBridges;
  private String asteriskId;
  private String startupTime = "";
  private boolean infoKnown;
  private int attempts;
  private boolean attemptRunning;

  /** The next attempt, or null. */
  private @Nullable ScheduledFuture<?> next;

  /** Whether resources with changed mappings were added to {@link #open} since the last start. */
  private boolean mappingsChanged;

  private boolean taken;
  private boolean collecting;
  private boolean closed;

  /**
   * What a list shows of the resources that were open before.
   *
   * @param listed those that exist, by id; null if Asterisk has not listed them
   */
  private record Listing<T>(List<Resource> open, @Nullable Map<String, Listed<T>> listed) {}

  /**
   * A listed resource.
   *
   * @param description null without heap for it
   * @param bytes the heap that it takes
   */
  private record Listed<T>(@Nullable T description, long bytes) {}

  /** Receives progress; on the threads of the query. */
  interface Listener {
    /** There are late findings. */
    void onFindings();

    /** An attempt has left questions open. */
    void onFailedAttempt();
  }

  /**
   * @param asteriskId the last known one, or empty
   */
  AsteriskQuery(
      Moment connectedAt,
      CallContexts callContexts,
      StasisApplications stasisApplications,
      String asteriskId,
      AriClient client,
      ApplicationsRequest applicationsRequest,
      ExecutorService requests,
      ScheduledExecutorService timer,
      SubscriptionRestore subscriptions,
      DescriptionHeap heap,
      Listener listener) {
    this.connectedAt = connectedAt;
    this.callContexts = callContexts;
    this.stasisApplications = stasisApplications;
    this.mappings = stasisApplications.mappings();
    this.ownApplications = stasisApplications.own();
    this.asteriskId = asteriskId;
    this.client = client;
    this.applicationsRequest = applicationsRequest;
    this.requests = requests;
    this.timer = timer;
    this.subscriptions = subscriptions;
    this.heap = heap;
    this.listener = listener;
    mappings.forEach(
        (resource, mapping) -> {
          if (isLive(mapping)) {
            open.addAll(List.of(resource));
            // the store can name applications that were removed from ari.app
            if (ownApplications.contains(mapping.application())) {
              applicationByCall.merge(
                  mapping.callContext(), mapping.application(), this::firstConfigured);
            }
          }
        });
  }

  private String firstConfigured(String one, String other) {
    return ownApplications.indexOf(one) <= ownApplications.indexOf(other) ? one : other;
  }

  private static boolean isLive(@Nullable Mapping mapping) {
    return mapping != null && mapping.isActive();
  }

  // ---- the events thread

  /** Waits until the first attempt has ended. */
  void awaitFirstAttempt(Duration timeout) throws InterruptedException {
    try {
      firstAttempt.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      LOG.warn(
          "Resync exceeds ari.resync-timeout ({} ms): {}; events continue, and what they missed is"
              + " published late",
          timeout.toMillis(),
          status());
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Returns what was learned since the last call. */
  synchronized Findings take() {
    boolean late = taken;
    taken = true;
    collecting = false;
    List<Observation> current = List.of();
    if (infoKnown || !asteriskId.isEmpty()) {
      current = observations;
      heap.take(current);
      observations = new ArrayList<>();
    }
    return new Findings(connectedAt, asteriskId, startupTime, current, pendingCalls(), late);
  }

  /** Releases the heap of what was taken and reported. */
  void releaseReported() {
    heap.releaseReported(
        activeCalls.values().stream()
            .mapToLong(resources -> DescriptionHeap.bytes(resources.values()))
            .sum());
  }

  /** Returns the call contexts with channels or bridges that are open and did not fail. */
  private Set<String> pendingCalls() {
    Set<String> pending = new HashSet<>();
    for (Resource resource : open.withoutFailure()) {
      Mapping mapping = mappings.get(resource);
      if (mapping != null && !isMedia(resource)) {
        pending.add(mapping.callContext());
      }
    }
    return pending;
  }

  /** The existing resources of each call that is not reported yet. */
  Map<String, Map<Resource, Observation>> activeCalls() {
    return activeCalls;
  }

  /** The application of each call with a channel in one, at the connect. */
  Map<String, String> applicationByCall() {
    return applicationByCall;
  }

  /** Asks again, soon, for resources whose mapping has changed since. */
  synchronized void askAgain(Collection<Resource> resources) {
    if (!open.addAll(resources) || closed) {
      return;
    }
    mappingsChanged = true;
    if (!attemptRunning) {
      cancelNext();
      scheduleAttempt();
    }
  }

  /** Whether everything is known and taken. */
  synchronized boolean isComplete() {
    return attempts > 0 && !attemptRunning && open.isEmpty() && observations.isEmpty();
  }

  // ---- monitoring

  /** Number of questions that are open, without {@link #undescribable}. */
  long pending() {
    return open.pending();
  }

  /** Number of resources that Asterisk cannot describe. */
  long undescribable() {
    return open.undescribable();
  }

  /** Whether the events thread no longer waits. */
  synchronized boolean isLate() {
    return taken;
  }

  /** Returns what is open, as a clause. */
  String status() {
    return open.status();
  }

  // ---- attempts

  /** Starts the next attempt. */
  void start() {
    Map<Resource, Mapping> before;
    synchronized (this) {
      cancelNext();
      if (closed || attemptRunning) {
        return;
      }
      attemptRunning = true;
      mappingsChanged = false;
      if (attempts > 0) {
        mappings = stasisApplications.mappings();
        open.removeIf(this::hasEnded);
        open.removeFailure(ATTEMPT);
        // a list from before the mappings would show channels that have entered since as left
        applicationsByChannelId = null;
      }
      attempts++;
      before = mappings;
      heap.startAttempt(observations);
      progressed = false;
    }
    try {
      // a thread whose requests fill the queue of the executor runs some of them itself
      CompletableFuture.supplyAsync(() -> askAll(before), requests)
          .thenCompose(Function.identity())
          .whenComplete((done, error) -> endAttempt(error));
    } catch (RejectedExecutionException e) {
      endAttempt(e);
    }
  }

  /** Asks for what is open; on a thread for requests. */
  private CompletableFuture<Void> askAll(Map<Resource, Mapping> before) {
    CompletableFuture<@Nullable JsonNode> applications = askApplications();
    // the resources do not wait for it: what depends on the applications runs in reverse order
    CompletableFuture<Void> subscriptions = applications.thenCompose(this::restoreSubscriptions);
    CompletableFuture<Void> resources =
        CompletableFuture.allOf(
                askInfo(),
                // a list of tens of megabytes occupies Asterisk
                applications
                    .thenCompose(known -> askChannels())
                    .thenCompose(channels -> observeChannels(channels, before)),
                askBridges().thenCompose(bridges -> observeBridges(bridges, before)))
            .thenCompose(done -> observeMedia());
    return CompletableFuture.allOf(subscriptions, resources);
  }

  /**
   * Whether a resource has ended since, as an event or a command has shown, or belongs to a lost
   * application.
   */
  private boolean hasEnded(Resource resource) {
    Mapping mapping = mappings.get(resource);
    return mapping == null
        ? resource.type() != ResourceType.CHANNEL || isLost(resource)
        : mapping.ended();
  }

  private boolean isLost(Resource resource) {
    String callContext = callContexts.peek(resource).map(Mapping::callContext).orElse(null);
    return stasisApplications.lostOwner(List.of(resource), callContext).isPresent();
  }

  private void endAttempt(@Nullable Throwable error) {
    FatalErrors.exitIfOutOfMemory(error);
    boolean failed;
    boolean late;
    Duration delay = Duration.ZERO;
    synchronized (this) {
      attemptRunning = false;
      if (closed) {
        return;
      }
      if (error != null) {
        fail(ATTEMPT, ErrorMessages.singleLine(error));
      }
      // otherwise the events thread takes the findings without a request
      late = taken;
      // otherwise mappings have changed while Asterisk responded
      failed = open.hasFailures();
      if (!open.isEmpty()) {
        delay = scheduleAttempt();
      }
    }
    if (failed) {
      open.logFailures(delay);
      listener.onFailedAttempt();
    }
    firstAttempt.complete(null);
    if (late) {
      listener.onFindings();
    }
  }

  private Duration scheduleAttempt() {
    boolean soon = mappingsChanged || (heap.isExceeded() && progressed);
    int doublings = soon ? 0 : Math.min(Math.max(attempts - 1, 0), 10);
    Duration delay = FIRST_RETRY_DELAY.multipliedBy(1L << doublings);
    Duration bounded = delay.compareTo(MAX_RETRY_DELAY) > 0 ? MAX_RETRY_DELAY : delay;
    next = timer.schedule(this::start, bounded.toMillis(), TimeUnit.MILLISECONDS);
    return bounded;
  }

  private void cancelNext() {
    if (next != null) {
      next.cancel(false);
      next = null;
    }
  }

  // ---- lists

  private CompletableFuture<Void> askInfo() {
    synchronized (this) {
      if (infoKnown) {
        return CompletableFuture.completedFuture(null);
      }
    }
    return ask("/asterisk/info?only=system%2Cstatus")
        .thenAccept(
            answer -> {
              if (answer.json() == null) {
                fail("/asterisk/info", answer.problem());
                return;
              }
              if (!answer.json().at("/system/entity_id").isTextual()) {
                fail("/asterisk/info", "GET /asterisk/info responded without an entity_id");
                return;
              }
              synchronized (this) {
                asteriskId = shortText(answer.json().at("/system/entity_id"));
                startupTime = shortText(answer.json().at("/status/startup_time"));
                infoKnown = true;
                open.removeFailure("/asterisk/info");
              }
            });
  }

  /** Returns a text; empty if it is too long for each synthetic event. */
  private static String shortText(JsonNode node) {
    String text = node.asText();
    return text.length() > MAX_INFO_LENGTH ? "" : text;
  }

  /** Asks for the applications; completes with null if that fails. */
  private CompletableFuture<@Nullable JsonNode> askApplications() {
    synchronized (this) {
      if (subscriptionsRestored && discovered && open.ofType(ResourceType.CHANNEL).isEmpty()) {
        open.removeFailures("/applications");
        return CompletableFuture.completedFuture(null);
      }
    }
    return CompletableFuture.supplyAsync(applicationsRequest::list, requests)
        .thenCompose(
            answer -> {
              if (answer.json() == null && answer.isFailure()) {
                return askSingleApplications();
              }
              if (answer.json() == null) {
                fail("/applications", answer.problem());
              }
              return CompletableFuture.completedFuture(answer.json());
            })
        .thenApply(this::onApplications);
  }

  private CompletableFuture<@Nullable JsonNode> askSingleApplications() {
    ArrayNode applications = JsonNodeFactory.instance.arrayNode();
    AtomicBoolean failed = new AtomicBoolean();
    return allOf(
            ownApplications,
            name -> {
              String path = "/applications/" + PathEncoding.encode(name);
              return CompletableFuture.supplyAsync(
                      () -> applicationsRequest.single(path).describing("name", name), requests)
                  .thenAccept(
                      answer -> {
                        if (answer.json() != null) {
                          synchronized (applications) {
                            applications.add(answer.json());
                          }
                        } else if (!answer.isNotFound()) {
                          failed.set(true);
                          fail(path, answer.problem());
                        }
                      });
            })
        .thenApply(
            done -> {
              synchronized (this) {
                allApplicationsListed = false;
              }
              return failed.get() ? null : applications;
            });
  }

  private @Nullable JsonNode onApplications(@Nullable JsonNode applications) {
    if (applications == null) {
      return null;
    }
    Map<String, Set<String>> namesById = new LinkedHashMap<>();
    for (JsonNode application : applications) {
      Set<String> name = Set.of(application.path("name").asText());
      for (JsonNode id : application.path("channel_ids")) {
        namesById.merge(id.asText(), name, AsteriskQuery::union);
        if (namesById.size() > MAX_LISTED_CHANNELS) {
          fail(
              "/applications",
              "GET /applications lists more than " + MAX_LISTED_CHANNELS + " channels");
          return null;
        }
      }
    }
    synchronized (this) {
      applicationsByChannelId = namesById;
      open.removeFailures("/applications");
      if (!discovered) {
        discovered = true;
        namesById.forEach(
            (id, names) -> {
              if (ownApplications.stream().anyMatch(names::contains)) {
                open.addAll(List.of(new Resource(ResourceType.CHANNEL, id)));
              }
            });
      }
    }
    return applications;
  }

  /** Adds to the set of a channel, which is shared as long as it has one name. */
  private static Set<String> union(Set<String> names, Set<String> name) {
    Set<String> all = names.size() == 1 ? new HashSet<>(names) : names;
    all.addAll(name);
    return all;
  }

  private CompletableFuture<Void> restoreSubscriptions(@Nullable JsonNode applications) {
    synchronized (this) {
      if (applications == null || subscriptionsRestored) {
        return CompletableFuture.completedFuture(null);
      }
    }
    // up to 10,000 requests follow, without which events are missing
    fail("subscriptions", "subscriptions not restored yet");
    return CompletableFuture.runAsync(
        () -> {
          subscriptions.observeFilters(applications);
          String problem = subscriptions.restore(client, applications, restoreProgress);
          synchronized (this) {
            subscriptionsRestored = problem.isEmpty();
            if (subscriptionsRestored) {
              open.removeFailure("subscriptions");
            } else {
              fail("subscriptions", problem);
            }
          }
        },
        requests);
  }

  private CompletableFuture<Listing<ChannelDescription>> askChannels() {
    List<Resource> channels = open.ofType(ResourceType.CHANNEL);
    synchronized (this) {
      if (askForSingleChannels || isSettled(ResourceType.CHANNEL)) {
        open.removeFailure("/channels");
        return CompletableFuture.completedFuture(new Listing<>(channels, null));
      }
    }
    return askList(
        "/channels",
        ResourceType.CHANNEL,
        channels,
        ChannelDescription::of,
        ChannelDescription::bytes,
        () -> askForSingleChannels = true);
  }

  private CompletableFuture<Listing<BridgeDescription>> askBridges() {
    List<Resource> bridges = open.ofType(ResourceType.BRIDGE);
    synchronized (this) {
      if (askForSingleBridges || isSettled(ResourceType.BRIDGE)) {
        open.removeFailure("/bridges");
        return CompletableFuture.completedFuture(new Listing<>(bridges, null));
      }
    }
    return askList(
        "/bridges",
        ResourceType.BRIDGE,
        bridges,
        BridgeDescription::of,
        BridgeDescription::bytes,
        () -> askForSingleBridges = true);
  }

  /**
   * Asks for a list, of which the descriptions of open resources are kept, as far as their heap
   * allows.
   *
   * @param resources the open ones
   * @param askForSingle called if Asterisk fails on it, holding the lock
   */
  private <T> CompletableFuture<Listing<T>> askList(
      String path,
      ResourceType type,
      List<Resource> resources,
      Function<JsonNode, T> describe,
      ToLongFunction<T> bytes,
      Runnable askForSingle) {
    Set<String> ids = resources.stream().map(Resource::id).collect(Collectors.toSet());
    Map<String, Listed<T>> listed = new HashMap<>();
    Map<String, List<Observation>> endsByTarget = endsByTarget(type);
    long[] available = {heap.available()};
    return CompletableFuture.supplyAsync(
            () ->
                Answer.ofElements(
                    client,
                    path,
                    element -> {
                      String id = element.path("id").asText();
                      endsByTarget.remove(id);
                      if (ids.contains(id)) {
                        T description = describe.apply(element);
                        long size = bytes.applyAsLong(description);
                        available[0] -= size;
                        listed.put(id, new Listed<>(available[0] < 0 ? null : description, size));
                      }
                    }),
            requests)
        .thenApply(
            answer -> {
              synchronized (this) {
                open.removeFailure(path);
                if (answer.isComplete()) {
                  endsByTarget.values().stream()
                      .flatMap(List::stream)
                      .forEach(end -> endsWithTarget.put(end.resource(), end));
                } else if (answer.isFailure()) {
                  LOG.info("Resync queries resources one by one: {}", answer.problem());
                  askForSingle.run();
                } else {
                  fail(path, answer.problem());
                }
              }
              return new Listing<>(resources, answer.isComplete() ? listed : null);
            });
  }

  /**
   * Returns the ends of the open playbacks and recordings that are on a channel or bridge, by its
   * id: that of each one if Asterisk lists no such channel or bridge.
   */
  private Map<String, List<Observation>> endsByTarget(ResourceType type) {
    Map<String, List<Observation>> ends = new HashMap<>();
    for (ResourceType media : List.of(ResourceType.PLAYBACK, ResourceType.RECORDING)) {
      for (Resource resource : open.ofType(media)) {
        // before the list: what is mapped later can be on a newer channel or bridge
        Mapping mapping = callContexts.peek(resource).orElse(null);
        if (mapping != null) {
          Resource.ofTarget(mapping.instance())
              .filter(target -> target.type() == type)
              .ifPresent(
                  target ->
                      ends.computeIfAbsent(target.id(), id -> new ArrayList<>(1))
                          .add(Observation.of(withoutInstance(resource), mapping, false)));
        }
      }
    }
    return ends;
  }

  /** Whether the first attempt has left nothing of a type open. */
  private boolean isSettled(ResourceType type) {
    return attempts > 1 && discovered && open.ofType(type).isEmpty();
  }

  // ---- resources

  private CompletableFuture<Void> observeChannels(
      Listing<ChannelDescription> listing, Map<Resource, Mapping> before) {
    Map<String, Listed<ChannelDescription>> listed = listing.listed();
    if (listed != null) {
      return allOf(
          listing.open(),
          channel -> {
            Listed<ChannelDescription> existing = listed.get(channel.id());
            if (existing != null && isLeft(channel, existing)) {
              return CompletableFuture.completedFuture(null);
            }
            return observeChannel(
                channel,
                before.get(channel),
                existing == null ? null : existing.description(),
                null);
          });
    }
    synchronized (this) {
      if (!askForSingleChannels) {
        return CompletableFuture.completedFuture(null);
      }
    }
    return allOf(
        open.ofType(ResourceType.CHANNEL),
        channel -> {
          if (isLeft(channel)) {
            return CompletableFuture.completedFuture(null);
          }
          // older than the list of the applications' channels
          Mapping mapping = before.get(channel);
          return ask("/channels/" + PathEncoding.encode(channel.id()))
              .thenApply(answer -> answer.describing("id", channel.id()))
              .thenCompose(
                  answer -> {
                    if (answer.isNotFound()) {
                      return observeChannel(channel, mapping, null, null);
                    } else if (answer.json() != null) {
                      return observeChannel(
                          channel, mapping, ChannelDescription.of(answer.json()), null);
                    } else if (answer.isUndescribable()) {
                      return observeChannel(channel, mapping, null, answer.problem());
                    }
                    fail(channel, answer.problem());
                    return CompletableFuture.completedFuture(null);
                  });
        });
  }

  /**
   * Observes a channel, after asking whether it is in Stasis if its description does not show that.
   *
   * @param description null if it does not exist, or Asterisk cannot describe it
   * @param problem why Asterisk cannot describe an existing channel, or null
   */
  private CompletableFuture<Void> observeChannel(
      Resource channel,
      @Nullable Mapping before,
      @Nullable ChannelDescription description,
      @Nullable String problem) {
    if (description == null && problem == null) {
      observe(Observation.of(channel, before, false));
      return CompletableFuture.completedFuture(null);
    }
    Set<String> applications = new HashSet<>();
    synchronized (this) {
      if (applicationsByChannelId == null) {
        return CompletableFuture.completedFuture(null);
      }
      applications.addAll(applicationsByChannelId.getOrDefault(channel.id(), Set.of()));
      if (!allApplicationsListed && description != null) {
        // its application can be one that Asterisk has not described
        String entryApplication = description.entryApplication();
        if (!ownApplications.contains(entryApplication)) {
          applications.add(entryApplication);
        }
      }
    }
    boolean published = before != null && before.application() != null;
    boolean listed = ownApplications.stream().anyMatch(applications::contains);
    if (!listed || (description != null && description.runsStasis())) {
      observe(new Observation(channel, before, true, description, listed, applications));
      return CompletableFuture.completedFuture(null);
    }
    Observation inStasis = new Observation(channel, before, true, description, true, applications);
    // its description waits for the answer
    if (!reserve(channel, inStasis.bytes())) {
      return CompletableFuture.completedFuture(null);
    }
    // has no effect without digits, but is refused outside of Stasis (docs/contract.md#asterisk)
    return request("POST", "/channels/" + PathEncoding.encode(channel.id()) + "/dtmf")
        .thenCompose(
            answer -> {
              switch (answer.status()) {
                case 400, 412 -> {
                  if (problem != null && !published) {
                    // its start cannot be published without a description
                    fail(channel, problem, true);
                  } else if (published) {
                    observeReserved(inStasis);
                  } else {
                    return observeEntered(inStasis);
                  }
                }
                case 409 ->
                    observeReserved(
                        new Observation(channel, before, true, description, false, applications));
                case 404 -> observeReserved(Observation.of(channel, before, false));
                // a read-only user: no reason for an end
                case 403 ->
                    observeReserved(
                        new Observation(
                            channel, before, true, description, published, applications));
                default -> fail(channel, answer.problem());
              }
              return CompletableFuture.completedFuture(null);
            });
  }

  /**
   * Observes a channel that is in Stasis, without a published start, as it is described now: it can
   * have entered after the earlier description, which then lacks the arguments of Stasis.
   *
   * @param earlier its observation with the earlier description, whose heap is reserved
   */
  private CompletableFuture<Void> observeEntered(Observation earlier) {
    Resource channel = earlier.resource();
    return ask("/channels/" + PathEncoding.encode(channel.id()))
        .thenApply(answer -> answer.describing("id", channel.id()))
        .thenAccept(
            answer -> {
              if (answer.isNotFound()) {
                observeReserved(Observation.of(channel, earlier.before(), false));
              } else if (answer.json() == null) {
                fail(channel, answer.problem(), answer.isUndescribable());
              } else {
                Observation entered = earlier.withDescription(ChannelDescription.of(answer.json()));
                if (reserve(channel, Math.max(0, entered.bytes() - earlier.bytes()))) {
                  observeReserved(entered);
                }
              }
            });
  }

  private CompletableFuture<Void> observeBridges(
      Listing<BridgeDescription> listing, Map<Resource, Mapping> before) {
    Map<String, Listed<BridgeDescription>> listed = listing.listed();
    if (listed != null) {
      listing
          .open()
          .forEach(
              bridge -> {
                Listed<BridgeDescription> existing = listed.get(bridge.id());
                if (existing == null || !isLeft(bridge, existing)) {
                  observe(
                      bridge,
                      before.get(bridge),
                      existing != null,
                      existing == null ? null : existing.description());
                }
              });
      return CompletableFuture.completedFuture(null);
    }
    synchronized (this) {
      if (!askForSingleBridges) {
        return CompletableFuture.completedFuture(null);
      }
    }
    return observeEach(open.ofType(ResourceType.BRIDGE), "/bridges/");
  }

  private CompletableFuture<Void> observeMedia() {
    return CompletableFuture.allOf(
        observeEach(open.ofType(ResourceType.PLAYBACK), "/playbacks/"),
        observeEach(open.ofType(ResourceType.RECORDING), "/recordings/live/"));
  }

  private CompletableFuture<Void> observeEach(List<Resource> resources, String path) {
    return allOf(
        resources,
        resource -> {
          if (isLeft(resource)) {
            return CompletableFuture.completedFuture(null);
          }
          Mapping current = callContexts.peek(resource).orElse(null);
          Observation end = endWithTarget(resource);
          if (end != null && !end.isOutdated(current)) {
            observe(end);
            return CompletableFuture.completedFuture(null);
          }
          String idField = resource.type() == ResourceType.RECORDING ? "name" : "id";
          return ask(path + PathEncoding.encode(resource.id()))
              .thenApply(answer -> answer.describing(idField, resource.id()))
              .thenAccept(
                  answer -> {
                    boolean exists = answer.status() == 200;
                    if (exists || answer.isNotFound()) {
                      JsonNode json = answer.json();
                      observe(
                          resource,
                          current,
                          exists,
                          json == null ? null : BridgeDescription.of(json));
                    } else {
                      fail(resource, answer.problem(), answer.isUndescribable());
                    }
                  });
        });
  }

  private synchronized @Nullable Observation endWithTarget(Resource resource) {
    return endsWithTarget.get(resource);
  }

  /**
   * Observes a bridge, playback or recording.
   *
   * @param description null if it does not exist, or Asterisk cannot describe it
   */
  private void observe(
      Resource resource,
      @Nullable Mapping before,
      boolean exists,
      @Nullable BridgeDescription description) {
    if (resource.type() != ResourceType.BRIDGE || description == null) {
      observe(Observation.of(withoutInstance(resource), before, exists));
      return;
    }
    Resource instance = new Resource(resource.type(), resource.id(), description.creationTime());
    observe(Observation.of(instance, before, exists).withChannels(description.channelIds()));
  }

  /** Returns a resource without the creation time in an earlier answer. */
  private static Resource withoutInstance(Resource resource) {
    return new Resource(resource.type(), resource.id());
  }

  /**
   * Reserves heap for a description; leaves the question open if this attempt has no more, since
   * the next one has, except for one that alone exceeds it.
   */
  private boolean reserve(Resource resource, long bytes) {
    boolean reserved = heap.reserve(bytes);
    if (!reserved) {
      fail(resource, heap.exceeded(), heap.isTooLarge(bytes));
    }
    return reserved;
  }

  /** Leaves a listed resource to the next attempt without heap for its description. */
  private boolean isLeft(Resource resource, Listed<?> listed) {
    if (listed.description() != null) {
      return false;
    }
    heap.exceed();
    fail(resource, heap.exceeded(), heap.isTooLarge(listed.bytes()));
    return true;
  }

  /** Leaves a question to the next attempt, without a request, if this one could keep no answer. */
  private boolean isLeft(Resource resource) {
    if (!heap.isExceeded()) {
      return false;
    }
    fail(resource, heap.exceeded());
    return true;
  }

  private static boolean isMedia(Resource resource) {
    return resource.type() == ResourceType.PLAYBACK || resource.type() == ResourceType.RECORDING;
  }

  private synchronized void observe(Observation observation) {
    Resource resource = withoutInstance(observation.resource());
    open.removeFailure(resource);
    if (!closed && open.contains(resource) && reserve(resource, observation.bytes())) {
      observeReserved(observation);
    }
  }

  /** Observes a resource whose heap is reserved. */
  private synchronized void observeReserved(Observation observation) {
    Resource resource = withoutInstance(observation.resource());
    open.removeFailure(resource);
    if (!closed && open.remove(resource)) {
      progressed = true;
      observations.add(observation);
      if (taken && !collecting) {
        collecting = true;
        timer.schedule(listener::onFindings, COLLECTION_TIME.toMillis(), TimeUnit.MILLISECONDS);
      }
    }
  }

  private void fail(Object question, String reason) {
    fail(question, reason, false);
  }

  private void fail(Object question, String reason, boolean undescribable) {
    open.fail(question, reason, undescribable);
  }

  // ---- requests

  private CompletableFuture<Answer> ask(String path) {
    return request("GET", path);
  }

  private CompletableFuture<Answer> request(String method, String path) {
    return CompletableFuture.supplyAsync(() -> Answer.of(client, method, path), requests);
  }

  private static <T> CompletableFuture<Void> allOf(
      Collection<T> items, Function<T, CompletableFuture<Void>> task) {
    return CompletableFuture.allOf(items.stream().map(task).toArray(CompletableFuture[]::new));
  }

  /** Aborts all requests. The executors belong to the caller. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      cancelNext();
    }
    client.close();
    firstAttempt.complete(null);
  }
}
