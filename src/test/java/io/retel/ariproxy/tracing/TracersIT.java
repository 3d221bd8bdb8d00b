// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.FullRun;
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
import java.io.StringReader;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import javax.management.Attribute;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.camel.spi.BacklogTracer;
import org.apache.camel.spi.BacklogTracerEventMessage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/** Tracing of one call through one route while others continue, with secrets masked. */
@ExtendWith(KafkaExtension.class)
class TracersIT {

  private static final String APP = "traced";
  private static final String NUMBER = "493012345";
  private static final ObjectMapper JSON = new ObjectMapper();

  @AutoClose private static final Closer CLOSER = new Closer();
  private static KafkaBroker broker;
  private static SimulatedAsterisk asterisk;
  private static ProxySettings settings;
  private static EmbeddedProxy proxy;
  private static Controller controller;

  @BeforeAll
  static void start(KafkaBroker kafka) {
    broker = kafka;
    asterisk = CLOSER.register(SimulatedAsterisk.start());
    settings = ProxySettings.of(asterisk, APP, kafka);
    proxy = CLOSER.register(EmbeddedProxy.start(settings));
    controller = CLOSER.register(new Controller(settings, kafka));
    asterisk.awaitConnected(APP);
  }

  @AfterEach
  void switchOff() throws JMException {
    set("Enabled", false);
    set("TraceFilter", "");
    set("TracePattern", "*");
    invoke("clear");
  }

  @Test
  void backlogTracerFiltersByRouteAndCall() throws Exception {
    sendCommands("before");
    assertThat(dump()).isEmpty();

    set("TracePattern", "execute-command");
    set("TraceFilter", "${exchangeProperty.callContext} == 'call-2'");
    set("Enabled", true);
    sendCommands("while");
    set("Enabled", false);
    sendCommands("after");

    List<JsonNode> traces = dump();
    assertThat(traces)
        .extracting(trace -> trace.path("routeId").asText())
        .containsOnly("execute-command");
    assertThat(traces)
        .extracting(trace -> trace.path("nodeId").asText())
        .contains("check-command", "send-ari-request", "build-response", "publish-response");
    assertThat(traces).extracting(trace -> property(trace, "callContext")).containsOnly("call-2");
    // only the command sent while the tracer was enabled
    assertThat(traces).extracting(trace -> property(trace, "commandId")).containsOnly("while-2");
  }

