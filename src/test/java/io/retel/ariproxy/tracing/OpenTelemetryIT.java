// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** One trace covers the controller, the proxy, Asterisk and the return path. */
@ExtendWith(KafkaExtension.class)
class OpenTelemetryIT {

  private static final String APP = "spanned";
  private static final String PARENT = "00f067aa0ba902b7";
  private static final Map<String, String> SDK =
      Map.of("otel.traces.exporter", "memory", "otel.bsp.schedule.delay", "50");

  private final String trace = UUID.randomUUID().toString().replace("-", "");

  private KafkaBroker broker;
  @AutoClose private SimulatedAsterisk asterisk;
  private ProxySettings settings;

  @BeforeEach
  void start(KafkaBroker kafka) {
    broker = kafka;
    asterisk = SimulatedAsterisk.start();
    settings = ProxySettings.of(asterisk, APP, kafka);
    SDK.forEach(System::setProperty);
  }

  @AfterEach
  void stop() {
    SDK.keySet().forEach(System::clearProperty);
  }

  @Test
  void propagatesCommandTraceToAsteriskAndKafka() {
    settings.with(Setting.TRACING_OPENTELEMETRY, "true");
    try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
        Controller controller = new Controller(settings, broker)) {
      asterisk.awaitConnected(APP);
      Response response = sendPing(controller, Map.of("traceparent", traceparent()));
      RecordedRequest request = pingRequest();

      List<SpanData> spans = awaitSpans(3);
      SpanData received = spanNamed(spans, settings.commandsTopic());
      SpanData sent = spanNamed(spans, "GET /asterisk/ping");
      SpanData published = spanNamed(spans, settings.eventsTopic());
      assertThat(received.getParentSpanId()).isEqualTo(PARENT);
      assertThat(sent.getParentSpanId()).isEqualTo(received.getSpanId());
      assertThat(published.getParentSpanId()).isEqualTo(received.getSpanId());
      assertThat(request.header("traceparent")).isEqualTo(traceparent(sent));
      assertThat(response.header("traceparent")).isEqualTo(traceparent(published));
      assertThat(spans)
          .allSatisfy(
              span -> {
                assertThat(tag(span, "callContext")).isEqualTo("a call");
                assertThat(tag(span, "commandId")).isEqualTo("traced");
              });
      assertThat(tag(sent, "http.status_code")).isEqualTo("200");
    }
  }

  @Test
  void forwardsOnlyTraceparentToAsterisk() {
    settings.with(Setting.TRACING_OPENTELEMETRY, "true");
    try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
        Controller controller = new Controller(settings, broker)) {
      asterisk.awaitConnected(APP);
      sendPing(
          controller,
          Map.of(
              "traceparent", traceparent(),
              "baggage", "who=me",
              "Host", "elsewhere",
              "Authorization", "Bearer mine",
              "X-Mine", "mine"));
      RecordedRequest request = pingRequest();

      assertThat(request.header("traceparent")).contains(trace);
      assertThat(request.header("baggage")).isNull();
      assertThat(request.header("X-Mine")).isNull();
      assertThat(request.header("Authorization")).startsWith("Basic ");
      assertThat(request.header("Host")).isEqualTo("localhost:" + asterisk.port());
    }
  }

  @Test
  void startsTracePerEventAndPropagatesIt() {
    settings.with(Setting.TRACING_OPENTELEMETRY, "true");
    try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
        Controller controller = new Controller(settings, broker)) {
      asterisk.awaitConnected(APP);
      // wait until the resync after the connect is done
      asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "first"));
      controller.event("first", "STASIS_START");
      for (int i = 0; i < 20; i++) {
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call-" + i));
      }
      for (int i = 0; i < 20; i++) {
        String call = "call-" + i;
        String parent = controller.event(call, "STASIS_START").header("traceparent");
        String id = parent.substring(3, 35);

        List<SpanData> spans = awaitSpans(id, 2);
        SpanData event = spanNamed(spans, "event");
        assertThat(event.getParentSpanContext().isValid()).isFalse();
        assertThat(spanNamed(spans, settings.eventsTopic()).getParentSpanId())
            .isEqualTo(event.getSpanId());
        assertThat(spans).allSatisfy(span -> assertThat(tag(span, "callContext")).isEqualTo(call));
      }
    }
  }

  /** The key of a record without a call context is the endpoint. */
  @Test
  void spansContainNoAddress() {
    settings.with(Setting.TRACING_OPENTELEMETRY, "true");
    try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
        Controller controller = new Controller(settings, broker)) {
      asterisk.awaitConnected(APP);
      asterisk.emit(
          APP,
          "{\"type\":\"EndpointStateChange\",\"application\":\"spanned\",\"endpoint\":"
              + "{\"technology\":\"PJSIP\",\"resource\":\"493012345\",\"state\":\"online\"}}");
      String id = controller.awaitUnmapped().header("traceparent").substring(3, 35);

      List<SpanData> spans = awaitSpans(id, 2);
      assertThat(spans).extracting(span -> tag(span, "resource")).containsOnly("ENDPOINT:***");
      assertThat(spans)
          .allSatisfy(
              span ->
                  assertThat(span.getName() + span.getAttributes() + span.getEvents())
                      .doesNotContain("493012345"));
    }
  }

  @Test
  void propagatesNothingWhenDisabled() {
    try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
        Controller controller = new Controller(settings, broker)) {
      asterisk.awaitConnected(APP);
      Response response = sendPing(controller, Map.of("traceparent", traceparent()));

      assertThat(pingRequest().header("traceparent")).isNull();
      assertThat(response.header("traceparent")).isNull();
      assertThat(InMemorySpanExporterProvider.forTrace(trace)).isEmpty();
    }
  }

  @Test
  void exportsSpansToConfiguredEndpoint(@TempDir Path folder) throws IOException {
    List<String> received = new CopyOnWriteArrayList<>();
    HttpServer collector =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    collector.createContext(
        "/v1/traces",
        exchange -> {
          received.add(HexFormat.of().formatHex(exchange.getRequestBody().readAllBytes()));
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    collector.start();
    settings
        .with(Setting.TRACING_OPENTELEMETRY, "true")
        .withCamelProperty(
            "otel.exporter.otlp.endpoint", "http://localhost:" + collector.getAddress().getPort())
        // at the stop only
        .withCamelProperty("otel.bsp.schedule.delay", "600000");
    try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"));
        Controller controller = new Controller(settings, broker)) {
      asterisk.awaitConnected(APP);
      sendPing(controller, Map.of("traceparent", traceparent()));
      proxy.terminate();
    } finally {
      collector.stop(0);
    }
    String serviceName = HexFormat.of().formatHex("ari-proxy".getBytes(StandardCharsets.UTF_8));

    assertThat(received).anyMatch(spans -> spans.contains(trace) && spans.contains(serviceName));
  }

  private Response sendPing(Controller controller, Map<String, String> headers) {
    try (TopicWriter writer = new TopicWriter(broker.bootstrapServers())) {
      writer.send(
          settings.commandsTopic(),
          "a call",
          "{\"callContext\":\"a "
              + "call\",\"commandId\":\"traced\",\"ariCommand\":{\"method\":\"GET\",\"url\":\"/asterisk/ping\"}}",
          headers);
    }
    return controller.response("traced");
  }

  private RecordedRequest pingRequest() {
    return asterisk.requests().stream()
        .filter(each -> each.path().endsWith("/asterisk/ping"))
        .findFirst()
        .orElseThrow();
  }

  private List<SpanData> awaitSpans(int count) {
    return awaitSpans(trace, count);
  }

  private static List<SpanData> awaitSpans(String traceId, int count) {
    await()
        .untilAsserted(
            () ->
                assertThat(InMemorySpanExporterProvider.forTrace(traceId))
                    .as("spans of the trace")
                    .hasSize(count));
    return InMemorySpanExporterProvider.forTrace(traceId);
  }

  private static SpanData spanNamed(List<SpanData> spans, String name) {
    assertThat(spans).extracting(SpanData::getName).contains(name);
    return spans.stream().filter(span -> span.getName().equals(name)).findFirst().orElseThrow();
  }

  private static String tag(SpanData span, String name) {
    return span.getAttributes().get(AttributeKey.stringKey(name));
  }

  private String traceparent() {
    return "00-" + trace + "-" + PARENT + "-01";
  }

  private static String traceparent(SpanData span) {
    return "00-" + span.getTraceId() + "-" + span.getSpanId() + "-01";
  }
}
