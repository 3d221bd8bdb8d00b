// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ManagedBean;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.apache.camel.ServiceStatus;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Tests two proxies, each with an Asterisk, that share the topic of generic commands
 * (docs/contract.md#commands).
 */
@ExtendWith(KafkaExtension.class)
class GenericCommandsIT {

  private static final String APP = "generic";

  /** The number of proxies that all tests share; a test can start another one. */
  private static final int SHARED = 2;

  @AutoClose private static final Closer closer = new Closer();
  private static final List<SimulatedAsterisk> asterisks = new ArrayList<>();
  private static final List<ProxySettings> settings = new ArrayList<>();
  private static final List<EmbeddedProxy> proxies = new ArrayList<>();
  private static TopicWriter writer;
  private static Controller controller;
  private static String topic;
  private static int sent;

  @BeforeAll
  static void start(KafkaBroker kafka) {
    topic = "generic-" + UUID.randomUUID();
    kafka.createTopic(topic, 8);
    for (int i = 0; i < SHARED; i++) {
      startProxy(kafka);
    }
    writer = closer.register(new TopicWriter(kafka.bootstrapServers()));
    controller = closer.register(new Controller(settings.get(0), kafka));
  }

  /** Leaves the shared proxies as the next test expects them, even if a test fails. */
  @AfterEach
  void recover() {
    while (proxies.size() > SHARED) {
      int last = proxies.size() - 1;
      proxies.remove(last).close();
      asterisks.remove(last).close();
      settings.remove(last);
    }
    asterisks.forEach(each -> each.faults().clear());
    asterisks.stream().filter(each -> !each.isConnected(APP)).forEach(SimulatedAsterisk::restart);
    proxies.forEach(each -> each.managedBean("Commands").invoke("resume"));
  }

  private static void startProxy(KafkaBroker kafka) {
    SimulatedAsterisk asterisk = SimulatedAsterisk.start();
    ProxySettings proxySettings = ProxySettings.of(asterisk, APP, kafka);
    asterisks.add(closer.register(asterisk));
    settings.add(proxySettings);
    proxySettings
        .with(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC, settings.get(0).eventsTopic())
        .with(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, topic)
        .with(Setting.KAFKA_GENERIC_GROUP_ID, topic)
        .with(Setting.COMMANDS_MAX_CONCURRENCY, "16")
        // long enough for commands in flight, but not for all pending ones
        .with(Setting.SHUTDOWN_TIMEOUT, "4s")
        // repeated commands must be visible at Asterisk
        .with(Setting.COMMANDS_DEDUP_WINDOW, "0s");
    proxies.add(closer.register(EmbeddedProxy.start(proxySettings)));
  }

  @Test
  void spreadsCommandsOverBothAsterisks() {
    List<String> ids = awaitBothConsuming();
    assertThat(asterisks).allSatisfy(each -> assertThat(receivedRequests(each, ids)).isNotEmpty());
  }

  @Test
  void continuesCallOnCommandsTopicOfResponse() {
    awaitBothConsuming();

    send("new-call", "POST", "/channels?endpoint=Local/100@default&app=" + APP);

    Response response = controller.response("command-" + sent);
    response.assertStatus(200);
    assertThat(response.key()).isEqualTo("new-call");
    EventEnvelope start = controller.event("new-call", "STASIS_START");
    String commandsTopic = response.commandsTopic();
    assertThat(start.commandsTopic()).isEqualTo(commandsTopic);
    assertThat(settings).extracting(ProxySettings::commandsTopic).contains(commandsTopic);

    String channel = start.channelId();
    sent++;
    writer.send(
        commandsTopic, "new-call", command("new-call", "POST", "/channels/" + channel + "/answer"));
    controller.response("command-" + sent).assertStatus(204);
  }

  @Test
  void failsOverWhileOneAsteriskIsDown() {
    awaitBothConsuming();

    asterisks.get(0).killWhileIdle();
    List<String> whileDown = sendMany(200);
    awaitRouteStatus(0, ServiceStatus.Stopped);

    whileDown.forEach(id -> assertRespondedBy(1, id));
    assertThat(receivedRequests(whileDown)).doesNotHaveDuplicates().hasSameSizeAs(whileDown);

    asterisks.get(0).restart();
    awaitBothConsuming();
  }

  @Test
  void commandsWaitWhileBothAsterisksAreDown() {
    awaitBothConsuming();
    asterisks.forEach(SimulatedAsterisk::kill);
    awaitRouteStatus(0, ServiceStatus.Stopped);
    awaitRouteStatus(1, ServiceStatus.Stopped);

    List<String> waiting = sendMany(50);
    asterisks.forEach(SimulatedAsterisk::restart);

    waiting.forEach(id -> controller.response(id).assertStatus(200));
    assertThat(receivedRequests(waiting)).doesNotHaveDuplicates();
  }

  @Test
  void respondsToInFlightAndReleasesPendingOnOutage() {
    awaitBothConsuming();
    List<Fault> hanging =
        asterisks.stream().map(each -> each.faults().hang(r -> r.uri().contains("/x/"))).toList();
    List<String> sentIds = sendMany(30, "/channels/x/");
    Awaitility.await("half of the commands at each Asterisk")
        .until(() -> hanging.stream().allMatch(fault -> fault.hits() > 5));

    asterisks.get(0).kill();
    hanging.get(1).clear();

    List<String> unknown = new ArrayList<>();
    for (String id : sentIds) {
      int status = controller.response(id).status();
      assertThat(status).as(id).isIn(504, 404);
      if (status == 504) {
        unknown.add(id);
      }
    }
    // in addition to the hung commands, some can be lost on a connection that was about to break
    assertThat(unknown).hasSizeBetween(hanging.get(0).hits(), hanging.get(0).hits() + 16);
    List<String> executed = new ArrayList<>(sentIds);
    executed.removeAll(unknown);
    assertThat(receivedRequests(executed)).doesNotHaveDuplicates().hasSameSizeAs(executed);
    assertThat(receivedRequests(unknown)).doesNotHaveDuplicates();
  }

  @Test
  void stoppingProxyReleasesCommandsWithoutDuplicates() {
    awaitBothConsuming();
    delayResponses();
    List<String> ids = sendMany(200);

    proxies.get(0).close();
    try {
      ids.addAll(sendMany(100));

      ids.forEach(id -> controller.response(id).assertStatus(200));
      assertThat(receivedRequests(ids)).doesNotHaveDuplicates();
    } finally {
      proxies.set(0, closer.register(EmbeddedProxy.start(settings.get(0))));
    }
  }

  @Test
  void pausedProxyReleasesCommandsWithoutDuplicates() {
    awaitBothConsuming();
    delayResponses();
    List<String> ids = sendMany(200);
    ManagedBean commands = proxies.get(0).managedBean("Commands");

    commands.invoke("pause");
    awaitDrained(commands);
    List<String> meanwhile = sendMany(100);

    meanwhile.forEach(id -> assertRespondedBy(1, id));
    ids.addAll(meanwhile);
    ids.forEach(id -> controller.response(id).assertStatus(200));
    assertThat(receivedRequests(ids)).doesNotHaveDuplicates().hasSameSizeAs(ids);
    assertThat(commands.getAttribute("State")).isEqualTo("DRAINED");

    commands.invoke("resume");
    awaitBothConsuming();
  }

  @Test
  @FullRun("a reconnect; CommandConsumptionTest pauses and resumes")
  void pauseOfGenericCommandsOutlivesReconnect() {
    awaitBothConsuming();
    ManagedBean commands = proxies.get(0).managedBean("Commands");
    asterisks.get(0).killWhileIdle();
    awaitRouteStatus(0, ServiceStatus.Stopped);

    // a stop of the route would have no effect now
    commands.invoke("pauseGeneric");
    commands.invoke("pauseGeneric");
    asterisks.get(0).restart();

    awaitOwnCommandExecuted(0);
    Awaitility.await("longer than the interval of the policy")
        .during(Duration.ofMillis(500))
        .until(() -> routeStatus(0), ServiceStatus.Stopped::equals);
    sendMany(100).forEach(id -> assertRespondedBy(1, id));

    commands.invoke("resume");
    awaitBothConsuming();
  }

  @Test
  void joiningProxyCausesNoDuplicates(KafkaBroker kafka) {
    awaitBothConsuming();
    delayResponses();
    List<String> ids = sendMany(200);
    startProxy(kafka);
    String joiningTopic = settings.get(2).commandsTopic();

    Awaitility.await("third proxy responds")
        .until(
            () -> {
              ids.addAll(sendMany(10));
              return controller.responses().stream()
                  .anyMatch(response -> joiningTopic.equals(response.commandsTopic()));
            });

    ids.forEach(id -> controller.response(id).assertStatus(200));
    assertThat(receivedRequests(ids)).doesNotHaveDuplicates();
  }

  @Test
  @FullRun("commands of three seconds; joiningProxyCausesNoDuplicates sends faster ones")
  void slowCommandsRunOnceWhenProxyJoins(KafkaBroker kafka) {
    awaitBothConsuming();
    delayResponsesBeyondShutdownTimeout();
    List<String> ids = sendMany(40);
    startProxy(kafka);
    String joiningTopic = settings.get(2).commandsTopic();

    Awaitility.await("third proxy responds")
        .pollInterval(Duration.ofSeconds(1))
        .until(
            () -> {
              ids.addAll(sendMany(10));
              return controller.responses().stream()
                  .anyMatch(response -> joiningTopic.equals(response.commandsTopic()));
            });

    ids.forEach(id -> controller.response(id).assertStatus(200));
    assertThat(receivedRequests(ids)).doesNotHaveDuplicates().hasSameSizeAs(ids);
  }

  @Test
  @FullRun(
      "commands of three seconds; pausedProxyReleasesCommandsWithoutDuplicates sends faster ones")
  void slowCommandsRunOnceWhenPaused() {
    awaitBothConsuming();
    delayResponsesBeyondShutdownTimeout();
    List<String> ids = sendMany(40);
    ManagedBean commands = proxies.get(0).managedBean("Commands");
    Awaitility.await("commands in flight").until(() -> (int) commands.getAttribute("InFlight") > 0);

    try (CapturedLog log = new CapturedLog()) {
      commands.invoke("pause");

      ids.forEach(id -> controller.response(id).assertStatus(200));
      awaitDrained(commands);
      assertThat(log.lines(Level.WARN)).noneMatch(line -> line.contains("can be executed again"));
    }
    assertThat(receivedRequests(ids)).doesNotHaveDuplicates().hasSameSizeAs(ids);
  }

  private static void awaitDrained(ManagedBean commands) {
    Awaitility.await("commands drained")
        .until(() -> commands.getAttribute("State"), "DRAINED"::equals);
  }

  /** Makes commands take longer than the shutdown timeout but less than the response timeout. */
  private void delayResponsesBeyondShutdownTimeout() {
    asterisks.forEach(each -> each.faults().delayResponses(Duration.ofSeconds(3)));
  }

  /**
   * Makes commands arrive faster than they are executed, so that many are pending in the proxies.
   */
  private void delayResponses() {
    asterisks.forEach(each -> each.faults().delayResponses(Duration.ofMillis(300)));
  }

  /** Waits until both proxies respond to some of 16 commands, and returns the ids of these. */
  private List<String> awaitBothConsuming() {
    return Awaitility.await("both proxies respond")
        .until(
            () -> sendMany(16),
            ids -> {
              Set<String> respondingTopics = new HashSet<>();
              for (String id : ids) {
                Response response = controller.response(id);
                response.assertStatus(200);
                respondingTopics.add(response.commandsTopic());
              }
              return respondingTopics.containsAll(
                  List.of(settings.get(0).commandsTopic(), settings.get(1).commandsTopic()));
            });
  }

  private void awaitRouteStatus(int proxyIndex, ServiceStatus status) {
    Awaitility.await("generic-commands of proxy " + proxyIndex + " is " + status)
        .until(() -> routeStatus(proxyIndex), status::equals);
  }

  private ServiceStatus routeStatus(int proxyIndex) {
    return proxies
        .get(proxyIndex)
        .context()
        .getRouteController()
        .getRouteStatus("generic-commands");
  }

  /** The policies check whether their routes can start as soon as Asterisk is connected. */
  private void awaitOwnCommandExecuted(int proxyIndex) {
    Awaitility.await("connected")
        .until(
            () -> {
              sent++;
              writer.send(
                  settings.get(proxyIndex).commandsTopic(),
                  "own",
                  command("own", "GET", "/asterisk/ping"));
              return controller.response("command-" + sent).status() == 200;
            });
  }

  private List<String> sendMany(int count) {
    return sendMany(count, "/asterisk/ping?");
  }

  private List<String> sendMany(int count, String url) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(send("call-" + sent, "GET", url + "id=" + (sent + 1)));
    }
    return ids;
  }

  private String send(String callContext, String method, String url) {
    sent++;
    writer.send(topic, callContext, command(callContext, method, url));
    return "command-" + sent;
  }

  private String command(String callContext, String method, String url) {
    return "{\"callContext\":\"%s\",\"commandId\":\"command-%d\",\"ariCommand\":{\"method\":\"%s\",\"url\":\"%s\"}}"
        .formatted(callContext, sent, method, url);
  }

  /** Returns the requests for these commands received by any Asterisk. */
  private List<String> receivedRequests(List<String> commandIds) {
    return asterisks.stream()
        .flatMap(asterisk -> receivedRequests(asterisk, commandIds).stream())
        .toList();
  }

  private static List<String> receivedRequests(
      SimulatedAsterisk asterisk, List<String> commandIds) {
    Set<String> expected = new HashSet<>();
    commandIds.forEach(id -> expected.add(id.replace("command-", "id=")));
    return asterisk.requests().stream()
        .map(RecordedRequest::uri)
        .map(uri -> uri.substring(Math.max(0, uri.indexOf("id="))))
        .filter(expected::contains)
        .toList();
  }

  private void assertRespondedBy(int proxyIndex, String commandId) {
    Response response = controller.response(commandId);
    response.assertStatus(200);
    assertThat(response.commandsTopic()).isEqualTo(settings.get(proxyIndex).commandsTopic());
  }
}
