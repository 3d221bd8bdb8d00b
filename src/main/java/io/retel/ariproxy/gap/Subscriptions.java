package io.retel.ariproxy.gap;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What commands have subscribed an application to, and its event filter: Asterisk forgets both when
 * it is started again, and the filter of an application that has nothing left (contract.md section
 * 6). Safe for use by many threads.
 *
 * <p>A single channel or bridge is left out: its subscription ends with it, and not before.
 */
public final class Subscriptions {

  /** Under what a store keeps them, with the application's name behind it. */
  public static final String KEY = "SUBSCRIPTIONS:";

  private static final Logger LOG = LoggerFactory.getLogger(Subscriptions.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The fields of an application in which Asterisk shows each kind of source. */
  private static final Map<String, String> SHOWN_IN =
      Map.of(
          "channel", "channel_ids",
          "bridge", "bridge_ids",
          "endpoint", "endpoint_ids",
          "deviceState", "device_names");

  /** How it shows that all of a kind are subscribed to (22.10.1 and 16.28). */
  private static final Map<String, String> ALL =
      Map.of(
          "channel", "__AST_CHANNEL_ALL_TOPIC",
          "bridge", "__AST_BRIDGE_ALL_TOPIC",
          "endpoint", "__AST_ENDPOINT_ALL_TOPIC",
          "deviceState", "__AST_DEVICE_STATE_ALL_TOPIC");

  private final WriteBehind store;
  private final Map<String, Wanted> wanted = new TreeMap<>();

  /** What one application wants; its JSON is what a store keeps. */
  private static final class Wanted {

    private final TreeSet<String> sources = new TreeSet<>();
    private JsonNode allowed = JSON.createArrayNode();
    private JsonNode disallowed = JSON.createArrayNode();

    boolean isNothing() {
      return sources.isEmpty() && allowed.isEmpty() && disallowed.isEmpty();
    }

    ObjectNode filter() {
      ObjectNode filter = JSON.createObjectNode();
      filter.set("allowed", allowed);
      filter.set("disallowed", disallowed);
      return filter;
    }

    ObjectNode json() {
      ObjectNode json = filter();
      sources.forEach(json.putArray("sources")::add);
      return json;
    }
  }

  /**
   * A request that sets something again.
   *
   * @param method the HTTP method
   * @param path below {@code /ari}
   * @param body JSON
   */
  record Request(String method, String path, String body) {}

  public Subscriptions(WriteBehind store) {
    this.store = store;
  }

  /** Asterisk has subscribed an application to these event sources. */
  public synchronized void subscribed(String application, Collection<String> sources) {
    Wanted wants = wanted(application);
    sources.stream()
        .map(Subscriptions::withoutNameOfAll)
        .filter(Subscriptions::outlivesItsResource)
        .forEach(wants.sources::add);
    keep(application);
  }

  /** Asterisk has ended these subscriptions of an application. */
  public synchronized void unsubscribed(String application, Collection<String> sources) {
    Wanted wants = wanted(application);
    sources.stream().map(Subscriptions::withoutNameOfAll).forEach(wants.sources::remove);
    keep(application);
  }

  /**
   * Asterisk has taken an event filter for an application.
   *
   * @param filter the command's body: what it does not name stays, unless it names nothing
   */
  public synchronized void filtered(String application, JsonNode filter) {
    Wanted wants = wanted(application);
    if (filter.isEmpty()) {
      wants.allowed = JSON.createArrayNode();
      wants.disallowed = JSON.createArrayNode();
    } else {
      wants.allowed = filter.has("allowed") ? filter.get("allowed") : wants.allowed;
      wants.disallowed = filter.has("disallowed") ? filter.get("disallowed") : wants.disallowed;
    }
    keep(application);
  }

  /** Takes back what a store has kept. */
  public synchronized void restore(String key, String kept) {
    try {
      JsonNode json = JSON.readTree(kept);
      Wanted wants = wanted(key.substring(KEY.length()));
      json.path("sources").forEach(source -> wants.sources.add(source.asText()));
      wants.allowed = json.withArray("allowed");
      wants.disallowed = json.withArray("disallowed");
    } catch (JsonProcessingException | UnsupportedOperationException e) {
      LOG.warn("What is kept of {} is left out: {}", key, e.getMessage());
    }
  }

  /**
   * What Asterisk does not have any more.
   *
   * @param applications its answer to {@code GET /applications}
   */
  synchronized List<Request> forgotten(String applications) throws JsonProcessingException {
    List<Request> requests = new ArrayList<>();
    for (JsonNode application : JSON.readTree(applications)) {
      String name = application.path("name").asText();
      Wanted wants = wanted.get(name);
      if (wants != null) {
        String path = "/applications/" + InPath.encoded(name);
        for (String source : wants.sources) {
          if (!shows(application, source)) {
            String body = JSON.createObjectNode().put("eventSource", source).toString();
            requests.add(new Request("POST", path + "/subscription", body));
          }
        }
        if (!application.path("events_allowed").equals(wants.allowed)
            || !application.path("events_disallowed").equals(wants.disallowed)) {
          requests.add(new Request("PUT", path + "/eventFilter", wants.filter().toString()));
        }
      }
    }
    return requests;
  }

  private Wanted wanted(String application) {
    return wanted.computeIfAbsent(application, none -> new Wanted());
  }

  private void keep(String application) {
    Wanted wants = wanted.get(application);
    if (wants.isNothing()) {
      wanted.remove(application);
    }
    store.note(
        KEY + application,
        wants.isNothing() ? Optional.empty() : Optional.of(wants.json().toString()));
  }

  private static boolean shows(JsonNode application, String source) {
    String kind = kind(source);
    String name = source.substring(kind.length() + 1);
    for (JsonNode shown : application.path(SHOWN_IN.getOrDefault(kind, ""))) {
      // who is subscribed to all is shown no single ones
      if (shown.asText().equals(name) || shown.asText().equals(ALL.get(kind))) {
        return true;
      }
    }
    return false;
  }

  private static boolean outlivesItsResource(String source) {
    String kind = kind(source);
    boolean one = source.length() > kind.length() + 1;
    return SHOWN_IN.containsKey(kind)
        && !(one && (kind.equals("channel") || kind.equals("bridge")));
  }

  private static String withoutNameOfAll(String source) {
    String kind = kind(source);
    return source.equals(kind + ":" + ALL.get(kind)) ? kind + ":" : source;
  }

  private static String kind(String source) {
    int colon = source.indexOf(':');
    return colon < 0 ? source : source.substring(0, colon);
  }
}