  @Test
  void tracesEventOnceCallIsKnown() throws Exception {
    set("TraceFilter", "${exchangeProperty.callContext} == 'followed'");
    set("Enabled", true);
    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "another"));
    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "followed"));
    controller.event("followed", "STASIS_START");
    controller.event("another", "STASIS_START");

    List<JsonNode> traces = dump();
    assertThat(traces).extracting(trace -> property(trace, "callContext")).containsOnly("followed");
    assertThat(traces)
        .extracting(trace -> trace.path("nodeId").asText())
        .contains("build-event-envelope", "publish-event", "events-and-responses-topic");
  }

  @Test
  void failingFilterTracesNothingAndBlocksNothing() throws Exception {
    set("TraceFilter", "${body.nonsense} == 'x'");
    set("Enabled", true);

    controller.execute("filtered", "GET", "/asterisk/ping").assertStatus(200);
    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "filtered"));
    controller.event("filtered", "STASIS_START");

    assertThat(dump()).isEmpty();
  }

  /** Whether the log tracer is enabled before or after. */
  @Test
  void invalidFilterIsRejectedAndFailsNoMessage() throws Exception {
    set("TraceFilter", "${exchangeProperty.callContext} == 'kept'");
    setLogTracer(true);
    try {
      for (String invalid : List.of("${exchangeProperty.callContext} = 'x'", "${body", "'x' ==")) {
        assertThatThrownBy(() -> set("TraceFilter", invalid)).as(invalid).isNotNull();
        assertThat(get("TraceFilter"))
            .as(invalid)
            .isEqualTo("${exchangeProperty.callContext} == 'kept'");
      }
      controller.execute("unfiltered", "GET", "/asterisk/ping").assertStatus(200);
      asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "unfiltered"));
      controller.event("unfiltered", "STASIS_START");
    } finally {
      setLogTracer(false);
    }
  }

  @Test
  void tracingDoesNotAlterProcessing() throws Exception {
    set("Enabled", true);
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      ids.add(controller.send("traced-call", "GET", "/asterisk/ping"));
    }
    for (String id : ids) {
      Response response = controller.response(id).assertStatus(200);
      assertThat(response.body().path("ping").asText()).isEqualTo("pong");
    }
    assertThat(
            controller.responses().stream()
                .filter(response -> "traced-call".equals(response.key()))
                .map(Response::commandId))
        .containsExactlyElementsOf(ids);
  }

  @Test
  void retainsLastThousandSteps() throws Exception {
    set("Enabled", true);
    for (int i = 0; i < 12; i++) {
      sendCommands("retained-" + i);
    }

    assertThat(dump().size()).isEqualTo(1_000);
  }

  @Test
  void masksNumbersAndSecretsInDump() throws Exception {
    set("Enabled", true);
    asterisk.call(APP, NUMBER, Map.of("CALL_CONTEXT", "masked"));
    controller.event("masked", "STASIS_START");
    try (TopicWriter writer = new TopicWriter(broker.bootstrapServers())) {
      writer.send(
          settings.commandsTopic(),
          "masked",
          "{\"callContext\":\"masked\",\"commandId\":\"dials\",\"ariCommand\":{\"method\":\"POST\",\"url\":\"/channels?endpoint=PJSIP/"
              + NUMBER
              + "&app=x\",\"body\":{\"callerId\":\""
              + NUMBER
              + "\"}}}",
          Map.of("Authorization", "Bearer " + NUMBER, "right-to-left\u202e", "value"));
    }
    controller.response("dials");

    String dump = (String) invoke("dumpAllTracedMessagesAsJSon");
    assertThat(dump)
        .contains("STASIS_START", "endpoint=***", "Authorization", "right-to-left\\\\u202e")
        .doesNotContain("\u202e")
        .doesNotContain(NUMBER)
        .doesNotContain(asterisk.password());
    assertThatThrownBy(() -> invoke("dumpAllTracedMessages"))
        .rootCause()
        .hasMessageContaining("AsJSon or AsXml");
  }

  /** The key of a record without a call context is the endpoint. */
  @Test
  void masksAddressesOfEndpoints() throws Exception {
    set("Enabled", true);
    setLogTracer(true);
    try (CapturedLog log = CapturedLog.atDebug()) {
      asterisk.emit(
          APP,
          "{\"type\":\"EndpointStateChange\",\"application\":\"traced\",\"endpoint\":"
              + "{\"technology\":\"PJSIP\",\"resource\":\""
              + NUMBER
              + "\",\"state\":\"online\"}}");
      controller.awaitUnmapped();
      await().untilAsserted(() -> assertThat(tracedSteps()).contains("unmapped-events-topic"));
      assertThat(traceLines(log))
          .anyMatch(line -> line.contains("kafka.KEY=***"))
          .noneMatch(line -> line.contains(NUMBER));
    } finally {
      setLogTracer(false);
    }
    assertThat((String) invoke("dumpAllTracedMessagesAsJSon"))
        .contains("kafka.KEY", "EndpointStateChange")
        .doesNotContain(NUMBER);
  }

  private static List<String> traceLines(CapturedLog log) {
    return log.events().stream()
        .filter(line -> line.getLoggerName().equals("org.apache.camel.Tracing"))
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  /** Returns the ids of the traced steps, which stay in the tracer. */
  private static List<String> tracedSteps() {
    return proxy
        .context()
        .getCamelContextExtension()
        .getContextPlugin(BacklogTracer.class)
        .getAllTracedMessages()
        .stream()
        .map(BacklogTracerEventMessage::getToNode)
        .toList();
  }

  /** Of Hawtio's view Trace, which reads these elements. */
  @Test
  void masksNumbersInXml() throws Exception {
    set("TracePattern", "events");
    set("Enabled", true);
    asterisk.call(APP, NUMBER, Map.of("CALL_CONTEXT", "as-xml"));
    controller.event("as-xml", "STASIS_START");
    set("Enabled", false);

    String dump = (String) invoke("dumpAllTracedMessagesAsXml");
    assertThat(dump).doesNotContain(NUMBER).doesNotContain(asterisk.password());
    Document xml =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(dump)));
    NodeList traces = xml.getElementsByTagName("backlogTracerEventMessage");
    assertThat(traces.getLength()).isGreaterThan(5);
    Element first = (Element) traces.item(0);
    assertThat(text(first, "uid")).matches("\\d+");
    assertThat(text(first, "routeId")).isEqualTo("events");
    assertThat(text(first, "timestamp")).startsWith("20");
    assertThat(text(first, "body")).contains("StasisStart", "***");
    assertThat(
            IntStream.range(0, traces.getLength())
                .mapToObj(i -> text((Element) traces.item(i), "toNode")))
        .contains("from-asterisk", "build-event-envelope", "publish-event");
  }

  private static String text(Element trace, String name) {
    return trace.getElementsByTagName(name).item(0).getTextContent();
  }

  @Test
  void logTracerFiltersByRouteAndCall() throws Exception {
    ObjectName tracer = tracer("LogTracer");
    set("TraceFilter", "${exchangeProperty.callContext} == 'call-3'");
    List<ILoggingEvent> lines;
    try (CapturedLog log = CapturedLog.atDebug()) {
      JMX.setAttribute(tracer, new Attribute("TracePattern", "execute-command"));
      JMX.setAttribute(tracer, new Attribute("Enabled", true));
      sendCommands("logged");
      JMX.setAttribute(tracer, new Attribute("Enabled", false));
      sendCommands("not-logged");
      lines =
          log.events().stream()
              .filter(line -> line.getLoggerName().equals("org.apache.camel.Tracing"))
              .toList();
    }
    assertThat(lines)
        .isNotEmpty()
        .allMatch(line -> line.getLevel() == Level.INFO)
        .allMatch(line -> line.getFormattedMessage().contains("[execute-comm]"))
        .allMatch(line -> line.getMDCPropertyMap().get("callContext").equals("call-3"))
        .allMatch(line -> line.getMDCPropertyMap().get("commandId").equals("logged-3"));
  }

  @Test
  @FullRun("starts a process; the other tests set the same options over JMX")
  void logTracerConfiguredByPropertiesMasksNumbers(@TempDir Path folder) throws IOException {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk other = SimulatedAsterisk.start()) {
      ProxySettings otherSettings =
          ProxySettings.of(other, APP, broker)
              .withCamelProperty("camel.main.tracing", "true")
              .withCamelProperty("camel.main.tracingPattern", "execute-command")
              .withCamelProperty(
                  "camel.trace.traceFilter", "${exchangeProperty.callContext} == 'call-2'");
      try (ProxyProcess process = ProxyProcess.start(otherSettings, log);
          Controller otherController = new Controller(otherSettings, broker)) {
        other.awaitConnected(APP);
        for (int i = 0; i < 4; i++) {
          otherController.execute(
              "call-" + i, "GET", "/channels/c/variable?variable=x&value=" + NUMBER);
        }
        process.terminate();
      }
    }
    List<String> traced =
        Files.readAllLines(log).stream().filter(line -> line.contains(" INFO  Tracing  ")).toList();

    assertThat(traced)
        .anyMatch(line -> line.contains("check-command") || line.contains("checkCommand"))
        .anyMatch(line -> line.contains("\"status_code\":404"))
        .allMatch(line -> line.contains("execute-comm"))
        .allMatch(line -> line.endsWith("]") && line.contains("callContext=call-2"))
        .noneMatch(line -> line.contains(NUMBER));
  }

  private static void sendCommands(String idPrefix) {
    try (TopicWriter writer = new TopicWriter(broker.bootstrapServers())) {
      for (int i = 0; i < 5; i++) {
        writer.send(
            settings.commandsTopic(),
            "call-" + i,
            "{\"callContext\":\"call-%d\",\"commandId\":\"%s-%d\",\"ariCommand\":{\"method\":\"GET\",\"url\":\"/asterisk/ping\"}}"
                .formatted(i, idPrefix, i));
      }
    }
    for (int i = 0; i < 5; i++) {
      controller.response(idPrefix + "-" + i);
    }
  }

  private static List<JsonNode> dump() throws Exception {
    List<JsonNode> traces = new ArrayList<>();
    JSON.readTree((String) invoke("dumpAllTracedMessagesAsJSon"))
        .path("traces")
        .forEach(traces::add);
    return traces;
  }

  private static String property(JsonNode trace, String name) {
    for (JsonNode property : trace.at("/message/exchangeProperties")) {
      if (property.path("key").asText().equals(name)) {
        return property.path("value").asText();
      }
    }
    return "none";
  }

  // ---- JMX, like jconsole

  private static final MBeanServer JMX = ManagementFactory.getPlatformMBeanServer();

  private static ObjectName tracer() throws JMException {
    return tracer("BacklogTracer");
  }

  private static ObjectName tracer(String name) throws JMException {
    return new ObjectName(
        "org.apache.camel:context="
            + proxy.context().getManagementName()
            + ",type=tracer,name="
            + name);
  }

  private static void setLogTracer(boolean enabled) throws JMException {
    JMX.setAttribute(tracer("LogTracer"), new Attribute("Enabled", enabled));
  }

  private static Object get(String attribute) throws JMException {
    return JMX.getAttribute(tracer(), attribute);
  }

  private static void set(String attribute, Object value) throws JMException {
    JMX.setAttribute(tracer(), new Attribute(attribute, value));
  }

  private static Object invoke(String operation) throws JMException {
    return JMX.invoke(tracer(), operation, new Object[0], new String[0]);
  }
}
