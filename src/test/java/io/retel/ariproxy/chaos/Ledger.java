package io.retel.ariproxy.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SentEvent;
import io.retel.ariproxy.fixtures.asterisk.WebsocketLife;
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
 * Compares what Asterisk and the controller sent with what came of it; {@link ChaosIT} says how.
 */
final class Ledger {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final DateTimeFormatter ASTERISKS_TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSZ");

  /** How long the proxy waits for Asterisk to tell who is there. */
  private static final Duration LOOK_AROUND = Duration.ofSeconds(5);

  /** For the proxy alone. */
  private static final Set<String> KEPT = Set.of("ApplicationReplaced", "RESTResponse");

  /** What may be made up for, and is then not published a second time. */
  private static final Set<String> TOLD =
      Set.of(
          "StasisStart",
          "StasisEnd",
          "ChannelDestroyed",
          "BridgeDestroyed",
          "PlaybackFinished",
          "RecordingFinished");

  /** An event that Asterisk sent, by its place among all of them. */
  private record Event(int place, SentEvent sent, JsonNode json) {

    String type() {
      return json.path("type").asText();
    }
  }

  /** A record of the events topic that is none of a RESPONSE. */
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
  private final Map<Integer, WebsocketLife> websockets;
  private final List<RecordedRequest> requests;
  private final List<CallController.Sent> commands;
  private final History history;
  private final List<Published> published = new ArrayList<>();
  private final List<TopicRecord> responses = new ArrayList<>();
  private final List<TopicRecord> unmapped;

  /** Unmapped ones that came before Asterisk could tell whose they are. */
  private final Set<TopicRecord> untold = new HashSet<>();

  private final Set<Integer> publishedPlaces = new HashSet<>();
  private final List<String> violations = new ArrayList<>();
  private final Map<String, Object> figures = new LinkedHashMap<>();

  Ledger(
      List<SentEvent> sent,
      List<WebsocketLife> websockets,
      List<RecordedRequest> requests,
      List<CallController.Sent> commands,
      List<TopicRecord> records,
      List<TopicRecord> unmapped,
      History history) {
    this.websockets = websockets.stream().collect(Collectors.toMap(WebsocketLife::number, w -> w));
    this.requests = requests;
    this.commands = commands;
    this.history = history;
    Map<String, Deque<Event>> byText = new HashMap<>();
    for (SentEvent event : sent) {
      Event placed = new Event(this.sent.size(), event, json(event.text()));
      this.sent.add(placed);
      byText.computeIfAbsent(event.text(), text -> new ArrayDeque<>()).add(placed);
    }
    records.forEach(record -> take(record, byText));
    figures.put("events sent by Asterisk", sent.size());
    figures.put("  published", publishedPlaces.size());
    this.unmapped = unmapped;
    int before = publishedPlaces.size();
    unmapped.forEach(
        record -> {
          Event event = find(record, payload(record), byText);
          if (event != null && brokeBeforeAsteriskTold(event)) {
            untold.add(record);
          }
        });
    figures.put("  published unmapped", publishedPlaces.size() - before);
  }

  /** What does not balance. */
  List<String> violations() {
    eventsInOrder();
    eventsNotPublished();
    callContexts();
    beginsAndEnds();
    wire();
    responses();
    return violations;
  }

  Map<String, Object> figures() {
    return figures;
  }

  private void take(TopicRecord record, Map<String, Deque<Event>> byText) {
    JsonNode envelope = record.json();
    if (envelope.path("type").asText().equals("RESPONSE")) {
      responses.add(record);
    } else if (envelope.path("payload").has("synthesized_by")) {
      published.add(new Published(record, envelope.path("payload"), null));
    } else {
      published.add(
          new Published(record, envelope.path("payload"), find(record, payload(record), byText)));
    }
  }

  private Event find(TopicRecord record, String payload, Map<String, Deque<Event>> byText) {
    Event event = byText.getOrDefault(payload, new ArrayDeque<>()).poll();
    if (event == null) {
      violations.add("published more often than it was sent: " + record);
    } else {
      publishedPlaces.add(event.place());
    }
    return event;
  }

  /** Of Asterisk's own; those that the proxy makes have no place among them. */
  private void eventsInOrder() {
    Map<String, Integer> latest = new HashMap<>();
    for (Published each : published) {
      if (each.event() != null) {
        Integer before = latest.put(each.record().key(), each.event().place());
        if (before != null && before > each.event().place()) {
          violations.add("after a later one of its call: " + each.record());
        }
      }
    }
  }

