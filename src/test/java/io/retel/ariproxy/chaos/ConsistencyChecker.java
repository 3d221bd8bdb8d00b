// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SentEvent;
import io.retel.ariproxy.fixtures.asterisk.WebSocketTimeline;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Compares input of Asterisk and the controller with the published records, by the rules in {@link
 * ChaosIT}.
 */
final class ConsistencyChecker {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final DateTimeFormatter ASTERISK_TIME_FORMAT =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSZ");

  /** The proxy's time limit for a resync. */
  private static final Duration RESYNC_TIMEOUT = Duration.ofSeconds(5);

  /** Events that concern only the proxy. */
  private static final Set<String> INTERNAL_EVENTS = Set.of("ApplicationReplaced", "RESTResponse");

  /** Events that a synthetic event can replace; the original is then suppressed. */
  private static final Set<String> SYNTHESIZABLE_EVENTS =
      Set.of(
          "StasisStart",
          "StasisEnd",
          "ChannelDestroyed",
          "BridgeDestroyed",
          "PlaybackFinished",
          "RecordingFinished");

  /** An event sent by Asterisk, with its position among all of them. */
  private record Event(int position, SentEvent sent, JsonNode json) {

    String type() {
      return json.path("type").asText();
    }
  }

  /** A record of the events topic other than a RESPONSE. */
  private record Published(TopicRecord record, JsonNode payload, Event event) {

    boolean synthesized() {
      return payload.has("synthesized_by");
    }

    String type() {
      return payload.path("type").asText();
    }

    Instant time() {
      return Instant.ofEpochMilli(record.timestamp());
    }
  }

  private final List<Event> sent = new ArrayList<>();
  private final Map<Integer, WebSocketTimeline> websockets;
  private final List<RecordedRequest> requests;
  private final List<CallController.SentCommand> commands;
  private final OutageHistory history;
  private final List<Published> published = new ArrayList<>();
  private final List<TopicRecord> responses = new ArrayList<>();
  private final List<TopicRecord> unmapped;

  /** unmapped events sent before the resync could determine their call */
  private final Set<TopicRecord> unmappedBeforeResync = new HashSet<>();

  private final Set<Integer> publishedPositions = new HashSet<>();
  private final List<String> violations = new ArrayList<>();
  private final Map<String, Object> statistics = new LinkedHashMap<>();

  ConsistencyChecker(
      List<SentEvent> sent,
      List<WebSocketTimeline> websockets,
      List<RecordedRequest> requests,
      List<CallController.SentCommand> commands,
      List<TopicRecord> records,
      List<TopicRecord> unmapped,
      OutageHistory history) {
    this.websockets =
        websockets.stream().collect(Collectors.toMap(WebSocketTimeline::number, w -> w));
    this.requests = requests;
    this.commands = commands;
    this.history = history;
    Map<String, Deque<Event>> byText = new HashMap<>();
    for (SentEvent event : sent) {
      Event sentEvent = new Event(this.sent.size(), event, json(event.text()));
      this.sent.add(sentEvent);
      byText.computeIfAbsent(event.text(), text -> new ArrayDeque<>()).add(sentEvent);
    }
    records.forEach(record -> addRecord(record, byText));
    statistics.put("events sent by Asterisk", sent.size());
    statistics.put("  published", publishedPositions.size());
    this.unmapped = unmapped;
    int publishedMapped = publishedPositions.size();
    unmapped.forEach(
        record -> {
          Event event = matchSentEvent(record, payload(record), byText);
          if (event != null && closedBeforeResync(event)) {
            unmappedBeforeResync.add(record);
          }
        });
    statistics.put("  published unmapped", publishedPositions.size() - publishedMapped);
  }

  /** Returns the violations. */
  List<String> violations() {
    checkEventOrder();
    checkLostEvents();
    checkCallContexts();
    checkLifecycles();
    checkRequests();
    responses();
    return violations;
  }

  Map<String, Object> statistics() {
    return statistics;
  }

  private void addRecord(TopicRecord record, Map<String, Deque<Event>> byText) {
    JsonNode envelope = record.json();
    if (envelope.path("type").asText().equals("RESPONSE")) {
      responses.add(record);
    } else if (envelope.path("payload").has("synthesized_by")) {
      published.add(new Published(record, envelope.path("payload"), null));
    } else {
      published.add(
          new Published(
              record, envelope.path("payload"), matchSentEvent(record, payload(record), byText)));
    }
  }

