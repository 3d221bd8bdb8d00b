// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.command.RequireOpenWebsocket;
import io.retel.ariproxy.component.ahcws.AhcWsComponent;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.kafka.FakeCommandHandle;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.metrics.MeterRegistries;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.route.CompiledRoutes;
import io.retel.ariproxy.route.ConditionalRoutePolicy;
import io.retel.ariproxy.time.Moment;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BinaryOperator;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.AdviceWith;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * The files of {@code routes/} and the compiled routes with the beans of the proxy, without
 * Asterisk and Kafka: tests send events and commands to the routes, and mocks receive the records
 * for Kafka.
 */
public final class RoutesUnderTest implements AutoCloseable {

  private static final Path ROUTES = Path.of("routes");
  private static final Path COMPILED_ROUTES = Path.of("docs", "compiled-routes");

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final AtomicBoolean websocketOpen = new AtomicBoolean(true);
  private final AtomicInteger replacedCount = new AtomicInteger();
  // one for all messages: a template stops its producers only when it is stopped
  private final ProducerTemplate messages = context.createProducerTemplate();
  private FakeCommandHandle offset = new FakeCommandHandle();

  private RoutesUnderTest(Map<Setting<?>, String> overrides) throws Exception {
    this(overrides, (file, yaml) -> yaml, Map.of());
  }

  private RoutesUnderTest(
      Map<Setting<?>, String> overrides, BinaryOperator<String> edit, Map<String, Processor> steps)
      throws Exception {
    steps.forEach(context.getRegistry()::bind);
    Settings settings = settings(overrides);
    context.getPropertiesComponent().setOverrideProperties(settings.placeholders());
    context.setAutowiredEnabled(false);
    // creating an MBean for each step of each route would dominate the run time
    context.disableJMX();
    context.getShutdownStrategy().setTimeout(10);
    MeterRegistry meters = MeterRegistries.bind(context, settings.get(Setting.METRICS_TAGS));
    ProxyModules modules =
        new ProxyModules(
            context, settings, meters, new Lifecycle(Moment::now), replacedCount::incrementAndGet);
    // no websocket in these tests
    context
        .getRegistry()
        .bind("requireOpenWebsocket", new RequireOpenWebsocket(websocketOpen::get));
    // no preconditions in these tests
    context
        .getRegistry()
        .bind("startupGatePolicy", new ConditionalRoutePolicy(() -> true, "always, in tests"));
    context
        .getRegistry()
        .bind("pausePolicy", new ConditionalRoutePolicy(() -> true, "always, in tests"));
    // like camel-main: all configurations before all routes
    CompiledRoutes compiledRoutes = modules.compiledRoutes();
    compiledRoutes.addRouteConfigurationsToCamelContext(context);
    PluginHelper.getRoutesLoader(context).loadRoutes(routeResources(edit));
    compiledRoutes.addRoutesToCamelContext(context);
  }

  /** Starts the routes with mocks only; Asterisk is {@code mock:ari}. */
  public static RoutesUnderTest start() throws Exception {
    return start(Map.of());
  }

  /** Starts the routes with mocks only and the given settings. */
  public static RoutesUnderTest start(Map<Setting<?>, String> settings) throws Exception {
    return start(settings, (file, yaml) -> yaml, Map.of());
  }

  /**
   * Starts edited routes with mocks only.
   *
   * @param edit from name and content of a file to its new content
   * @param steps beans that the edited routes use
   */
  public static RoutesUnderTest start(
      Map<Setting<?>, String> settings, BinaryOperator<String> edit, Map<String, Processor> steps)
      throws Exception {
    Map<Setting<?>, String> quickRetries = new HashMap<>(settings);
    quickRetries.putIfAbsent(Setting.COMMANDS_RETRY_DELAY, "10ms");
    RoutesUnderTest routes = new RoutesUnderTest(quickRetries, edit, steps);
    AdviceWith.adviceWith(
        routes.context,
        "execute-command",
        route -> route.weaveById("send-ari-request").replace().to("mock:ari"));
    return routes.mockEndpointsAndStart();
  }

  /** Starts the routes with Asterisk's HTTP server at a port. */
  public static RoutesUnderTest startWithAsterisk(int port) throws Exception {
    return startWithAsterisk(port, Map.of());
  }