  private void eventsNotPublished() {
    Set<String> told =
        published.stream()
            .filter(Published::synthesized)
            .map(each -> fact(each.payload()))
            .collect(Collectors.toSet());
    Map<String, Integer> lost = new TreeMap<>();
    Map<String, Event> lostOf = new HashMap<>();
    int toldBefore = 0;
    for (Event event : sent) {
      String flow = event.sent().websocket() + " " + subject(event.json());
      if (publishedPlaces.contains(event.place())) {
        Event gap = lostOf.get(flow);
        if (gap != null) {
          violations.add("lost, though a later one was not: " + gap.sent() + " / " + event.sent());
        }
      } else if (!KEPT.contains(event.type())) {
        if (TOLD.contains(event.type()) && told.contains(fact(event.json()))) {
          toldBefore++;
        } else {
          lost.merge(excuse(event), 1, Integer::sum);
          lostOf.put(flow, event);
        }
      }
    }
    figures.put("  told by a synthesized one before", toldBefore);
    lost.forEach((excuse, count) -> figures.put("  lost: " + excuse, count));
    Map<String, Long> synthesized =
        published.stream()
            .filter(Published::synthesized)
            .collect(Collectors.groupingBy(Published::type, TreeMap::new, Collectors.counting()));
    figures.put("events synthesized", synthesized.values().stream().mapToLong(n -> n).sum());
    synthesized.forEach((type, count) -> figures.put("  " + type, count));
  }

  /**
   * Its channel may have entered Stasis unannounced, and the connect that would have told so came
   * to nothing: events go on all the same (README, When something is away).
   */
  private boolean brokeBeforeAsteriskTold(Event event) {
    WebsocketLife websocket = websockets.get(event.sent().websocket());
    return websocket.ended() != null
        && websocket.farewell() == null
        && websocket.ended().isBefore(websocket.opened().plus(LOOK_AROUND));
  }

  /** Why an event may be lost. */
  private String excuse(Event event) {
    Instant time = event.sent().time();
    WebsocketLife websocket = websockets.get(event.sent().websocket());
    if (websocket.silent() != null && !time.isBefore(websocket.silent())) {
      return "into a websocket that was silent";
    }
    if (history.mayHaveDiedWithAProcess(time)) {
      return "with a process that died";
    }
    if (websocket.ended() != null
        && websocket.farewell() == null
        && !time.isBefore(websocket.ended().minus(History.SETTLING))) {
      return "into a connection that broke";
    }
    violations.add("lost on a healthy connection: " + event.sent() + " of " + websocket);
    return "without an excuse";
  }

  private void callContexts() {
    Map<String, String> contexts = new HashMap<>();
    Set<String> known =
        commands.stream().map(CallController.Sent::callContext).collect(Collectors.toSet());
    for (Published each : published) {
      for (String resource : resources(each.payload())) {
        String context = contexts.putIfAbsent(resource, each.record().key());
        if (context != null && !context.equals(each.record().key())) {
          violations.add(resource + " was in " + context + " before: " + each.record());
        }
      }
      if (isLeg(each.payload()) && !known.contains(each.record().key())) {
        violations.add("nobody knows the call that it was created for: " + each.record());
      }
    }
    for (TopicRecord record : unmapped) {
      if (untold.contains(record)) {
        continue;
      }
      if (resources(record.json().path("payload")).stream().anyMatch(contexts::containsKey)) {
        violations.add("unmapped, though its call is known: " + record);
      }
    }
    figures.put("resources, each in one call context", contexts.size());
    figures.put("  unmapped, on a connection that broke before Asterisk told", untold.size());
  }

  /** What begins, ends; and once, unless a process died before it could note that. */
  private void beginsAndEnds() {
    Map<String, Published> latest = new LinkedHashMap<>();
    int again = 0;
    int unseen = 0;
    for (Published each : published) {
      boolean begins = each.type().equals("StasisStart");
      if (begins || each.type().equals("StasisEnd")) {
        Published before = latest.put(each.payload().at("/channel/id").asText(), each);
        if (before == null ? !begins : before.type().equals(each.type())) {
          if (before != null
              && each.synthesized()
              && history.processDied(before.time(), each.time())) {
            again++;
          } else if (before == null && endedBeforeItWasSeen(each)) {
            unseen++;
          } else {
            violations.add("out of turn: " + each.record() + " after " + before);
          }
        }
      }
    }
    int forgotten = 0;
    for (Published last : latest.values()) {
      if (last.type().equals("StasisStart")) {
        if (history.processDied(last.time(), Instant.MAX)) {
          forgotten++;
        } else {
          violations.add("no end was told: " + last.record());
        }
      }
    }
    figures.put("begins told by a process that died before it noted them", forgotten);
    figures.put("ends of channels that entered in a gap and were gone at once", unseen);
    figures.put("channels with begin and end", latest.size());
    figures.put("begins and ends told again after a process died", again);
  }

