// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FailingLog;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ends threads of a proxy, as an error that nothing catches does. */
@Tag("full")
class EssentialThreadsIT {

  private static final String APP = "ended-thread";

  /** With the timeouts below, a stop takes less, however many exchanges never complete. */
  private static final Duration MAX_STOP = Duration.ofSeconds(30);

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @TempDir private Path folder;
  private SimulatedAsterisk asterisk;
  private ProxySettings settings;
  private Controller controller;
  private Set<Thread> otherThreads;

  /** Fails as Java does in an unknown state, which the proxy does not catch. */
  public static final class FailingInterceptor implements ConsumerInterceptor<Object, Object> {

    @Override
    public ConsumerRecords<Object, Object> onConsume(ConsumerRecords<Object, Object> records) {
      throw new InternalError("test");
    }

    @Override
    public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {}

    @Override
    public void configure(Map<String, ?> configs) {}

    @Override
    public void close() {}
  }

  @BeforeEach
  void start() {
    // the errors of the ended threads
    Awaitility.doNotCatchUncaughtExceptionsByDefault();
    asterisk = fixture.startSimulatedAsterisk();
    settings =
        fixture
            .settings()
            .with(Setting.MANAGEMENT_PORT, Integer.toString(ManagementClient.freePort()))
            .with(Setting.SHUTDOWN_TIMEOUT, "2s")
            .with(Setting.CALLCONTEXT_STORE_TIMEOUT, "1s");
    controller = fixture.controller();
  }

  @AfterEach
  void catchUncaughtExceptions() {
    Awaitility.catchUncaughtExceptionsByDefault();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ahc-ws:// | events are not published",
        "lanes://commands | commands of a call are not executed",
        "websocket-localhost | events are not received",
      })
  void endOfThreadTurnsLivenessDown(String name, String effect) {
    assertLivenessDown(() -> end(name), name, effect);
  }

  /** Camel ends the consumer after an error, and logs nothing. */
  @Test
  void errorOfConsumerTurnsLivenessDown() throws IOException {
    RoutesDirectory routes = RoutesDirectory.copyTo(folder);
    routes.edit(
        "commands.camel.yaml",
        yaml ->
            yaml.replace(
                "pollTimeoutMs: 100",
                "pollTimeoutMs: 100\n        interceptorClasses: "
                    + FailingInterceptor.class.getName()));
    settings.with(Setting.ROUTES_DIRECTORY, routes.path().toString());
    try (TopicWriter writer = new TopicWriter(fixture.kafka().bootstrapServers())) {
      assertLivenessDown(
          () -> writer.send(settings.commandsTopic(), "call", "any command"),
          "KafkaConsumer[" + settings.commandsTopic() + "]",
          "its topic is not consumed");
    }
  }

  private void assertLivenessDown(Runnable error, String name, String effect) {
    try (CapturedLog log = new CapturedLog();
        EmbeddedProxy proxy = startProxy();
        ManagementClient management = new ManagementClient(proxy)) {
      publishEvent("before");
      // an error within a write is retried, and does not end the thread of the store
      Awaitility.await("call context stored")
          .until(() -> proxy.gauge("ari-proxy.persistence.pending") == 0);
      management.await("/observe/health/live", 200);

      error.run();

      management.await("/observe/health/live", 503);
      assertThat(management.await("/health/smoke", 503).json().at("/errors/0").asText())
          .startsWith("threads: Thread " + name)
          .endsWith(" has ended: " + effect + "; restart the proxy");
      assertThat(management.metric("ari_proxy_threads_ended")).isOne();
      asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "after"));

      long start = System.nanoTime();
      proxy.close();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(MAX_STOP);
      assertThat(log.events())
          .extracting(event -> event.getLevel() + " " + event.getFormattedMessage())
          .anyMatch(
              line ->
                  line.startsWith("WARN State STOPPED: ")
                      && line.contains(" has ended: " + effect));
    }
  }

  private EmbeddedProxy startProxy() {
    otherThreads = Thread.getAllStackTraces().keySet();
    EmbeddedProxy proxy = EmbeddedProxy.start(settings);
    asterisk.awaitConnected(APP);
    return proxy;
  }

  private void publishEvent(String callContext) {
    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", callContext));
    controller.event(callContext, "STASIS_START");
  }

  /** Ends a thread of the proxy whose name contains a text, with the next event or command. */
  private void end(String name) {
    List<Thread> threads =
        Awaitility.await(name)
            .until(
                () ->
                    Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> thread.getName().contains(name))
                        .filter(thread -> !otherThreads.contains(thread))
                        .toList(),
                found -> !found.isEmpty());
    try (FailingLog log = new FailingLog(threads)) {
      asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "during"));
      controller.send("during", "GET", "/asterisk/ping");
      log.awaitEnd();
    }
  }
}