  private Event matchSentEvent(
      TopicRecord record, String payload, Map<String, Deque<Event>> byText) {
    Event event = byText.getOrDefault(payload, new ArrayDeque<>()).poll();
    if (event == null) {
      violations.add("published more often than sent: " + record);
    } else {
      publishedPositions.add(event.position());
    }
    return event;
  }

  /** Checks Asterisk's own events; synthetic events have no position among them. */
  private void checkEventOrder() {
    Map<String, Integer> latest = new HashMap<>();
    for (Published each : published) {
      if (each.event() != null) {
        Integer previous = latest.put(each.record().key(), each.event().position());
        if (previous != null && previous > each.event().position()) {
          violations.add("published after a later event of its call: " + each.record());
        }
      }
    }
  }

  private void checkLostEvents() {
    Set<String> synthesizedTransitions =
        published.stream()
            .filter(Published::synthesized)
            .map(each -> transition(each.payload()))
            .collect(Collectors.toSet());
    Map<String, Integer> lost = new TreeMap<>();
    Map<String, Event> lostByFlow = new HashMap<>();
    int suppressed = 0;
    for (Event event : sent) {
      String flow = event.sent().websocketNumber() + " " + subject(event.json());
      if (publishedPositions.contains(event.position())) {
        Event lostEvent = lostByFlow.get(flow);
        if (lostEvent != null) {
          violations.add(
              "lost although a later event was published: "
                  + lostEvent.sent()
                  + " / "
                  + event.sent());
        }
      } else if (!INTERNAL_EVENTS.contains(event.type())) {
        if (SYNTHESIZABLE_EVENTS.contains(event.type())
            && synthesizedTransitions.contains(transition(event.json()))) {
          suppressed++;
        } else {
          lost.merge(lossReason(event), 1, Integer::sum);
          lostByFlow.put(flow, event);
        }
      }
    }
    statistics.put("  replaced by a synthetic event", suppressed);
    lost.forEach((reason, count) -> statistics.put("  lost: " + reason, count));
    Map<String, Long> synthesized =
        published.stream()
            .filter(Published::synthesized)
            .collect(Collectors.groupingBy(Published::type, TreeMap::new, Collectors.counting()));
    statistics.put("synthetic events", synthesized.values().stream().mapToLong(n -> n).sum());
    synthesized.forEach((type, count) -> statistics.put("  " + type, count));
  }

  /**
   * Returns whether the connection broke before its resync could complete. A channel may have
   * entered Stasis during the gap, and the failed resync could not map it, but events continue
   * (docs/contract.md#outages).
   */
  private boolean closedBeforeResync(Event event) {
    WebSocketTimeline websocket = websockets.get(event.sent().websocketNumber());
    return websocket.closedAt() != null
        && websocket.closeFrameSentAt() == null
        && websocket.closedAt().isBefore(websocket.openedAt().plus(RESYNC_TIMEOUT));
  }

  /** Returns the reason why the loss of an event is permitted. */
  private String lossReason(Event event) {
    Instant time = event.sent().sentAt();
    WebSocketTimeline websocket = websockets.get(event.sent().websocketNumber());
    if (websocket.frozenAt() != null && !time.isBefore(websocket.frozenAt())) {
      return "on a silent websocket";
    }
    if (history.mayBeLostWithProcess(time)) {
      return "in a process that died";
    }
    if (websocket.closedAt() != null
        && websocket.closeFrameSentAt() == null
        && !time.isBefore(websocket.closedAt().minus(OutageHistory.SETTLE_TIME))) {
      return "on a broken connection";
    }
    violations.add("lost on a healthy connection: " + event.sent() + " of " + websocket);
    return "unexplained";
  }

