// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.text;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.Encoder;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.retel.ariproxy.AriProxyStart;
import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.HostileText;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.golden.GoldenEvent;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import io.retel.ariproxy.logging.ExchangeMdcFilter;
import io.retel.ariproxy.logging.JsonLogEncoder;
import io.retel.ariproxy.logging.TextLogEncoder;
import io.retel.ariproxy.tracing.InMemorySpanExporterProvider;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.TabularData;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * Sends hostile text through every field of events and commands, answers, the websocket's close
 * reason and settings, and searches what an operator sees: log, metrics, health, JMX and spans.
 */
@FullRun("half a minute of CPU; LogEncoderTest and LogFormatIT cover the log")
class HostileTextIT {

  private static final String APP = "hostile";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MAX_LINE = 50_000;

  /** Spans and the like have no lines. */
  private static final int MAX_VALUE = 4_096;

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);
  @TempDir private Path folder;

  private final LoggerContext loggers = (LoggerContext) LoggerFactory.getILoggerFactory();
  private final Logger root = loggers.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  private final Map<String, ByteArrayOutputStream> logs = new LinkedHashMap<>();
  private final List<Appender<ILoggingEvent>> appenders = new ArrayList<>();
  private final List<Appender<ILoggingEvent>> detached = new ArrayList<>();
  private final Map<String, Level> levels = new HashMap<>();

  private SimulatedAsterisk asterisk;
  private ProxySettings settings;
  private Controller controller;
  private EmbeddedProxy proxy;
  private ManagementClient management;

  @BeforeEach
  void start() {
    // this JVM's console has no escapes
    root.iteratorForAppenders().forEachRemaining(detached::add);
    detached.forEach(root::detachAppender);
    TextLogEncoder text = new TextLogEncoder();
    text.setCharset(StandardCharsets.UTF_8);
    text.setPattern(shippedPattern());
    appendTo("text", text);
    JsonLogEncoder json = new JsonLogEncoder();
    json.setWithFormattedMessage(true);
    appendTo("json", json);
    setLevel("io.retel.ariproxy", Level.DEBUG);
    System.setProperty("otel.traces.exporter", "memory");
    System.setProperty("otel.bsp.schedule.delay", "50");
    asterisk = fixture.register(SimulatedAsterisk.builder().logCapacity(1).start());
    settings = ProxySettings.of(asterisk, APP, fixture.kafka());
  }

  @AfterEach
  void stop() {
    System.clearProperty("otel.traces.exporter");
    System.clearProperty("otel.bsp.schedule.delay");
    appenders.forEach(root::detachAppender);
    appenders.forEach(Appender::stop);
    detached.forEach(root::addAppender);
    levels.forEach((name, level) -> loggers.getLogger(name).setLevel(level));
  }

  @Test
  void showsNoHostileText() throws Exception {
    RoutesDirectory routes =
        RoutesDirectory.copyTo(Files.createDirectory(folder.resolve("routes")));
    settings
        .with(Setting.ROUTES_DIRECTORY, routes.path().toString())
        .with(Setting.TRACING_OPENTELEMETRY, "true")
        .with(Setting.CALLCONTEXT_STORE, "memory")
        .with(Setting.COMMANDS_ALLOWED, "GET /**, POST /**")
        .with(Setting.MANAGEMENT_PORT, Integer.toString(ManagementClient.freePort()));
    rejectSettings(settings);
    Set<Setting<?>> accepted = acceptHostileSettings(settings);
    proxy = fixture.register(EmbeddedProxy.start(settings));
    controller = fixture.register(new Controller(settings, fixture.kafka()));
    asterisk.awaitConnected(APP);
    management = new ManagementClient(proxy);
    proxy.context().setTracing(true);

    sendEvents();
    sendAnswers();
    sendCommands();
    routes.write("hostile.camel.yaml", "- route:\n    id: 'x\n" + HostileText.all());
    awaitLog("hostile.camel.yaml failed to load");
    closeWebsocket();

    assertThat(accepted).isNotEmpty();
    awaitLog("FORGED");
    List<String> problems = new ArrayList<>();
    logs.forEach(
        (name, log) -> add(problems, name, log.toString(StandardCharsets.UTF_8), MAX_LINE));
    String scrape = management.get("/observe/metrics").body();
    add(problems, "scrape", scrape, 1_000);
    add(problems, "health", management.get("/observe/health?data=true").body(), MAX_LINE);
    add(problems, "health", management.get("/health").body(), MAX_LINE);
    addMBeans(problems);
    addSpans(problems);
    assertThat(problems).isEmpty();
    assertThat(scrape.lines().filter(line -> line.startsWith("ari_proxy_events_total")).count())
        .isLessThan(100);
    assertThat(scrape).hasSizeLessThan(300_000);
  }

  private static String shippedPattern() {
    try {
      return Pattern.compile("<pattern>(.*)</pattern>")
          .matcher(Files.readString(Path.of("src", "main", "resources", "logback.xml")))
          .results()
          .findFirst()
          .orElseThrow()
          .group(1);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private void appendTo(String name, Encoder<ILoggingEvent> encoder) {
    ByteArrayOutputStream log = new ByteArrayOutputStream();
    logs.put(name, log);
    encoder.setContext(loggers);
    encoder.start();
    OutputStreamAppender<ILoggingEvent> appender = new OutputStreamAppender<>();
    appender.setContext(loggers);
    appender.addFilter(new ExchangeMdcFilter());
    appender.setEncoder(encoder);
    appender.setOutputStream(log);
    appender.start();
    root.addAppender(appender);
    appenders.add(appender);
  }

  private void setLevel(String name, Level level) {
    Logger logger = loggers.getLogger(name);
    levels.putIfAbsent(name, logger.getLevel());
    logger.setLevel(level);
  }

  private void awaitLog(String text) {
    logs.forEach(
        (name, log) ->
            Awaitility.await(text)
                .until(() -> log.toString(StandardCharsets.UTF_8).contains(text)));
  }

  // Settings

  /** Starts with each setting that rejects hostile text; each start logs why. */
  private static void rejectSettings(ProxySettings settings) {
    for (Setting<?> setting : Setting.all()) {
      // Linux limits a variable to 128 KB
      String large = HostileText.large().substring(0, 100_000);
      for (String hostile : List.of(HostileText.all(), large)) {
        Map<String, String> environment = new HashMap<>(settings.environment());
        environment.put(setting.environmentVariable(), hostile);
        if (!isAccepted(environment)) {
          assertThat(AriProxyStart.run(environment)).isEqualTo(78);
        }
      }
    }
    assertThat(
            AriProxyStart.run(
                Map.of(
                    "ARI_" + HostileText.all(), "",
                    "KAFKA_" + "X".repeat(10_000), "",
                    "CAMEL_COMPONENT_" + HostileText.all(), "")))
        .isEqualTo(78);
  }

  private static boolean isAccepted(Map<String, String> environment) {
    try {
      Settings.read(Path.of("config", "application.properties"), environment);
      return true;
    } catch (InvalidSettingException e) {
      return false;
    }
  }

  /** Sets those that accept hostile text and do not decide whether the proxy starts. */
  private static Set<Setting<?>> acceptHostileSettings(ProxySettings settings) {
    Set<Setting<?>> accepted = new HashSet<>();
    for (Setting<?> setting : List.of(Setting.METRICS_TAGS)) {
      String hostile = "site=" + HostileText.all().replaceAll("[=,]", "");
      Map<String, String> environment = new HashMap<>(settings.environment());
      environment.put(setting.environmentVariable(), hostile);
      if (isAccepted(environment)) {
        settings.with(setting, hostile);
        accepted.add(setting);
      }
    }
    return accepted;
  }

  // Events

  private void sendEvents() throws JsonProcessingException {
    Map<String, JsonNode> eventsByType = new LinkedHashMap<>();
    for (GoldenEvent golden : GoldenEvent.all()) {
      if (golden.name().startsWith("non-JSON")) {
        continue;
      }
      JsonNode event = JSON.readTree(golden.event());
      eventsByType.putIfAbsent(event.path("type").asText(), event);
    }
    for (JsonNode event : eventsByType.values()) {
      for (String field : textFields(event)) {
        send(event, field, HostileText.withUnpairedSurrogate());
      }
    }
    // masking megabytes of payloads for DEBUG takes most of the time
    setLevel("io.retel.ariproxy", Level.INFO);
    Set<String> names = new HashSet<>();
    for (JsonNode event : eventsByType.values()) {
      for (String field : textFields(event)) {
        if (names.add(field.substring(field.lastIndexOf('/') + 1))) {
          send(event, field, HostileText.large());
          awaitBuffers();
        }
      }
    }
    for (int i = 0; i < 300; i++) {
      asterisk.emit(APP, "{\"type\":\"Unknown" + "X".repeat(i) + "\"}");
    }
    asterisk.emit(APP, "not JSON " + HostileText.large());
    asterisk.emit(APP, "{\"type\":\"Last\",\"" + HostileText.FORGED + "\\n\":1}");
    Awaitility.await("last event")
        .until(
            () ->
                proxy.counter("ari-proxy.events", "eventType", "OTHER", "resourceType", "NONE")
                    > 300);
  }

  /** The test's JVM also has the simulator and the broker. */
  private void awaitBuffers() {
    Awaitility.await("published")
        .pollInterval(Duration.ofMillis(10))
        .until(
            () ->
                proxy.gauge("ari-proxy.websocket.buffer.bytes")
                        + proxy.gauge("ari-proxy.kafka.in-flight.bytes")
                    < 5_000_000);
  }

  private void send(JsonNode event, String field, String text) throws JsonProcessingException {
    ObjectNode changed = event.deepCopy();
    int lastSlash = field.lastIndexOf('/');
    JsonNode parent = changed.at(field.substring(0, lastSlash));
    String name = field.substring(lastSlash + 1);
    if (parent instanceof ArrayNode array) {
      array.set(Integer.parseInt(name), JSON.getNodeFactory().textNode(text));
    } else {
      ((ObjectNode) parent).put(name.replace("~1", "/").replace("~0", "~"), text);
    }
    asterisk.emit(APP, JSON.writeValueAsString(changed).replace("\ud800", "\\ud800"));
  }

  /** Returns the JSON pointers of all fields that contain text. */
  private static List<String> textFields(JsonNode node) {
    List<String> fields = new ArrayList<>();
    if (node.isArray()) {
      for (int i = 0; i < node.size(); i++) {
        addTextFields(fields, "/" + i, node.get(i));
      }
    }
    node.properties()
        .forEach(
            field ->
                addTextFields(
                    fields,
                    "/" + field.getKey().replace("~", "~0").replace("/", "~1"),
                    field.getValue()));
    return fields;
  }

  private static void addTextFields(List<String> fields, String pointer, JsonNode node) {
    if (node.isTextual()) {
      fields.add(pointer);
    } else {
      textFields(node).forEach(field -> fields.add(pointer + field));
    }
  }

  // Commands

  private void sendCommands() {
    List<String> texts =
        List.of(HostileText.all(), "x".repeat(300_000) + HostileText.all(), HostileText.all());
    try (TopicWriter writer = new TopicWriter(fixture.kafka().bootstrapServers())) {
      for (String text : texts) {
        for (String field :
            List.of(
                "/callContext",
                "/commandId",
                "/expiresAt",
                "/ariCommand/method",
                "/ariCommand/url",
                "/ariCommand/body",
                "/ariCommand/body/variables/CALL_CONTEXT",
                "/ariCommand/body/channelId")) {
          ObjectNode command = JSON.createObjectNode();
          command.put("callContext", "call").put("commandId", "id");
          ObjectNode request = command.putObject("ariCommand");
          request.put("method", "POST").put("url", "/channels");
          request.putObject("body").putObject("variables");
          int lastSlash = field.lastIndexOf('/');
          ((ObjectNode) command.at(field.substring(0, lastSlash)))
              .put(field.substring(lastSlash + 1), text);
          writer.send(record(text, command.toString()));
        }
        writer.send(record(text, "not JSON " + text));
        for (String url : List.of("/channels/", "/x/", "/endpoints/SIP/", "/channels?app=")) {
          writer.send(
              record(
                  "key",
                  JSON.createObjectNode()
                      .set(
                          "ariCommand",
                          JSON.createObjectNode()
                              .put("method", "DELETE")
                              .put("url", url + text.replace("/", "")))
                      .toString()));
        }
      }
    }
    controller.execute("last", "GET", "/asterisk/ping");
  }

  private ProducerRecord<String, byte[]> record(String key, String value) {
    return TopicWriter.record(
        settings.commandsTopic(),
        key,
        value,
        Map.of(
            HostileText.all(),
            HostileText.all(),
            "traceparent",
            HostileText.all(),
            "Host",
            HostileText.all()));
  }

  // Answers

  private void sendAnswers() {
    for (String text : List.of(HostileText.withUnpairedSurrogate(), HostileText.large())) {
      for (int status : List.of(200, 404, 500, 999)) {
        asterisk
            .faults()
            .respondWith(request -> request.path().startsWith("/channels/"), status, text);
        controller.execute("answers", "GET", "/channels/1");
        asterisk.faults().clear();
      }
      asterisk
          .faults()
          .respondWith(
              request -> request.path().startsWith("/channels/"),
              200,
              "text/\u009b\u0085\u007f; charset=" + HostileText.FORGED,
              text.getBytes(StandardCharsets.UTF_8));
      controller.execute("answers", "GET", "/channels/1");
      asterisk.faults().clear();
    }
  }

  private void closeWebsocket() {
    for (int code : List.of(1000, 1011, 4000)) {
      int reconnects = asterisk.totalWebsocketCount();
      // at most 123 bytes
      asterisk.websocketFaults(APP).close(code, HostileText.all().substring(0, 60));
      Awaitility.await("reconnect").until(() -> asterisk.totalWebsocketCount() > reconnects);
      asterisk.awaitConnected(APP);
    }
  }

  // What an operator sees

  private static void add(List<String> problems, String place, String text, int maxLine) {
    HostileText.problems(text, maxLine)
        .distinct()
        .limit(5)
        .forEach(problem -> problems.add(place + ": " + problem));
  }

  private void addSpans(List<String> problems) {
    List<SpanData> spans = InMemorySpanExporterProvider.all();
    assertThat(spans).hasSizeGreaterThan(20);
    for (SpanData span : spans) {
      Stream.concat(
              Stream.of(span.getName(), span.getStatus().getDescription()),
              Stream.concat(
                  span.getAttributes().asMap().values().stream(),
                  span.getEvents().stream().map(event -> event.getName() + event.getAttributes())))
          .forEach(text -> add(problems, "span " + span.getName(), text.toString(), MAX_VALUE));
    }
  }

  private static void addMBeans(List<String> problems) throws JMException {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    for (String domain : List.of("io.retel.ariproxy", "org.apache.camel", "metrics")) {
      for (ObjectName name : server.queryNames(new ObjectName(domain + ":*"), null)) {
        add(problems, "name", name.getCanonicalName(), MAX_VALUE);
        for (MBeanAttributeInfo attribute : server.getMBeanInfo(name).getAttributes()) {
          if (attribute.isReadable()) {
            addAttribute(problems, server, name, attribute.getName());
          }
        }
      }
    }
    for (ObjectName name :
        server.queryNames(new ObjectName("io.retel.ariproxy:type=CallContexts,*"), null)) {
      TabularData table =
          (TabularData)
              server.invoke(
                  name,
                  "find",
                  new Object[] {"", 1_000},
                  new String[] {String.class.getName(), int.class.getName()});
      assertThat(table.values()).isNotEmpty();
      for (Object row : table.values()) {
        CompositeData data = (CompositeData) row;
        data.values()
            .forEach(value -> add(problems, "find", String.valueOf(value), Integer.MAX_VALUE));
      }
    }
  }

  private static void addAttribute(
      List<String> problems, MBeanServer server, ObjectName name, String attribute) {
    Object value;
    try {
      value = server.getAttribute(name, attribute);
    } catch (JMException | RuntimeException e) {
      return;
    }
    String text =
        value instanceof Object[] values ? Arrays.toString(values) : String.valueOf(value);
    add(problems, name + " " + attribute, text, MAX_LINE);
  }
}
