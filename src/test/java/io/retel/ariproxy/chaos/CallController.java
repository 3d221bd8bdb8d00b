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
 * Answers each call, plays to it, puts it into a bridge, records it, calls a second party for it,
 * and cleans up after it. A command that must succeed is sent again as a new one.
 */
final class CallController implements AutoCloseable {

  /** In a command's url: its id, which Asterisk ignores and the simulation's log shows. */
  static final String MARK = "chaos=";

  /** How the second parties enter Stasis. */
  static final String LEG = "leg";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration TICK = Duration.ofMillis(50);
  private static final int TICKS_PER_VARIABLE = 8;

  /** A command that was sent; ids are call context and number. */
  record Sent(String callContext, int number) {

    String id() {
      return callContext + "_" + number;
    }
  }

  private static final class Call {
    private final String channel;
    private final Set<String> legs = new LinkedHashSet<>();
    private boolean over;

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
  private final Map<String, Integer> numbers = new HashMap<>();
  private final Map<String, Sent> sent = new LinkedHashMap<>();

  /** Those that must succeed: from their id to method and url. */
  private final Map<String, String[]> insisted = new HashMap<>();

  private final Set<String> answered = new LinkedHashSet<>();
  private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
  private int seen;
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

  synchronized List<Sent> sent() {
    return List.copyOf(sent.values());
  }

  /** Whether all commands have a RESPONSE. */
  synchronized boolean allAnswered() {
    return answered.containsAll(sent.keySet());
  }

  /** Whether the controller has heard of the begin of all these channels. */
  synchronized boolean knows(Set<String> channels) {
    return calls.values().stream().map(call -> call.channel).toList().containsAll(channels);
  }

  /** Whether all calls that the controller has heard of are over. */
  synchronized boolean allOver() {
    return calls.values().stream().allMatch(call -> call.over);
  }

  private synchronized void tick() {
    try {
      List<TopicRecord> records = events.records();
      for (; seen < records.size(); seen++) {
        read(records.get(seen));
      }
      if (++ticks % TICKS_PER_VARIABLE == 0) {
        calls.forEach(
            (context, call) -> {
              if (!call.over) {
                send(context, "POST", "/channels/" + call.channel + "/variable?variable=X&value=1");
              }
            });
      }
    } catch (RuntimeException e) {
      failure = e;
    }
  }

  private void read(TopicRecord record) {
    JsonNode envelope = record.json();
    JsonNode payload = envelope.path("payload");
    String context = record.key();
    String channel = payload.at("/channel/id").asText();
    switch (envelope.path("type").asText()) {
      case "RESPONSE" -> answered(context, envelope);
      case "STASIS_START" -> {
        Call call = calls.get(context);
        if (LEG.equals(payload.at("/args/0").asText())) {
          if (call != null && call.legs.add(channel) && call.over) {
            hangUp(context, channel);
          }
        } else if (call == null) {
          calls.put(context, new Call(channel));
          begin(context, channel);
        }
      }
      case "STASIS_END" -> {
        Call call = calls.get(context);
        if (call != null && call.channel.equals(channel)) {
          over(context, call);
        }
      }
      default -> {
        // nothing to do about it
      }
    }
  }

  private void answered(String context, JsonNode response) {
    String id = response.path("commandId").asText();
    int status = response.at("/payload/status_code").asInt();
    answered.add(id);
    String[] again = insisted.remove(id);
    if (again != null && status >= 500) {
      insist(context, again[0], again[1]);
    }
    Call call = calls.get(context);
    if (call != null && status == 404 && asks(response, call.channel)) {
      // whatever its events say, the channel is gone
      over(context, call);
    }
  }

  private static boolean asks(JsonNode response, String channel) {
    return response.at("/commandRequest/url").asText().startsWith("/channels/" + channel + "/");
  }

  private void over(String context, Call call) {
    if (!call.over) {
      call.over = true;
      insist(context, "DELETE", "/bridges/bridge-" + context + "?");
      call.legs.forEach(leg -> hangUp(context, leg));
    }
  }

  private void begin(String context, String channel) {
    String bridge = "bridge-" + context;
    send(context, "POST", "/channels/" + channel + "/answer?");
    send(context, "POST", "/channels/" + channel + "/play?media=sound:hello");
    send(context, "POST", "/bridges/" + bridge + "?type=mixing");
    send(context, "POST", "/bridges/" + bridge + "/addChannel?channel=" + channel);
    send(context, "POST", "/channels?endpoint=PJSIP/alice&appArgs=" + LEG + "&app=" + app);
    send(context, "POST", "/channels/" + channel + "/record?format=wav&name=" + context);
    send(context, "POST", "/bridges/" + bridge + "/play?media=sound:hello");
  }

  private void hangUp(String context, String channel) {
    insist(context, "DELETE", "/channels/" + channel + "?");
  }

  private void insist(String context, String method, String url) {
    insisted.put(send(context, method, url), new String[] {method, url});
  }

  private String send(String context, String method, String url) {
    Sent command = new Sent(context, numbers.merge(context, 1, Integer::sum) - 1);
    ObjectNode json =
        JSON.createObjectNode().put("callContext", context).put("commandId", command.id());
    json.putObject("ariCommand")
        .put("method", method)
        .put("url", url + (url.endsWith("?") ? "" : "&") + MARK + command.id());
    sent.put(command.id(), command);
    writer.sendAsync(TopicWriter.record(topic, context, json.toString(), Map.of()));
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
