// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * The smallest bridge that somebody could write for one afternoon's use: it searches texts instead
 * of parsing them, escapes nothing, batches for 5 ms and has a heap of 64 MB. It stands for a
 * bridge in another language: this build has no Kafka client for one. It reads the proxy's
 * environment variables.
 */
public final class BatchingBridge implements WebSocket.Listener {

  /** Small and soon at its full speed, rather than fast. */
  static final List<String> JVM_OPTIONS =
      List.of("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

  private final HttpClient http = HttpClient.newHttpClient();
  private final String ariUrl = System.getenv("ARI_URL");
  private final String eventsTopic = System.getenv("KAFKA_EVENTS_AND_RESPONSES_TOPIC");
  private final String commandsTopic = System.getenv("KAFKA_COMMANDS_TOPIC");
  private final String authorization =
      "Basic "
          + Base64.getEncoder()
              .encodeToString(
                  (System.getenv("ARI_USERNAME") + ":" + System.getenv("ARI_PASSWORD"))
                      .getBytes(StandardCharsets.UTF_8));
  private final Map<String, Object> kafka =
      Map.of("bootstrap.servers", System.getenv("KAFKA_BROKERS"));
  private final KafkaProducer<String, String> producer;
  private final Map<String, String> callContexts = new HashMap<>();
  private final StringBuilder message = new StringBuilder();

  private BatchingBridge() {
    Map<String, Object> options = new HashMap<>(kafka);
    options.put("linger.ms", 5);
    producer = new KafkaProducer<>(options, new StringSerializer(), new StringSerializer());
  }

  public static void main(String[] args) {
    BatchingBridge bridge = new BatchingBridge();
    bridge
        .http
        .newWebSocketBuilder()
        .header("Authorization", bridge.authorization)
        .buildAsync(
            URI.create(
                bridge.ariUrl.replaceFirst("http", "ws")
                    + "/events?app="
                    + System.getenv("ARI_APP")),
            bridge)
        .join();
    bridge.consumeCommands();
  }

  @Override
  public CompletionStage<?> onText(WebSocket websocket, CharSequence text, boolean last) {
    message.append(text);
    if (last) {
      publishEvent(message.toString());
      message.setLength(0);
    }
    websocket.request(1);
    return null;
  }

  @Override
  public CompletionStage<?> onClose(WebSocket websocket, int code, String reason) {
    System.exit(1);
    return null;
  }

  private void publishEvent(String event) {
    String type = valueOf(event, "\"type\":\"");
    String channel = valueOf(event, "\"channel\":{\"id\":\"");
    String callContext = callContexts.computeIfAbsent(channel, key -> UUID.randomUUID().toString());
    if (type.equals("ChannelDestroyed")) {
      callContexts.remove(channel);
    }
    publish(type, callContext, "null", channel, event);
  }

  private void publish(
      String type, String callContext, String commandId, String channel, String payload) {
    producer.send(
        new ProducerRecord<>(
            eventsTopic,
            callContext,
            "{\"type\":\""
                + type
                + "\",\"callContext\":\""
                + callContext
                + "\",\"commandsTopic\":\""
                + commandsTopic
                + "\",\"commandId\":"
                + commandId
                + ",\"resources\":[{\"type\":\"CHANNEL\",\"id\":\""
                + channel
                + "\"}],\"payload\":"
                + payload
                + "}"));
  }

  private void consumeCommands() {
    Map<String, Object> options = new HashMap<>(kafka);
    options.put("group.id", commandsTopic);
    options.put("auto.offset.reset", "earliest");
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(options, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(commandsTopic));
      while (true) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          executeCommand(record.value());
        }
      }
    }
  }

  /** Does not wait for the response, so that commands of a call can overtake each other. */
  private void executeCommand(String command) {
    String url = valueOf(command, "\"url\":\"");
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(ariUrl + url))
            .header("Authorization", authorization)
            .method(valueOf(command, "\"method\":\""), HttpRequest.BodyPublishers.noBody())
            .build();
    http.sendAsync(request, HttpResponse.BodyHandlers.ofString())
        .thenAccept(
            response ->
                publish(
                    "RESPONSE",
                    valueOf(command, "\"callContext\":\""),
                    "\"" + valueOf(command, "\"commandId\":\"") + "\"",
                    url.split("/")[2],
                    "{\"status_code\":"
                        + response.statusCode()
                        + ",\"body\":"
                        + response.body()
                        + "}"));
  }

  /** Returns the text from behind a prefix to the next quotation mark. */
  private static String valueOf(String json, String prefix) {
    int start = json.indexOf(prefix) + prefix.length();
    return json.substring(start, json.indexOf('"', start));
  }
}
