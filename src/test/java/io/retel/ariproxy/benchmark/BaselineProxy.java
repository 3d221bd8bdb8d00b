// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import static org.asynchttpclient.Dsl.asyncHttpClient;
import static org.asynchttpclient.Dsl.config;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.asynchttpclient.ws.WebSocket;
import org.asynchttpclient.ws.WebSocketListener;
import org.asynchttpclient.ws.WebSocketUpgradeHandler;

/**
 * A minimal proxy with the same libraries: no Camel, error handling, metrics, limits, store or
 * route reload. It reads the proxy's environment variables and uses the Kafka options of the
 * routes.
 */
public final class BaselineProxy {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonFactory FACTORY = JSON.getFactory();
  private static final int WORKERS = 64;

  private final Map<String, String> callContexts = new ConcurrentHashMap<>();
  private final String ariUrl = System.getenv("ARI_URL");
  private final String eventsTopic = System.getenv("KAFKA_EVENTS_AND_RESPONSES_TOPIC");
  private final String commandsTopic = System.getenv("KAFKA_COMMANDS_TOPIC");
  private final String brokers = System.getenv("KAFKA_BROKERS");
  private final String authorization =
      "Basic "
          + Base64.getEncoder()
              .encodeToString(
                  (System.getenv("ARI_USERNAME") + ":" + System.getenv("ARI_PASSWORD"))
                      .getBytes(StandardCharsets.UTF_8));
  private final KafkaProducer<String, byte[]> producer =
      new KafkaProducer<>(
          Map.of(
              "bootstrap.servers",
              brokers,
              "acks",
              "all",
              "enable.idempotence",
              true,
              "linger.ms",
              5,
              "batch.size",
              65_536,
              "buffer.memory",
              268_435_456L),
          new StringSerializer(),
          new ByteArraySerializer());
  private final CloseableHttpClient http =
      HttpClients.custom()
          .setConnectionManager(
              PoolingHttpClientConnectionManagerBuilder.create()
                  .setMaxConnTotal(WORKERS)
                  .setMaxConnPerRoute(WORKERS)
                  .build())
          .disableAutomaticRetries()
          .build();

  public static void main(String[] args) throws Exception {
    BaselineProxy proxy = new BaselineProxy();
    proxy.consumeEvents();
    proxy.consumeCommands();
  }

  private void consumeEvents() {
    String url =
        "ws" + ariUrl.substring("http".length()) + "/events?app=" + System.getenv("ARI_APP");
    asyncHttpClient(config().setIoThreadsCount(1))
        .prepareGet(url)
        .setHeader("Authorization", authorization)
        .execute(
            new WebSocketUpgradeHandler(
                List.of(
                    new WebSocketListener() {
                      @Override
                      public void onTextFrame(String payload, boolean last, int rsv) {
                        publishEvent(payload);
                      }

                      @Override
                      public void onOpen(WebSocket websocket) {
                        // nothing to do before the first event
                      }

                      @Override
                      public void onClose(WebSocket websocket, int code, String reason) {
                        System.exit(1);
                      }

                      @Override
                      public void onError(Throwable t) {
                        t.printStackTrace();
                      }
                    })));
  }

  private void publishEvent(String payload) {
    try {
      JsonNode event = JSON.readTree(payload);
      String type = event.path("type").textValue();
      String channel = event.path("channel").path("id").textValue();
      String callContext =
          callContexts.computeIfAbsent(channel, key -> UUID.randomUUID().toString());
      if (type.equals("ChannelDestroyed")) {
        callContexts.remove(channel);
      }
      ByteArrayOutputStream envelope = new ByteArrayOutputStream(512 + payload.length());
      try (JsonGenerator json = FACTORY.createGenerator(envelope)) {
        writeHeader(json, type, callContext);
        json.writeNullField("commandId");
        json.writeNullField("commandRequest");
        writeResources(json, channel);
        json.writeFieldName("payload");
        json.writeRawValue(payload);
        json.writeEndObject();
      }
      producer.send(new ProducerRecord<>(eventsTopic, callContext, envelope.toByteArray()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void consumeCommands() {
    List<ExecutorService> workers =
        IntStream.range(0, WORKERS).mapToObj(i -> Executors.newSingleThreadExecutor()).toList();
    try (KafkaConsumer<String, byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                "bootstrap.servers",
                brokers,
                "group.id",
                commandsTopic,
                "auto.offset.reset",
                "earliest",
                "max.poll.records",
                50),
            new StringDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(commandsTopic));
      while (true) {
        for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          workers
              .get(Math.floorMod(record.key().hashCode(), WORKERS))
              .execute(() -> executeCommand(record));
        }
      }
    }
  }

  private void executeCommand(ConsumerRecord<String, byte[]> record) {
    try {
      JsonNode command = JSON.readTree(record.value());
      String callContext = command.path("callContext").textValue();
      String method = command.path("ariCommand").path("method").textValue();
      String url = command.path("ariCommand").path("url").textValue();
      HttpUriRequestBase request = new HttpUriRequestBase(method, URI.create(ariUrl + url));
      request.setHeader("Authorization", authorization);
      byte[] envelope =
          http.execute(
              request,
              response -> {
                ByteArrayOutputStream out = new ByteArrayOutputStream(512);
                try (JsonGenerator json = FACTORY.createGenerator(out)) {
                  writeHeader(json, "RESPONSE", callContext);
                  json.writeFieldName("commandId");
                  json.writeTree(command.path("commandId"));
                  json.writeObjectFieldStart("commandRequest");
                  json.writeStringField("method", method);
                  json.writeStringField("url", url);
                  json.writeEndObject();
                  writeResources(json, url.split("/")[2]);
                  json.writeObjectFieldStart("payload");
                  json.writeNumberField("status_code", response.getCode());
                  json.writeFieldName("body");
                  json.writeTree(JSON.readTree(EntityUtils.toByteArray(response.getEntity())));
                  json.writeEndObject();
                  json.writeEndObject();
                }
                return out.toByteArray();
              });
      producer.send(new ProducerRecord<>(eventsTopic, callContext, envelope));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void writeHeader(JsonGenerator json, String type, String callContext) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", type);
    json.writeStringField("callContext", callContext);
    json.writeStringField("commandsTopic", commandsTopic);
  }

  private static void writeResources(JsonGenerator json, String id) throws IOException {
    json.writeArrayFieldStart("resources");
    json.writeStartObject();
    json.writeStringField("type", "CHANNEL");
    json.writeStringField("id", id);
    json.writeEndObject();
    json.writeEndArray();
  }
}
