// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.text.LogText;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The subscriptions and event filters that commands have set.
 *
 * <p>Asterisk loses both when it restarts, and it loses the filter of an application that has no
 * subscriptions (docs/contract.md#asterisk). Excludes individual channels and bridges, whose
 * subscriptions end only when they do. Subscriptions are limited in number and bytes, so that the
 * store accepts them, and few requests restore them. Thread-safe.
 */
public final class Subscriptions {

  /** Prefix of store keys; the application's name follows. */
  public static final String KEY_PREFIX = "SUBSCRIPTIONS:";

  /** Limit of the subscriptions of all applications. */
  public static final int MAX_SOURCES = 10_000;

  /**
   * Limit of their JSON in bytes: with event filters of 40,960 bytes, the largest request body of
   * Asterisk, it is smaller than the largest record of Kafka, 1 MB by default.
   */
  public static final int MAX_BYTES = 512 * 1024;

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Field of an application with the sources of each kind. */
  private static final Map<String, String> SOURCE_FIELDS =
      Map.of(
          "channel", "channel_ids",
          "bridge", "bridge_ids",
          "endpoint", "endpoint_ids",
          "deviceState", "device_names");

  /** How Asterisk lists a subscription to all sources of a kind (22.10.1 and 16.28). */
  private static final Map<String, String> ALL_TOPICS =
      Map.of(
          "channel", "__AST_CHANNEL_ALL_TOPIC",
          "bridge", "__AST_BRIDGE_ALL_TOPIC",
          "endpoint", "__AST_ENDPOINT_ALL_TOPIC",
          "deviceState", "__AST_DEVICE_STATE_ALL_TOPIC");

  private final WriteBehind store;
  private final Map<String, DesiredSubscriptions> desiredByApplication = new TreeMap<>();

  /**
   * The sources that count towards the limits, each with the number of its holders: one if it is
   * recorded, and one for each command in progress that can add it.
   */
  private final Map<Source, Integer> held = new HashMap<>();

  /** All held sources, each once. */
  private Size size = Size.NONE;

  /** The event filters of own applications that Asterisk listed at the last resync. */
  private final Map<String, EventFilter> listedFilters = new HashMap<>();

  /**
   * Event types.
   *
   * @param allowed all if empty
   */
  private record EventFilter(Set<String> allowed, Set<String> disallowed) {

    /** Reads lists of elements like {@code {"type": "StasisEnd"}}. */
    static EventFilter of(JsonNode allowed, JsonNode disallowed) {
      return new EventFilter(types(allowed), types(disallowed));
    }

    private static Set<String> types(JsonNode list) {
      Set<String> types = new HashSet<>();
      list.forEach(element -> types.add(element.path("type").asText()));
      return types;
    }

    boolean hides(String eventType) {
      return !allowed.isEmpty() && !allowed.contains(eventType) || disallowed.contains(eventType);
    }
  }

  /** The desired state of one application; stored as JSON. */
  private static final class DesiredSubscriptions {

    private final TreeSet<String> sources = new TreeSet<>();
    private JsonNode allowed = JSON.createArrayNode();
    private JsonNode disallowed = JSON.createArrayNode();
    private EventFilter filter = EventFilter.of(allowed, disallowed);

    void setFilter(JsonNode allowed, JsonNode disallowed) {
      this.allowed = allowed;
      this.disallowed = disallowed;
      this.filter = EventFilter.of(allowed, disallowed);
    }

    boolean isEmpty() {
      return sources.isEmpty() && allowed.isEmpty() && disallowed.isEmpty();
    }

    ObjectNode filterAsJson() {
      ObjectNode json = JSON.createObjectNode();
      json.set("allowed", allowed);
      json.set("disallowed", disallowed);
      return json;
    }
  }

  /** An event source of an application. */
  private record Source(String application, String name) implements Comparable<Source> {

    private static final Comparator<Source> ORDER =
        Comparator.comparing(Source::application).thenComparing(Source::name);

    @Override
    public int compareTo(Source other) {
      return ORDER.compare(this, other);
    }
  }

  /** Number of sources, and their bytes in JSON. */
  private record Size(int sources, long bytes) {

    static final Size NONE = new Size(0, 0);

    Size plus(Size other) {
      return new Size(sources + other.sources, bytes + other.bytes);
    }

    Size minus(Size other) {
      return new Size(sources - other.sources, bytes - other.bytes);
    }

    boolean exceedsLimit() {
      return sources > MAX_SOURCES || bytes > MAX_BYTES;
    }
  }

  /** What one command can add. */
  public final class Reservation {

    private Set<Source> sources;

    private Reservation(Set<Source> sources) {
      this.sources = sources;
    }

    /** Releases it, once. Sources that have been recorded still count. */
    public void release() {
      synchronized (Subscriptions.this) {
        sources.forEach(Subscriptions.this::release);
        sources = Set.of();
      }
    }
  }

  /**
   * What Asterisk has lost of an application.
   *
   * @param sources event sources, in order
   * @param eventFilter the event filter as JSON, or null if it is not lost
   */
  public record Lost(String application, List<String> sources, @Nullable String eventFilter) {}

  public Subscriptions(WriteBehind store) {
    this.store = store;
  }

  /**
   * Reserves what a command needs that subscribes an application to event sources.
   *
   * @return empty if it would exceed the limits
   */
  public synchronized Optional<Reservation> reserve(String application, Collection<String> names) {
    Set<Source> sources = new LinkedHashSet<>();
    durable(names).forEach(name -> sources.add(new Source(application, name)));
    Size before = size;
    sources.forEach(this::hold);
    Reservation reservation = new Reservation(sources);
    if (!size.equals(before) && size.exceedsLimit()) {
      reservation.release();
      return Optional.empty();
    }
    return Optional.of(reservation);
  }

  private void hold(Source source) {
    if (held.merge(source, 1, Integer::sum) == 1) {
      size = size.plus(sizeOf(source.name()));
    }
  }

  private void release(Source source) {
    if (held.computeIfPresent(source, (same, holders) -> holders == 1 ? null : holders - 1)
        == null) {
      size = size.minus(sizeOf(source.name()));
    }
  }

  /** Records event sources to which Asterisk has subscribed an application. */
  public synchronized void addSources(String application, Collection<String> sources) {
    record(application, sources);
    persist(application);
  }

  private void record(String application, Collection<String> sources) {
    DesiredSubscriptions desired = desiredByApplication(application);
    for (String source : durable(sources)) {
      if (desired.sources.add(source)) {
        hold(new Source(application, source));
      }
    }
  }

  /** Records subscriptions that Asterisk has ended. */
  public synchronized void removeSources(String application, Collection<String> sources) {
    DesiredSubscriptions desired = desiredByApplication(application);
    for (String source : durable(sources)) {
      if (desired.sources.remove(source)) {
        release(new Source(application, source));
      }
    }
    persist(application);
  }

  /**
   * Records an event filter that Asterisk has accepted.
   *
   * @param filter body of the command; missing fields stay unchanged, an empty object clears both
   */
  public synchronized void updateFilter(String application, JsonNode filter) {
    listedFilters.remove(application);
    DesiredSubscriptions desired = desiredByApplication(application);
    if (filter.isEmpty()) {
      desired.setFilter(JSON.createArrayNode(), JSON.createArrayNode());
    } else {
      desired.setFilter(
          filter.has("allowed") ? filter.get("allowed") : desired.allowed,
          filter.has("disallowed") ? filter.get("disallowed") : desired.disallowed);
    }
    persist(application);
  }

  /**
   * Records the event filters that other clients have set.
   *
   * @param applications response to {@code GET /applications}
   * @param own the proxy's applications
   */
  public synchronized void observeFilters(JsonNode applications, Collection<String> own) {
    listedFilters.clear();
    firstByName(applications, own)
        .forEach(
            (name, application) ->
                listedFilters.put(
                    name,
                    EventFilter.of(
                        application.path("events_allowed"),
                        application.path("events_disallowed"))));
  }

  /** Returns the descriptions of applications by name; another one of the same name is ignored. */
  private static Map<String, JsonNode> firstByName(
      JsonNode applications, Collection<String> names) {
    Map<String, JsonNode> first = new LinkedHashMap<>();
    for (JsonNode application : applications) {
      String name = application.path("name").asText();
      if (names.contains(name)) {
        first.putIfAbsent(name, application);
      }
    }
    return first;
  }

  /** Whether Asterisk does not send events of a type, because of the application's event filter. */
  public synchronized boolean hides(String application, String eventType) {
    DesiredSubscriptions desired = desiredByApplication.get(application);
    EventFilter filter = desired == null ? listedFilters.get(application) : desired.filter;
    return filter != null && filter.hides(eventType);
  }

  /** Whether the event filters of all applications that are not lost hide the end of a channel. */
  public boolean hideChannelEnds(StasisApplications applications) {
    return applications.own().stream()
        .allMatch(each -> hides(each, "StasisEnd") && hides(each, "ChannelDestroyed"));
  }

  /**
   * Restores an application's state from the store, as far as it is valid and fits.
   *
   * @return what is not restored, as a line for the log
   */
  public synchronized Optional<String> restore(String key, String stored) {
    String application = key.substring(KEY_PREFIX.length());
    Optional<String> problem = Optional.empty();
    try {
      JsonNode json = JSON.readTree(stored);
      DesiredSubscriptions desired = desiredByApplication(application);
      Set<String> sources = new LinkedHashSet<>();
      json.path("sources").forEach(source -> sources.add(source.asText()));
      desired.setFilter(json.withArray("allowed"), json.withArray("disallowed"));
      int before = sources.size();
      sources.removeIf(source -> !restoreSource(application, source));
      if (sources.size() < before) {
        problem =
            Optional.of(
                "%d subscriptions of %s in the call-context store not restored: more than %d, or %d KB"
                    .formatted(
                        before - sources.size(),
                        LogText.abbreviate(application),
                        MAX_SOURCES,
                        MAX_BYTES >> 10));
      }
    } catch (JsonProcessingException | UnsupportedOperationException e) {
      problem =
          Optional.of(
              "Ignoring malformed stored value of %s: %s"
                  .formatted(LogText.abbreviate(key), ErrorMessages.singleLine(e)));
    }
    if (desiredByApplication(application).isEmpty()) {
      desiredByApplication.remove(application);
    }
    return problem;
  }

  /** Restores a subscription, if it fits into the limits; returns whether it does. */
  private boolean restoreSource(String application, String source) {
    Optional<Reservation> reservation = reserve(application, List.of(source));
    reservation.ifPresent(
        reserved -> {
          record(application, List.of(source));
          reserved.release();
        });
    return reservation.isPresent();
  }

  /** Returns the applications with recorded subscriptions or event filters, in order. */
  synchronized List<String> applications() {
    return List.copyOf(desiredByApplication.keySet());
  }

  /** Writes the state of all applications to the store again. */
  public synchronized void persistAll() {
    applications().forEach(this::persist);
  }

  /**
   * Returns what Asterisk has lost, of applications that have lost something.
   *
   * @param applications response to {@code GET /applications}
   * @param isExcluded whether an application must not be changed
   */
  public List<Lost> lost(JsonNode applications, Predicate<String> isExcluded) {
    List<Lost> allLost = new ArrayList<>();
    firstByName(applications, Set.copyOf(applications()))
        .forEach(
            (name, application) -> {
              if (!isExcluded.test(name)) {
                lost(name, application).ifPresent(allLost::add);
              }
            });
    return allLost;
  }

  private Optional<Lost> lost(String name, JsonNode application) {
    List<String> sources;
    ObjectNode filter;
    synchronized (this) {
      DesiredSubscriptions desired = desiredByApplication.get(name);
      if (desired == null) {
        return Optional.empty();
      }
      sources = List.copyOf(desired.sources);
      filter = desired.filterAsJson();
    }
    boolean filterLost =
        !application.path("events_allowed").equals(filter.get("allowed"))
            || !application.path("events_disallowed").equals(filter.get("disallowed"));
    Lost lost =
        new Lost(name, unlisted(application, sources), filterLost ? filter.toString() : null);
    return filterLost || !lost.sources().isEmpty() ? Optional.of(lost) : Optional.empty();
  }

  /**
   * Returns the sources to which an application is not subscribed.
   *
   * @param application as Asterisk describes it
   */
  public static List<String> unlisted(JsonNode application, List<String> sources) {
    Map<String, Set<String>> listed = new HashMap<>();
    SOURCE_FIELDS.forEach(
        (scheme, field) -> {
          Set<String> names = new HashSet<>();
          application.path(field).forEach(name -> names.add(name.asText()));
          listed.put(scheme, names);
        });
    return sources.stream().filter(source -> !isListed(listed, source)).toList();
  }

  private DesiredSubscriptions desiredByApplication(String application) {
    return desiredByApplication.computeIfAbsent(application, name -> new DesiredSubscriptions());
  }

  private void persist(String application) {
    if (desiredByApplication(application).isEmpty()) {
      desiredByApplication.remove(application);
    }
    store.enqueue(KEY_PREFIX + application, () -> storedValue(application));
  }

  private Optional<String> storedValue(String application) {
    List<String> sources;
    ObjectNode json;
    synchronized (this) {
      DesiredSubscriptions desired = desiredByApplication.get(application);
      if (desired == null) {
        return Optional.empty();
      }
      sources = List.copyOf(desired.sources);
      json = desired.filterAsJson();
    }
    sources.forEach(json.putArray("sources")::add);
    return Optional.of(json.toString());
  }

  private static boolean isListed(Map<String, Set<String>> listed, String source) {
    String scheme = scheme(source);
    Set<String> names = listed.getOrDefault(scheme, Set.of());
    // in the list, a subscription to all sources replaces the individual ones
    return names.contains(source.substring(scheme.length() + 1))
        || names.contains(ALL_TOPICS.getOrDefault(scheme, ""));
  }

  /** Returns the size of a source in a JSON array, in bytes. */
  public static int jsonBytes(String source) {
    return TextNode.valueOf(source).toString().getBytes(StandardCharsets.UTF_8).length + 1;
  }

  private static Size sizeOf(String source) {
    return new Size(1, jsonBytes(source));
  }

  private static Set<String> durable(Collection<String> sources) {
    Set<String> durable = new LinkedHashSet<>();
    for (String source : sources) {
      String normalized = normalize(source);
      if (isDurable(normalized)) {
        durable.add(normalized);
      }
    }
    return durable;
  }

  private static boolean isDurable(String source) {
    String scheme = scheme(source);
    boolean singleResource = source.length() > scheme.length() + 1;
    return source.length() > scheme.length()
        && SOURCE_FIELDS.containsKey(scheme)
        && !(singleResource && (scheme.equals("channel") || scheme.equals("bridge")));
  }

  private static String normalize(String source) {
    String scheme = scheme(source);
    return source.equals(scheme + ":" + ALL_TOPICS.get(scheme)) ? scheme + ":" : source;
  }

  private static String scheme(String source) {
    int colon = source.indexOf(':');
    return colon < 0 ? source : source.substring(0, colon);
  }
}
