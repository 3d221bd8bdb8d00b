// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.retel.ariproxy.ari.PathEncoding;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The subscriptions and event filters that commands have set.
 *
 * <p>Asterisk loses both when it restarts, and it loses the filter of an application that has no
 * subscriptions (docs/contract.md#asterisk). Excludes individual channels and bridges, whose
 * subscriptions end only when they do. Thread-safe.
 */
public final class Subscriptions {

  /** Prefix of store keys; the application's name follows. */
  public static final String KEY_PREFIX = "SUBSCRIPTIONS:";

  private static final Logger LOG = LoggerFactory.getLogger(Subscriptions.class);
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

  /** The event filters that Asterisk listed at the last resync, by application. */
  private final Map<String, EventFilter> listedFilters = new HashMap<>();

  /** Lists of event types, each like {@code {"type": "StasisEnd"}}. */
  private record EventFilter(JsonNode allowed, JsonNode disallowed) {

    boolean hides(String eventType) {
      return !allowed.isEmpty() && !lists(allowed, eventType) || lists(disallowed, eventType);
    }

    private static boolean lists(JsonNode types, String eventType) {
      for (JsonNode entry : types) {
        if (entry.path("type").asText().equals(eventType)) {
          return true;
        }
      }
      return false;
    }
  }

  /** The desired state of one application; stored as JSON. */
  private static final class DesiredSubscriptions {

    private final TreeSet<String> sources = new TreeSet<>();
    private JsonNode allowed = JSON.createArrayNode();
    private JsonNode disallowed = JSON.createArrayNode();

    boolean isEmpty() {
      return sources.isEmpty() && allowed.isEmpty() && disallowed.isEmpty();
    }

    ObjectNode eventFilter() {
      ObjectNode filter = JSON.createObjectNode();
      filter.set("allowed", allowed);
      filter.set("disallowed", disallowed);
      return filter;
    }

    ObjectNode toJson() {
      ObjectNode json = eventFilter();
      sources.forEach(json.putArray("sources")::add);
      return json;
    }
  }

  /**
   * A request that restores a subscription or event filter.
   *
   * @param method HTTP method
   * @param path relative to {@code /ari}
   * @param body JSON
   */
  public record Request(String method, String path, String body) {}

  public Subscriptions(WriteBehind store) {
    this.store = store;
  }

  /** Records event sources to which Asterisk has subscribed an application. */
  public synchronized void addSources(String application, Collection<String> sources) {
    DesiredSubscriptions desired = desiredByApplication(application);
    sources.stream()
        .map(Subscriptions::normalize)
        .filter(Subscriptions::isDurable)
        .forEach(desired.sources::add);
    persist(application);
  }

  /** Records subscriptions that Asterisk has ended. */
  public synchronized void removeSources(String application, Collection<String> sources) {
    DesiredSubscriptions desired = desiredByApplication(application);
    sources.stream().map(Subscriptions::normalize).forEach(desired.sources::remove);
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
      desired.allowed = JSON.createArrayNode();
      desired.disallowed = JSON.createArrayNode();
    } else {
      desired.allowed = filter.has("allowed") ? filter.get("allowed") : desired.allowed;
      desired.disallowed = filter.has("disallowed") ? filter.get("disallowed") : desired.disallowed;
    }
    persist(application);
  }

  /**
   * Records the event filters that other clients have set.
   *
   * @param applications response to {@code GET /applications}
   */
  public synchronized void observeFilters(JsonNode applications) {
    listedFilters.clear();
    for (JsonNode application : applications) {
      listedFilters.put(
          application.path("name").asText(),
          new EventFilter(
              application.path("events_allowed"), application.path("events_disallowed")));
    }
  }

  /** Whether Asterisk does not send events of a type, because of the application's event filter. */
  public synchronized boolean hides(String application, String eventType) {
    DesiredSubscriptions desired = desiredByApplication.get(application);
    EventFilter filter =
        desired == null
            ? listedFilters.get(application)
            : new EventFilter(desired.allowed, desired.disallowed);
    return filter != null && filter.hides(eventType);
  }

  /** Whether the event filters of all applications that are not lost hide the end of a channel. */
  public boolean hideChannelEnds(StasisApplications applications) {
    return applications.own().stream()
        .allMatch(each -> hides(each, "StasisEnd") && hides(each, "ChannelDestroyed"));
  }

  /** Restores an application's state from the store; malformed entries are logged and skipped. */
  public synchronized void restore(String key, String stored) {
    try {
      JsonNode json = JSON.readTree(stored);
      DesiredSubscriptions desired = desiredByApplication(key.substring(KEY_PREFIX.length()));
      json.path("sources").forEach(source -> desired.sources.add(source.asText()));
      desired.allowed = json.withArray("allowed");
      desired.disallowed = json.withArray("disallowed");
    } catch (JsonProcessingException | UnsupportedOperationException e) {
      LOG.warn("Ignoring malformed stored value of {}: {}", key, e.getMessage());
    }
  }

  /** Writes the state of all applications to the store again. */
  public synchronized void persistAll() {
    List.copyOf(desiredByApplication.keySet()).forEach(this::persist);
  }

  /**
   * Returns requests that restore lost subscriptions and event filters.
   *
   * @param applications response to {@code GET /applications}
   * @param isExcluded whether an application must not be changed
   */
  public synchronized List<Request> restoreRequests(
      String applications, Predicate<String> isExcluded) throws JsonProcessingException {
    List<Request> requests = new ArrayList<>();
    for (JsonNode application : JSON.readTree(applications)) {
      String name = application.path("name").asText();
      DesiredSubscriptions desired = desiredByApplication.get(name);
      if (desired != null && !isExcluded.test(name)) {
        String path = "/applications/" + PathEncoding.encode(name);
        for (String source : desired.sources) {
          if (!isListed(application, source)) {
            String body = JSON.createObjectNode().put("eventSource", source).toString();
            requests.add(new Request("POST", path + "/subscription", body));
          }
        }
        if (!application.path("events_allowed").equals(desired.allowed)
            || !application.path("events_disallowed").equals(desired.disallowed)) {
          requests.add(new Request("PUT", path + "/eventFilter", desired.eventFilter().toString()));
        }
      }
    }
    return requests;
  }

  private DesiredSubscriptions desiredByApplication(String application) {
    return desiredByApplication.computeIfAbsent(application, name -> new DesiredSubscriptions());
  }

  private void persist(String application) {
    DesiredSubscriptions desired = desiredByApplication(application);
    if (desired.isEmpty()) {
      desiredByApplication.remove(application);
    }
    store.enqueue(
        KEY_PREFIX + application,
        desired.isEmpty() ? Optional.empty() : Optional.of(desired.toJson().toString()));
  }

  private static boolean isListed(JsonNode application, String source) {
    String scheme = scheme(source);
    String name = source.substring(scheme.length() + 1);
    for (JsonNode listed : application.path(SOURCE_FIELDS.getOrDefault(scheme, ""))) {
      // in the list, a subscription to all sources replaces the individual ones
      if (listed.asText().equals(name) || listed.asText().equals(ALL_TOPICS.get(scheme))) {
        return true;
      }
    }
    return false;
  }

  private static boolean isDurable(String source) {
    String scheme = scheme(source);
    boolean singleResource = source.length() > scheme.length() + 1;
    return SOURCE_FIELDS.containsKey(scheme)
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