  /** Starts the routes with Asterisk's HTTP server at a port and the given settings. */
  public static RoutesUnderTest startWithAsterisk(int port, Map<Setting<?>, String> overrides)
      throws Exception {
    Map<Setting<?>, String> settings = new HashMap<>(overrides);
    settings.put(Setting.ARI_URL, "http://localhost:" + port + "/ari");
    // a slow machine must not look like a hung Asterisk
    settings.putIfAbsent(
        Setting.ARI_RESPONSE_TIMEOUT, Long.toString(DefaultTimeout.DURATION.toMillis()) + "ms");
    settings.putIfAbsent(
        Setting.ARI_RESYNC_TIMEOUT, Long.toString(DefaultTimeout.DURATION.toMillis()) + "ms");
    settings.putIfAbsent(Setting.ARI_MAX_RESPONSE_BODY, "1024B");
    return new RoutesUnderTest(settings).mockEndpointsAndStart();
  }

  /** Loads the unmodified routes: creates each endpoint, starts nothing. */
  public static RoutesUnderTest loadWithoutStarting() throws Exception {
    RoutesUnderTest routes =
        new RoutesUnderTest(Map.of(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, "generic-commands"));
    routes.context.setAutoStartup(false);
    routes.context.start();
    return routes;
  }

  /** Returns test settings with overrides. */
  public static Settings settings(Map<Setting<?>, String> overrides) {
    Map<Setting<?>, String> values = new HashMap<>();
    values.put(Setting.ARI_APP, "app");
    values.put(Setting.ARI_USERNAME, "user");
    values.put(Setting.ARI_PASSWORD, "password");
    values.put(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC, "events");
    values.put(Setting.KAFKA_COMMANDS_TOPIC, "commands");
    values.put(Setting.COMMANDS_MAX_CONCURRENCY, "2");
    values.put(Setting.CALLCONTEXT_STORE, "memory");
    // tests can send the same command again
    values.put(Setting.COMMANDS_DEDUP_WINDOW, "0s");
    values.putAll(overrides);
    Map<String, String> environment = new HashMap<>();
    values.forEach((setting, value) -> environment.put(setting.environmentVariable(), value));
    return Settings.read(Path.of("no file"), environment);
  }

  /** Returns the files of {@code routes/}. */
  public static List<Path> routeFiles() throws IOException {
    return list(ROUTES);
  }

  /** Returns the YAML of the compiled routes and route configurations. */
  public static List<Path> compiledRouteFiles() throws IOException {
    return list(COMPILED_ROUTES);
  }

  private static List<Path> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  private List<Resource> routeResources(BinaryOperator<String> edit) throws IOException {
    List<Resource> resources = new ArrayList<>();
    for (Path path : routeFiles()) {
      String yaml = edit.apply(path.getFileName().toString(), Files.readString(path));
      resources.add(
          ResourceHelper.fromBytes(
              "file:" + path.toAbsolutePath(), yaml.getBytes(StandardCharsets.UTF_8)));
    }
    return resources;
  }

  private RoutesUnderTest mockEndpointsAndStart() throws Exception {
    AdviceWith.adviceWith(context, "events", route -> route.replaceFromWith("direct:asterisk"));
    AdviceWith.adviceWith(context, "commands", route -> route.replaceFromWith("direct:commands"));
    AdviceWith.adviceWith(
        context,
        "publish",
        route -> {
          route.weaveById("events-and-responses-topic").replace().to("mock:mapped");
          route.weaveById("unmapped-events-topic").replace().to("mock:unmapped");
        });
    context.start();
    context.getRouteController().startRoute("events");
    context.getRouteController().startRoute("commands");
    return this;
  }

  /** Returns how often another client replaced the proxy in the Stasis application. */
  public int replacedCount() {
    return replacedCount.get();
  }

  public DefaultCamelContext context() {
    return context;
  }

  /** The topic of events and RESPONSEs. */
  public MockEndpoint mappedTopic() {
    return mock("mapped");
  }

  /** The topic of unmapped events. */
  public MockEndpoint unmappedTopic() {
    return mock("unmapped");
  }

  /** Asterisk's HTTP interface. */
  public MockEndpoint ari() {
    return mock("ari");
  }

