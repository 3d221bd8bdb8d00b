// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.dryrun;

import io.retel.ariproxy.kafka.CommandHandle;
import io.retel.ariproxy.time.Moment;
import java.io.ByteArrayInputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.CamelContext;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.http.HttpEndpoint;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.support.DefaultConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A dry run: messages run through the routes of a context, and each step is printed. What a route
 * publishes to a topic is delivered to the routes that consume it. Every HTTP request is answered
 * with 200 and {@code {}}, or with {@link #answer}; timers do not fire.
 */
public final class DryRun {

  /** Components that connect to nothing and start nothing on their own. */
  private static final Set<String> LOCAL =
      Set.of(
          "bean",
          "caffeine-cache",
          "class",
          "direct",
          "handover",
          "lanes",
          "language",
          "log",
          "ref",
          "seda");

  private static final Set<String> METHODS_WITH_BODY = Set.of("PATCH", "POST", "PUT");

  /** Ends a loop of routes that publish to topics that they consume. */
  private static final int MAX_RECORDS = 1_000;

  private static final Duration POLL_INTERVAL = Duration.ofMillis(20);

  /** A message that moves to another thread, or waits in a queue, is in flight of neither. */
  private static final int QUIET_POLLS = 5;

  private final Transcript transcript;
  private final List<Consumer> websockets = new CopyOnWriteArrayList<>();
  private final Map<String, List<DefaultConsumer>> topics = new ConcurrentHashMap<>();
  private final Queue<Record> records = new ArrayDeque<>();
  private final AtomicLong offsets = new AtomicLong();
  private volatile byte[] answer = "{}".getBytes(StandardCharsets.UTF_8);
  private int deliveredCount;

  /** A record that a route has published. */
  private record Record(
      String topic, @Nullable String key, byte[] value, Map<String, Object> headers) {}

  /** What a run has sent, and its steps that failed. */
  public record Result(int sent, int failures) {}

  /**
   * @param out receives the steps
   */
  public DryRun(PrintStream out) {
    this.transcript = new Transcript(out);
  }

  /** Replaces all endpoints that connect to servers; call it before the context loads routes. */
  public void install(CamelContext context) {
    context
        .getCamelContextExtension()
        .registerEndpointCallback(
            (uri, endpoint) ->
                endpoint instanceof DryRunEndpoint || LOCAL.contains(scheme(endpoint))
                    ? endpoint
                    : new DryRunEndpoint(endpoint, this));
    context.getCamelContextExtension().addInterceptStrategy(new StepPrinter(transcript));
  }

  /** Sets the JSON with which every later HTTP request is answered. */
  public void answer(String json) {
    answer = json.getBytes(StandardCharsets.UTF_8);
  }

  /** Returns whether a message has reached a step of a route. */
  public boolean hasReceived(String route) {
    return transcript.hasReceived(route);
  }

  /** Runs an event as Asterisk sends it, and waits for all that follows from it. */
  public Result event(CamelContext context, String name, String text, Duration timeout)
      throws Exception {
    transcript.begin("Event", name);
    for (Consumer websocket : websockets) {
      Exchange exchange = ((DefaultConsumer) websocket).createExchange(false);
      exchange.getMessage().setBody(text);
      process(websocket, exchange, timeout);
    }
    return await(context, timeout);
  }

  /** Runs a command in a record of the topic, and waits for all that follows from it. */
  public Result command(
      CamelContext context, String name, String topic, byte[] value, Duration timeout)
      throws Exception {
    transcript.begin("Command", name);
    publish(new Record(topic, null, value, Map.of()));
    return await(context, timeout);
  }

  void add(Endpoint endpoint, DefaultConsumer consumer) {
    if (endpoint instanceof KafkaEndpoint kafka) {
      for (String topic : kafka.getConfiguration().getTopic().split(",")) {
        topics.computeIfAbsent(topic, name -> new CopyOnWriteArrayList<>()).add(consumer);
      }
    } else if (scheme(endpoint).startsWith("ahc-ws")) {
      websockets.add(consumer);
    }
  }

  void send(Endpoint endpoint, Exchange exchange) {
    if (endpoint instanceof KafkaEndpoint kafka) {
      sendRecords(kafka.getConfiguration().getTopic(), exchange);
      return;
    }
    Message message = exchange.getMessage();
    String body = message.getBody() == null ? "" : message.getBody(String.class);
    String method = endpoint instanceof HttpEndpoint http ? method(http, message, body) : "";
    transcript.send(
        request(endpoint, message, method),
        Map.of(),
        endpoint instanceof HttpEndpoint http && !sendsBody(http, method) ? "" : body);
    if (scheme(endpoint).startsWith("http")) {
      if (endpoint instanceof HttpEndpoint http && !http.isCopyHeaders()) {
        message.removeHeaders("*");
      }
      message.setHeader(Exchange.HTTP_RESPONSE_CODE, 200);
      message.setHeader(Exchange.CONTENT_TYPE, "application/json");
      message.setBody(new ByteArrayInputStream(answer));
    }
  }

  private static String method(HttpEndpoint http, Message message, String body) {
    return message.getHeader(
        Exchange.HTTP_METHOD,
        http.getHttpMethod() != null
            ? http.getHttpMethod().name()
            : body.isEmpty() ? "GET" : "POST",
        String.class);
  }

  private static boolean sendsBody(HttpEndpoint http, String method) {
    return switch (method) {
      case "GET" -> http.isGetWithBody();
      case "DELETE" -> http.isDeleteWithBody();
      default -> METHODS_WITH_BODY.contains(method);
    };
  }

  /** Returns what Camel would send: headers of the message come before options of the endpoint. */
  private static String request(Endpoint endpoint, Message message, String method) {
    String uri = endpoint.getEndpointUri();
    String address = uri.replaceFirst("\\?.*", "");
    if (!(endpoint instanceof HttpEndpoint http)) {
      return address;
    }
    String path = message.getHeader(Exchange.HTTP_PATH, "", String.class);
    String query =
        message.getHeader(
            Exchange.HTTP_RAW_QUERY,
            message.getHeader(Exchange.HTTP_QUERY, http.getHttpUri().getQuery(), String.class),
            String.class);
    String target =
        http.isBridgeEndpoint()
            ? address
            : message.getHeader(Exchange.HTTP_URI, address, String.class);
    return method + " " + target + path + (query == null ? "" : "?" + query);
  }

  private void sendRecords(String ofEndpoint, Exchange exchange) {
    Object body = exchange.getMessage().getBody();
    List<Message> messages = new ArrayList<>();
    if (body instanceof Iterable<?> several) {
      several.forEach(
          one -> messages.add(one instanceof Exchange inner ? inner.getMessage() : (Message) one));
    } else {
      messages.add(exchange.getMessage());
    }
    for (Message message : messages) {
      String topic = message.getHeader(KafkaConstants.OVERRIDE_TOPIC, ofEndpoint, String.class);
      byte[] value = message.getBody(byte[].class);
      String key = message.getHeader(KafkaConstants.KEY, String.class);
      Map<String, Object> headers = headers(message);
      transcript.send(
          "Kafka topic %s, key %s".formatted(topic, key),
          headers,
          value == null ? "null" : new String(value, StandardCharsets.UTF_8));
      publish(new Record(topic, key, value, headers));
    }
  }

  private static Map<String, Object> headers(Message message) {
    Map<String, Object> headers = new ConcurrentHashMap<>();
    message
        .getHeaders()
        .forEach(
            (name, value) -> {
              if (value != null && !name.startsWith("Camel") && !name.startsWith("kafka.")) {
                headers.put(name, value.toString().getBytes(StandardCharsets.UTF_8));
              }
            });
    return headers;
  }

  private void publish(Record record) {
    synchronized (records) {
      records.add(record);
    }
  }

  private Result await(CamelContext context, Duration timeout) throws Exception {
    long end = System.nanoTime() + timeout.toNanos();
    int quietPolls = 0;
    long previouslyStarted = 0;
    while (quietPolls < QUIET_POLLS) {
      transcript.rejectLoop();
      long started = transcript.started();
      boolean quiet =
          !deliver(timeout)
              && context.getInflightRepository().size() == 0
              && areQueuesEmpty(context)
              && started == previouslyStarted;
      previouslyStarted = started;
      quietPolls = quiet ? quietPolls + 1 : 0;
      if (System.nanoTime() - end > 0) {
        throw new IllegalStateException("still running after " + timeout.toSeconds() + " s");
      }
      TimeUnit.NANOSECONDS.sleep(POLL_INTERVAL.toNanos());
    }
    return new Result(transcript.sent(), transcript.failures());
  }

  /** Of those with a consumer: that of another one is in a file or library that is not loaded. */
  private static boolean areQueuesEmpty(CamelContext context) {
    return context.getEndpoints().stream()
        .noneMatch(
            endpoint ->
                endpoint instanceof SedaEndpoint seda
                    && !seda.getConsumers().isEmpty()
                    && !seda.getQueue().isEmpty());
  }

  /** Returns whether there was a record to deliver. */
  private boolean deliver(Duration timeout) throws Exception {
    Record record;
    synchronized (records) {
      record = records.poll();
    }
    if (record == null) {
      return false;
    }
    for (DefaultConsumer consumer : topics.getOrDefault(record.topic(), List.of())) {
      if (++deliveredCount > MAX_RECORDS) {
        throw new IllegalStateException(
            "more than " + MAX_RECORDS + " records: does a route consume what it publishes?");
      }
      deliver(record, consumer, timeout);
    }
    return true;
  }

  private void deliver(Record record, DefaultConsumer consumer, Duration timeout) throws Exception {
    Exchange exchange = consumer.createExchange(false);
    Message message = exchange.getMessage();
    KafkaEndpoint kafka = (KafkaEndpoint) ((DryRunEndpoint) consumer.getEndpoint()).original();
    boolean isCommand = kafka.getConfiguration().isAllowManualCommit();
    message.setBody(
        isCommand ? record.value() : new String(record.value(), StandardCharsets.UTF_8));
    message.setHeaders(new HashMap<>(record.headers()));
    message.setHeader(KafkaConstants.TOPIC, record.topic());
    message.setHeader(KafkaConstants.PARTITION, 0);
    message.setHeader(KafkaConstants.OFFSET, offsets.getAndIncrement());
    message.setHeader(KafkaConstants.TIMESTAMP, Moment.now().timeOfDay().toEpochMilli());
    if (record.key() != null) {
      message.setHeader(KafkaConstants.KEY, record.key());
    }
    if (isCommand) {
      message.setHeader(KafkaConstants.MANUAL_COMMIT, new Handle());
    }
    process(consumer, exchange, timeout);
  }

  /** On another thread, since a step can block endlessly. */
  private void process(Consumer consumer, Exchange exchange, Duration timeout) throws Exception {
    FutureTask<@Nullable Void> task =
        new FutureTask<>(
            () -> {
              consumer.getProcessor().process(exchange);
              return null;
            });
    Thread thread = new Thread(task, "dry-run");
    thread.setDaemon(true);
    thread.start();
    try {
      task.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new IllegalStateException(
          "step %s has not returned after %d s"
              .formatted(exchange.getExchangeExtension().getHistoryNodeId(), timeout.toSeconds()),
          e);
    }
    transcript.rejectLoop();
    if (exchange.getException() != null && !exchange.getExchangeExtension().isFailureHandled()) {
      transcript.failUnhandled(exchange.getException());
    }
  }

  private static String scheme(Endpoint endpoint) {
    return endpoint.getEndpointUri().replaceFirst(":.*", "");
  }

  /** The offset of a command that nobody commits. */
  private static final class Handle implements CommandHandle {

    private volatile boolean started;
    private volatile boolean released;

    @Override
    public boolean tryStart() {
      started = true;
      return true;
    }

    @Override
    public boolean started() {
      return started;
    }

    @Override
    public void commit() {
      // nothing is consumed
    }

    @Override
    public void release() {
      released = true;
    }

    @Override
    public boolean released() {
      return released;
    }
  }
}
