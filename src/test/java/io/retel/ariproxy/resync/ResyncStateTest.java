// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Ticker;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.ari.http.AriHttpClient;
import io.retel.ariproxy.ari.http.AriLogin;
import io.retel.ariproxy.ari.http.RequestLimit;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.time.Moment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import org.apache.camel.impl.DefaultCamelContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Between a gap and the end of its resync, mappings belong to the resync. */
class ResyncStateTest {

  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final Subscriptions subscriptions = new Subscriptions(WriteBehind.noop(meters));
  private final CallContexts callContexts =
      new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.systemTicker());
  private DefaultCamelContext context;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private HttpServer server;
  private Resync resync;
  private final AtomicInteger repetitions = new AtomicInteger();
  private final CountDownLatch subscribed = new CountDownLatch(1);

  @BeforeEach
  void create() throws Exception {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          if (exchange.getRequestURI().getPath().endsWith("/subscription")) {
            awaitUninterruptibly(subscribed);
          }
          String answer =
              switch (exchange.getRequestURI().getPath()) {
                case "/asterisk/info" -> "{\"system\":{\"entity_id\":\"asterisk\"}}";
                case "/applications" -> "[{\"name\":\"app\"}]";
                default -> "[]";
              };
          byte[] body = answer.getBytes(StandardCharsets.UTF_8);
          boolean isPlayback = exchange.getRequestURI().getPath().startsWith("/playbacks/");
          exchange.sendResponseHeaders(isPlayback ? 404 : 200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.setExecutor(threads);
    server.start();
    context = new DefaultCamelContext();
    context.start();
    URI url = URI.create("http://localhost:" + server.getAddress().getPort());
    SSLContext tls = SSLContext.getDefault();
    AriHttpClient configurer =
        new AriHttpClient(
            new AriLogin(url, "user", new Secret("password")),
            () -> tls,
            1,
            5000,
            60_000,
            "",
            meters);
    RequestLimit limit = new RequestLimit(2);
    resync =
        new Resync(
            context,
            callContexts,
            subscriptions,
            new StasisApplications(List.of("app"), callContexts),
            Duration.ofMillis(500),
            2,
            () -> new AriClient(configurer, url, limit),
            new ApplicationsRequest(
                AriClient.withLongTimeout(configurer, url, limit), limit, DefaultTimeout.DURATION),
            () -> {},
            repetitions::incrementAndGet,
            meters);
  }

  @AfterEach
  void close() throws Exception {
    resync.close();
    context.close();
    subscribed.countDown();
    server.stop(0);
    threads.shutdownNow();
  }

  @Test
  void hasNotEndedBeforeFirstConnect() {
    assertThat(resync.isEnded()).isFalse();
  }

  @Test
  void hasNotEndedAfterDisconnect() throws Exception {
    complete();
    resync.abort();
    assertThat(resync.isEnded()).isFalse();
    complete();
  }

  @Test
  void failureIsAProblemUntilOneSucceeds() throws Exception {
    complete();
    assertThat(resync.problem()).isEmpty();
    resync.retry();
    resync.retry();
    assertThat(resync.problem()).hasValue("Resync failed 2 times; see the log");
    assertThat(resync.pending()).isEqualTo(1);
    complete();
    assertThat(resync.problem()).isEmpty();
    assertThat(resync.pending()).isZero();
  }

  /** Up to 10,000 requests, each as slow as Asterisk likes, without which events are missing. */
  @Test
  void slowRestoreOfSubscriptionsIsAProblem() throws Exception {
    subscriptions.addSources("app", List.of("deviceState:a"));
    resync.start(Moment.now());
    resync.query().take();
    assertThat(resync.problem()).hasValue("Resync incomplete: subscriptions not restored yet");
    assertThat(resync.pending()).isEqualTo(1);

    subscribed.countDown();
    Awaitility.await().until(resync.query()::isComplete);
    assertThat(resync.problem()).isEmpty();
    assertThat(resync.pending()).isZero();
  }

  /** Each request for a subscription can be as slow as Asterisk likes. */
  @Test
  void playbacksDoNotWaitForSubscriptions() throws Exception {
    subscriptions.addSources("app", List.of("deviceState:a"));
    Resource playback = new Resource(ResourceType.PLAYBACK, "p");
    callContexts.move(playback, "call");
    resync.start(Moment.now());
    List<Resource> observed = new ArrayList<>();
    Awaitility.await()
        .until(
            () -> {
              resync.query().take().observations().stream()
                  .map(Observation::resource)
                  .forEach(observed::add);
              return observed.contains(playback);
            });
    assertThat(resync.query().status()).isEqualTo("subscriptions not restored yet");
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Otherwise, each connect would leave a further chain of repetitions. */
  @Test
  void nextRepetitionReplacesThePreviousOne() {
    for (int i = 0; i < 5; i++) {
      // after 1, 2, 4, 8 and 16 s
      resync.retry();
    }
    Awaitility.await().during(Duration.ofMillis(1_500)).until(() -> repetitions.get() == 0);
  }

  @Test
  void hasNotEndedWhileAnotherOneFollowsAFailure() throws Exception {
    complete();
    resync.retry();
    assertThat(resync.isEnded()).isFalse();
    complete();
  }

  private void complete() throws InterruptedException {
    resync.start(Moment.now());
    assertThat(resync.isEnded()).isFalse();
    AsteriskQuery query = resync.query();
    query.take();
    Awaitility.await().until(query::isComplete);
    assertThat(resync.endIfComplete(query, "asterisk")).isTrue();
    assertThat(resync.isEnded()).isTrue();
  }
}