  /** Sets Asterisk's response on the exchange; an empty text means no body. */
  public static void respond(Exchange exchange, int status, String json) {
    exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, status);
    exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, "application/json");
    exchange
        .getMessage()
        .setBody(
            json.isEmpty()
                ? null
                : new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)));
  }

  private MockEndpoint mock(String name) {
    return context.getEndpoint("mock:" + name, MockEndpoint.class);
  }

  /** Sends a websocket message from Asterisk. */
  public Exchange sendEvent(Object message) {
    if (message instanceof String text) {
      context.getComponent("ahc-ws", AhcWsComponent.class).getOnText().accept(text);
    }
    return messages.request("direct:asterisk", exchange -> exchange.getIn().setBody(message));
  }

  /** Sends a record from the commands topic. */
  public void sendCommand(String json) {
    sendCommand(json, Map.of());
  }

  /** Sends a record with headers from the commands topic. */
  public void sendCommand(String json, Map<String, Object> headers) {
    send("commands", bytes(json), headers);
  }

  /** Sends a record from the topic {@code generic-commands}. */
  public void sendGenericCommand(String json) {
    send("generic-commands", bytes(json), Map.of());
  }

  /** Sends a record with an arbitrary or null value and headers from the commands topic. */
  public void sendRecord(byte[] value, Map<String, ?> headers) {
    send("commands", value, headers);
  }

  private static byte[] bytes(String json) {
    return json.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
  }

  private void send(String topic, byte[] value, Map<String, ?> headers) {
    Map<String, Object> all = new HashMap<>(headers);
    all.put(KafkaConstants.TOPIC, topic);
    all.put(KafkaConstants.PARTITION, 0);
    all.put(KafkaConstants.OFFSET, 7L);
    all.put(KafkaConstants.KEY, "the record's key");
    all.putIfAbsent(KafkaConstants.TIMESTAMP, System.currentTimeMillis());
    all.put(KafkaConstants.MANUAL_COMMIT, offset);
    messages.send(
        "direct:commands",
        exchange -> {
          exchange.getIn().setBody(value);
          exchange.getIn().setHeaders(all);
        });
  }

  /** Waits until all exchanges are complete and the offset is committed, exactly once. */
  public void awaitResponse() {
    await()
        .pollInterval(Duration.ofMillis(5))
        .until(() -> offset.committed() > 0 && context.getInflightRepository().size() == 0);
    assertThat(offset.committed()).isOne();
  }

  /** Waits until a command without a RESPONSE is released; its offset is not committed. */
  public void awaitReleased() {
    await()
        .pollInterval(Duration.ofMillis(5))
        .until(() -> offset.released() && context.getInflightRepository().size() == 0);
    assertThat(offset.committed()).isZero();
  }

  /** Returns the RESPONSE, which is the only record on the topic of events and RESPONSEs. */
  public Response response() {
    List<Response> published = responses();
    assertThat(published).hasSize(1);
    return published.get(0);
  }

  /** Returns the RESPONSEs sent to the topic, including those that it rejected. */
  public List<Response> responses() {
    return mappedTopic().getReceivedExchanges().stream()
        .map(Exchange::getMessage)
        .map(
            message ->
                new ConsumerRecord<>(
                    "mapped",
                    0,
                    0,
                    message.getHeader(KafkaConstants.KEY, String.class),
                    message.getBody(byte[].class)))
        .map(record -> Response.of(new TopicRecord(record)))
        .toList();
  }

  /** Sets whether Asterisk's websocket is open; initially open. */
  public void websocketOpen(boolean open) {
    websocketOpen.set(open);
  }

  /** The offset of the next command. */
  public FakeCommandHandle offset() {
    return offset;
  }

  /** Resets all mocks and the offset. */
  public void reset() {
    MockEndpoint.resetMocks(context);
    offset = new FakeCommandHandle();
  }

  /** Resets the topics and the offset, but not Asterisk. */
  public void resetTopics() {
    mappedTopic().reset();
    unmappedTopic().reset();
    offset = new FakeCommandHandle();
  }

  /** Returns the value of a counter with these values of its tags. */
  public int counterValue(Meters meter, String... tagValues) {
    return (int)
        meter
            .counter(
                context.getRegistry().lookupByNameAndType("meters", MeterRegistry.class), tagValues)
            .count();
  }

  /** Returns the value of a gauge without tags. */
  public int gaugeValue(Meters meter) {
    return (int)
        context
            .getRegistry()
            .lookupByNameAndType("meters", MeterRegistry.class)
            .get(meter.meterName())
            .gauge()
            .value();
  }

  /** Returns the number of RESPONSEs with an outcome, such as {@code rejected}. */
  public int responseCount(String outcome) {
    return (int)
        context
            .getRegistry()
            .lookupByNameAndType("meters", MeterRegistry.class)
            .find(Meters.RESPONSES.meterName())
            .tag("outcome", outcome)
            .counters()
            .stream()
            .mapToDouble(Counter::count)
            .sum();
  }

  /** Stops the context, after the exchanges in flight have completed. */
  @Override
  public void close() {
    context.stop();
  }
}