  private void checkCallContexts() {
    Map<String, String> callContextByResource = new HashMap<>();
    Map<String, Instant> mappedSince = new HashMap<>();
    Set<String> commandedCalls =
        commands.stream().map(CallController.SentCommand::callContext).collect(Collectors.toSet());
    for (Published each : published) {
      for (String resource : resources(each.payload())) {
        String callContext = callContextByResource.putIfAbsent(resource, each.record().key());
        mappedSince.putIfAbsent(resource, each.time());
        if (callContext != null && !callContext.equals(each.record().key())) {
          violations.add(
              "%s was mapped to %s earlier: %s; its records before: %s"
                  .formatted(resource, callContext, each.record(), recordsBefore(each, resource)));
        }
      }
      if (isSecondLeg(each.payload()) && !commandedCalls.contains(each.record().key())) {
        violations.add("unknown call of a second leg: " + each.record());
      }
    }
    int mappingsLost = 0;
    for (TopicRecord record : unmapped) {
      if (unmappedBeforeResync.contains(record)) {
        continue;
      }
      List<Instant> mapped =
          resources(record.json().path("payload")).stream()
              .filter(mappedSince::containsKey)
              .map(mappedSince::get)
              .toList();
      Instant time = Instant.ofEpochMilli(record.timestamp());
      if (mapped.isEmpty()) {
        continue;
      }
      if (mapped.stream().allMatch(since -> history.processDiedSoonAfter(since, time))) {
        mappingsLost++;
      } else {
        violations.add(
            "unmapped although its call is known since %s: %s".formatted(mapped, record));
      }
    }
    statistics.put("resources, each in one call context", callContextByResource.size());
    statistics.put("  unmapped, connection broke before resync", unmappedBeforeResync.size());
    statistics.put("  unmapped, a killed process did not record the call", mappingsLost);
  }

  private List<TopicRecord> recordsBefore(Published end, String resource) {
    return published.stream()
        .takeWhile(each -> !each.equals(end))
        .filter(each -> resources(each.payload()).contains(resource))
        .map(Published::record)
        .toList();
  }

  /**
   * Checks that start and end alternate and are unique, unless a process died before it could
   * record them.
   */
  private void checkLifecycles() {
    Map<String, Published> latest = new LinkedHashMap<>();
    int repeated = 0;
    int endedInGap = 0;
    for (Published each : published) {
      boolean isStart = each.type().equals("StasisStart");
      if (isStart || each.type().equals("StasisEnd")) {
        Published previous = latest.put(each.payload().at("/channel/id").asText(), each);
        if (previous == null ? !isStart : previous.type().equals(each.type())) {
          if (previous != null
              && each.synthesized()
              && history.processDiedSoonAfter(previous.time(), each.time())) {
            repeated++;
          } else if (previous == null && endedBeforeResync(each)) {
            endedInGap++;
          } else {
            violations.add("out of order: " + each.record() + " after " + previous);
          }
        }
      }
    }
    int missingEnds = 0;
    for (Published last : latest.values()) {
      if (last.type().equals("StasisStart")) {
        if (history.processDiedSoonAfter(last.time(), Instant.MAX)) {
          missingEnds++;
        } else {
          violations.add("end missing: " + last.record());
        }
      }
    }
    statistics.put("starts that a killed process did not record", missingEnds);
    statistics.put("ends of channels that were in Stasis only in a gap", endedInGap);
    statistics.put("channels with start and end", latest.size());
    statistics.put("starts and ends repeated after a process died", repeated);
  }

  /**
   * Returns whether the channel entered during a gap and left before the resync listed channels.
   */
  private boolean endedBeforeResync(Published end) {
    if (end.event() == null) {
      return false;
    }
    SentEvent sent = end.event().sent();
    Instant opened = websockets.get(sent.websocketNumber()).openedAt();
    Instant created =
        OffsetDateTime.parse(
                end.payload().at("/channel/creationtime").asText(), ASTERISK_TIME_FORMAT)
            .toInstant();
    return created.isBefore(opened) && sent.sentAt().isBefore(opened.plus(RESYNC_TIMEOUT));
  }

