// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Answers each call, plays to it, adds it to a bridge, records it, originates a second leg, and
 * cleans up afterwards. A command that must succeed is sent again under a new id.
 */
final class CallController implements AutoCloseable {

  /** URL parameter with the command id; Asterisk ignores it, and the simulator logs it. */
  static final String COMMAND_ID_PARAMETER = "chaos=";

  /** Stasis argument of second legs. */
  static final String SECOND_LEG_ARGUMENT = "leg";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration TICK = Duration.ofMillis(50);
  private static final int TICKS_PER_VARIABLE = 8;

  /** A sent command; its id consists of the call context and a number. */
  record SentCommand(String callContext, int number) {

    String id() {
      return callContext + "_" + number;
    }
  }

  private static final class Call {
    private final String channel;
    private final Set<String> secondLegs = new LinkedHashSet<>();
    private boolean ended;

    Call(String channel) {
      this.channel = channel;
    }
  }

  private final String app;
  private final String topic;
  private final TopicWriter writer;
  private final TopicReader events;
  private final TopicReader unmapped;
  private final Map<String, Call> calls = new LinkedHashMap<>();
  private final Map<String, Integer> nextNumbers = new HashMap<>();
  private final Map<String, SentCommand> sent = new LinkedHashMap<>();

  /** commands that must succeed: id to method and URL */
  private final Map<String, String[]> mustSucceed = new HashMap<>();

  private final Set<String> completed = new LinkedHashSet<>();
  private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
  private int handledRecords;
  private int ticks;
  private RuntimeException failure;

  CallController(ProxySettings settings, KafkaBroker kafka) {
    app = settings.app();
    topic = settings.commandsTopic();
    writer = new TopicWriter(kafka.bootstrapServers());
    events = TopicReader.of(kafka.bootstrapServers(), settings.eventsTopic());
    unmapped = TopicReader.of(kafka.bootstrapServers(), settings.unmappedTopic());
  }

  void start() {
    executor.scheduleWithFixedDelay(this::tick, 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
  }

  List<TopicRecord> records() {
    return events.records();
  }

  List<TopicRecord> unmapped() {
    return unmapped.records();
  }

  synchronized List<SentCommand> sent() {
    return List.copyOf(sent.values());
  }

  /** Returns whether all commands have a RESPONSE. */
  synchronized boolean allCompleted() {
    return completed.containsAll(sent.keySet());
  }

  /** Returns whether the controller has received STASIS_START of all these channels. */
  synchronized boolean hasSeenAll(Set<String> channels) {
    return calls.values().stream().map(call -> call.channel).toList().containsAll(channels);
  }

  /** Returns whether all calls known to the controller have ended. */
  synchronized boolean allEnded() {
    return calls.values().stream().allMatch(call -> call.ended);
  }

  private synchronized void tick() {
    try {
      List<TopicRecord> records = events.records();
      for (; handledRecords < records.size(); handledRecords++) {
        handle(records.get(handledRecords));
      }
      if (++ticks % TICKS_PER_VARIABLE == 0) {
        calls.forEach(
            (callContext, call) -> {
              if (!call.ended) {
                send(
                    callContext,
                    "POST",
                    "/channels/" + call.channel + "/variable?variable=X&value=1");
              }
            });
      }
    } catch (RuntimeException e) {
      failure = e;
    }
  }

  private void handle(TopicRecord record) {
    JsonNode envelope = record.json();
    JsonNode payload = envelope.path("payload");
    String callContext = record.key();
    String channel = payload.at("/channel/id").asText();
    switch (envelope.path("type").asText()) {
      case "RESPONSE" -> completed(callContext, envelope);
      case "STASIS_START" -> {
        Call call = calls.get(callContext);
        if (SECOND_LEG_ARGUMENT.equals(payload.at("/args/0").asText())) {
          if (call != null && call.secondLegs.add(channel) && call.ended) {
            hangUp(callContext, channel);
          }
        } else if (call == null) {
          calls.put(callContext, new Call(channel));
          controlCall(callContext, channel);
        }
      }
      case "STASIS_END" -> {
        Call call = calls.get(callContext);
        if (call != null && call.channel.equals(channel)) {
          endCall(callContext, call);
        }
      }
      default -> {
        // requires no action
      }
    }
  }

  private void completed(String callContext, JsonNode response) {
    String id = response.path("commandId").asText();
    int status = response.at("/payload/status_code").asInt();
    completed.add(id);
    String[] request = mustSucceed.remove(id);
    if (request != null && status >= 500) {
      sendUntilSuccess(callContext, request[0], request[1]);
    }
    Call call = calls.get(callContext);
    if (call != null && status == 404 && isRequestTo(response, call.channel)) {
      // the channel no longer exists, regardless of its events
      endCall(callContext, call);
    }
  }

  private static boolean isRequestTo(JsonNode response, String channel) {
    return response.at("/commandRequest/url").asText().startsWith("/channels/" + channel + "/");
  }

  private void endCall(String callContext, Call call) {
    if (!call.ended) {
      call.ended = true;
      sendUntilSuccess(callContext, "DELETE", "/bridges/bridge-" + callContext + "?");
      call.secondLegs.forEach(leg -> hangUp(callContext, leg));
    }
  }

  private void controlCall(String callContext, String channel) {
    String bridge = "bridge-" + callContext;
    send(callContext, "POST", "/channels/" + channel + "/answer?");
    send(callContext, "POST", "/channels/" + channel + "/play?media=sound:hello");
    send(callContext, "POST", "/bridges/" + bridge + "?type=mixing");
    send(callContext, "POST", "/bridges/" + bridge + "/addChannel?channel=" + channel);
    send(
        callContext,
        "POST",
        "/channels?endpoint=PJSIP/alice&appArgs=" + SECOND_LEG_ARGUMENT + "&app=" + app);
    send(callContext, "POST", "/channels/" + channel + "/record?format=wav&name=" + callContext);
    send(callContext, "POST", "/bridges/" + bridge + "/play?media=sound:hello");
  }

  private void hangUp(String callContext, String channel) {
    sendUntilSuccess(callContext, "DELETE", "/channels/" + channel + "?");
  }

  private void sendUntilSuccess(String callContext, String method, String url) {
    mustSucceed.put(send(callContext, method, url), new String[] {method, url});
  }

  private String send(String callContext, String method, String url) {
    SentCommand command =
        new SentCommand(callContext, nextNumbers.merge(callContext, 1, Integer::sum) - 1);
    ObjectNode json =
        JSON.createObjectNode().put("callContext", callContext).put("commandId", command.id());
    json.putObject("ariCommand")
        .put("method", method)
        .put("url", url + (url.endsWith("?") ? "" : "&") + COMMAND_ID_PARAMETER + command.id());
    sent.put(command.id(), command);
    writer.sendAsync(TopicWriter.record(topic, callContext, json.toString(), Map.of()));
    return command.id();
  }

  @Override
  public void close() {
    executor.shutdownNow();
    writer.close();
    List<TopicReader> readers = new ArrayList<>(List.of(events, unmapped));
    readers.forEach(TopicReader::close);
    synchronized (this) {
      if (failure != null) {
        throw failure;
      }
    }
  }
}