  /** It entered while nobody listened, and left before the proxy was told who is there. */
  private boolean endedBeforeItWasSeen(Published end) {
    if (end.event() == null) {
      return false;
    }
    SentEvent sent = end.event().sent();
    Instant opened = websockets.get(sent.websocket()).opened();
    Instant created =
        OffsetDateTime.parse(end.payload().at("/channel/creationtime").asText(), ASTERISKS_TIME)
            .toInstant();
    return created.isBefore(opened) && sent.time().isBefore(opened.plus(LOOK_AROUND));
  }

  private void wire() {
    Map<String, List<RecordedRequest>> byCommand = new LinkedHashMap<>();
    for (RecordedRequest request : requests) {
      int mark = request.uri().indexOf(CallController.MARK);
      if (mark >= 0) {
        String id = request.uri().substring(mark + CallController.MARK.length()).split("&", 2)[0];
        byCommand.computeIfAbsent(id, key -> new ArrayList<>()).add(request);
      }
    }
    Map<String, Instant> answers = new HashMap<>();
    for (TopicRecord response : responses) {
      answers.putIfAbsent(
          response.json().path("commandId").asText(), Instant.ofEpochMilli(response.timestamp()));
    }
    int repeated = 0;
    for (Map.Entry<String, List<RecordedRequest>> each : byCommand.entrySet()) {
      for (int i = 1; i < each.getValue().size(); i++) {
        repeated++;
        // as exact as the times of answers
        Instant first = each.getValue().get(i - 1).time().truncatedTo(ChronoUnit.MILLIS);
        Instant second = each.getValue().get(i).time().truncatedTo(ChronoUnit.MILLIS);
        Instant answer = answers.get(each.getKey());
        boolean inFlight =
            answer == null || !answer.isBefore(second)
                ? history.processDiedBetween(first, second)
                : history.processDied(answer, second);
        if (!inFlight) {
          violations.add("carried out twice: " + each.getValue() + ", answered at " + answer);
        }
      }
    }
    Map<String, Integer> next = new HashMap<>();
    for (String id : byCommand.keySet()) {
      int number = Integer.parseInt(id.substring(id.lastIndexOf('_') + 1));
      Integer before = next.put(id.substring(0, id.lastIndexOf('_')), number);
      if (before != null && before > number) {
        violations.add("carried out out of order: " + id);
      }
    }
    figures.put("commands", commands.size());
    figures.put("  carried out", byCommand.size());
    figures.put("  carried out again", repeated);
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
      Instant before = first.putIfAbsent(id, time);
      String context = id.substring(0, id.lastIndexOf('_'));
      if (!context.equals(response.key())) {
        violations.add("the RESPONSE of another call: " + response);
      }
      if (before != null) {
        repeated++;
        if (!history.processDied(before, time)) {
          violations.add("answered twice, the first time at " + before + ": " + response);
        }
      } else {
        int expected = next.merge(context, 1, Integer::sum) - 1;
        if (!id.equals(context + "_" + expected)) {
          violations.add("answered out of order, expected number " + expected + ": " + response);
        }
      }
    }
    commands.stream()
        .filter(command -> !first.containsKey(command.id()))
        .forEach(command -> violations.add("not answered: " + command));
    figures.put("responses", responses.size());
    figures.put("  repeated", repeated);
    figures.put("  by status", statuses);
  }

  private static String fact(JsonNode payload) {
    return payload.path("type").asText() + " " + resources(payload).stream().findFirst().orElse("");
  }

  private static boolean isLeg(JsonNode payload) {
    return CallController.LEG.equals(payload.at("/args/0").asText());
  }

  /** What the event is about first of all, then the others. */
  private static List<String> resources(JsonNode payload) {
    List<String> resources = new ArrayList<>();
    for (String kind : List.of("channel", "playback", "bridge", "peer")) {
      String id = payload.path(kind).path("id").asText();
      if (!id.isEmpty()) {
        resources.add((kind.equals("peer") ? "channel" : kind) + ":" + id);
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