  private void checkRequests() {
    Map<String, List<RecordedRequest>> byCommand = new LinkedHashMap<>();
    for (RecordedRequest request : requests) {
      int parameterIndex = request.uri().indexOf(CallController.COMMAND_ID_PARAMETER);
      if (parameterIndex >= 0) {
        String id =
            request
                .uri()
                .substring(parameterIndex + CallController.COMMAND_ID_PARAMETER.length())
                .split("&", 2)[0];
        byCommand.computeIfAbsent(id, key -> new ArrayList<>()).add(request);
      }
    }
    Map<String, Instant> responseTimes = new HashMap<>();
    for (TopicRecord response : responses) {
      responseTimes.putIfAbsent(
          response.json().path("commandId").asText(), Instant.ofEpochMilli(response.timestamp()));
    }
    int repeated = 0;
    for (Map.Entry<String, List<RecordedRequest>> each : byCommand.entrySet()) {
      for (int i = 1; i < each.getValue().size(); i++) {
        repeated++;
        // same precision as the record timestamps
        Instant first = each.getValue().get(i - 1).time().truncatedTo(ChronoUnit.MILLIS);
        Instant second = each.getValue().get(i).time().truncatedTo(ChronoUnit.MILLIS);
        Instant responseTime = responseTimes.get(each.getKey());
        boolean inFlight =
            responseTime == null || !responseTime.isBefore(second)
                ? history.processDiedBetween(first, second)
                : history.processDiedSoonAfter(responseTime, second);
        if (!inFlight) {
          violations.add("executed twice: " + each.getValue() + ", RESPONSE at " + responseTime);
        }
      }
    }
    // a connection that broke: what it had carried can be read later than the next request
    Set<String> unknown =
        responses.stream()
            .filter(response -> response.json().at("/payload/status_code").asInt() == 504)
            .map(response -> response.json().path("commandId").asText())
            .collect(Collectors.toSet());
    Map<String, Integer> next = new HashMap<>();
    for (String id : byCommand.keySet()) {
      if (unknown.contains(id)) {
        continue;
      }
      int number = Integer.parseInt(id.substring(id.lastIndexOf('_') + 1));
      Integer previous = next.put(id.substring(0, id.lastIndexOf('_')), number);
      if (previous != null && previous > number) {
        violations.add("executed out of order: " + id);
      }
    }
    statistics.put("commands", commands.size());
    statistics.put("  executed", byCommand.size());
    statistics.put("  executed again", repeated);
  }

  private void responses() {
    Map<String, Instant> first = new HashMap<>();
    Map<String, Integer> next = new HashMap<>();
    Map<Integer, Integer> statuses = new TreeMap<>();
    int repeated = 0;
    for (TopicRecord response : responses) {
      String id = response.json().path("commandId").asText();
      statuses.merge(response.json().at("/payload/status_code").asInt(), 1, Integer::sum);
      Instant time = Instant.ofEpochMilli(response.timestamp());
      Instant previous = first.putIfAbsent(id, time);
      String callContext = id.substring(0, id.lastIndexOf('_'));
      if (!callContext.equals(response.key())) {
        violations.add("RESPONSE with the key of another call: " + response);
      }
      if (previous != null) {
        repeated++;
        if (!history.processDiedSoonAfter(previous, time)) {
          violations.add("second RESPONSE, the first at " + previous + ": " + response);
        }
      } else {
        int expected = next.merge(callContext, 1, Integer::sum) - 1;
        if (!id.equals(callContext + "_" + expected)) {
          violations.add("RESPONSE out of order, expected number " + expected + ": " + response);
        }
      }
    }
    commands.stream()
        .filter(command -> !first.containsKey(command.id()))
        .forEach(command -> violations.add("no RESPONSE: " + command));
    statistics.put("responses", responses.size());
    statistics.put("  repeated", repeated);
    statistics.put("  by status", statuses);
  }

  private static String transition(JsonNode payload) {
    return payload.path("type").asText() + " " + resources(payload).stream().findFirst().orElse("");
  }

  private static boolean isSecondLeg(JsonNode payload) {
    return CallController.SECOND_LEG_ARGUMENT.equals(payload.at("/args/0").asText());
  }

  /** Returns the event's subject, followed by its other resources. */
  private static List<String> resources(JsonNode payload) {
    List<String> resources = new ArrayList<>();
    for (String type : List.of("channel", "playback", "bridge", "peer")) {
      String id = payload.path(type).path("id").asText();
      if (!id.isEmpty()) {
        resources.add((type.equals("peer") ? "channel" : type) + ":" + id);
      }
    }
    if (payload.has("recording")) {
      resources.add("recording:" + payload.at("/recording/name").asText());
    }
    return resources;
  }

  private static String subject(JsonNode payload) {
    return resources(payload).stream().findFirst().orElse("");
  }

  private static String payload(TopicRecord record) {
    String text = record.text();
    String field = "\"payload\":";
    return text.substring(text.indexOf(field) + field.length(), text.length() - 1);
  }

  private static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
