// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.spi.ILoggingEvent;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.benmanes.caffeine.cache.Ticker;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.ari.http.AriHttpClient;
import io.retel.ariproxy.ari.http.AriLogin;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests that restore subscriptions at a server that subscribes like Asterisk 22.10.1. */
class SubscriptionRestoreTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final AtomicLong nanos = new AtomicLong(-5);
  private final SubscriptionRestore.Progress progress = new SubscriptionRestore.Progress();
  private final Subscriptions subscriptions = new Subscriptions(WriteBehind.noop(meters));
  private final SubscriptionRestore restore =
      new SubscriptionRestore(
          subscriptions,
          new StasisApplications(
              List.of("app"),
              new CallContexts(
                  Duration.ofHours(1), Duration.ofMinutes(1), Ticker.disabledTicker())),
          () -> nanos.get());

  /** In order; Asterisk counts repeated ones. */
  private final List<String> subscribed = Collections.synchronizedList(new ArrayList<>());

  private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
  private volatile Set<String> missing = Set.of();
  private volatile int listStatus = 200;

  /** How long each request takes. */
  private volatile Duration duration = Duration.ZERO;

  private HttpServer server;
  private AriClient client;

  @BeforeEach
  void startServer() throws IOException, NoSuchAlgorithmException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::respond);
    server.start();
    URI url = URI.create("http://localhost:" + server.getAddress().getPort());
    SSLContext tls = SSLContext.getDefault();
    client =
        new AriClient(
            new AriHttpClient(
                new AriLogin(url, "user", new Secret("password")),
                () -> tls,
                1,
                5000,
                60_000,
                "",
                meters),
            url);
  }

  @AfterEach
  void stop() {
    client.close();
    server.stop(0);
  }

  @Test
  void restoresThousandsOfSubscriptionsWithFewRequestsAndOneLine() throws Exception {
    List<String> devices = names("deviceState:PJSIP/", 2_100);
    subscriptions.addSources("app", devices);
    try (CapturedLog log = new CapturedLog()) {
      assertThat(restore()).isEmpty();
      assertThat(restoreLines(log))
          .containsExactly("Restored at Asterisk: 2100 subscriptions, 0 event filters");
    }
    assertThat(subscribed).containsExactlyInAnyOrderElementsOf(devices);
    assertThat(requests).hasSize(5);
  }

  @Test
  void requestsFitInLargestBodyOfAsterisk() throws Exception {
    List<String> devices = names("deviceState:" + "\u00e9".repeat(10_000), 3);
    subscriptions.addSources("app", devices);
    assertThat(restore()).isEmpty();
    assertThat(subscribed).containsExactlyElementsOf(devices);
    assertThat(requests).hasSize(3).allMatch(request -> request.endsWith(" 1"));
  }

  @Test
  void sourceThatNoLongerExistsAffectsNoOther() throws Exception {
    missing = Set.of("endpoint:PJSIP/3", "endpoint:PJSIP/7");
    List<String> endpoints = names("endpoint:PJSIP/", 10);
    subscriptions.addSources("app", endpoints);
    subscriptions.addSources("app", List.of("deviceState:a"));
    try (CapturedLog log = new CapturedLog()) {
      assertThat(restore()).isEmpty();
      assertThat(restoreLines(log))
          .containsExactly(
              "Restored at Asterisk: 9 subscriptions, 0 event filters",
              "Restore failed for 2 subscriptions and event filters, the first with status 422,"
                  + " endpoint:***; commands must set them again");
    }
    // each once
    assertThat(subscribed)
        .containsExactly(
            "deviceState:a",
            "endpoint:PJSIP/0",
            "endpoint:PJSIP/1",
            "endpoint:PJSIP/2",
            "endpoint:PJSIP/4",
            "endpoint:PJSIP/5",
            "endpoint:PJSIP/6",
            "endpoint:PJSIP/8",
            "endpoint:PJSIP/9");
    // the list, what it has subscribed to, and those from the rejected one
    assertThat(requests).hasSize(1 + 1 + 7);
  }

  @Test
  void refusedLoginIsOneRequestPerList() throws Exception {
    listStatus = 403;
    subscriptions.addSources("app", names("deviceState:", 600));
    assertThat(restore()).isEmpty();
    assertThat(requests).hasSize(2);
  }

  @Test
  void repeatsLaterWhatHasNoResponse() throws Exception {
    subscriptions.addSources("app", names("deviceState:", 2));
    server.stop(0);
    assertThat(restore()).startsWith("subscriptions not restored: ");
  }

  /** Otherwise, a slow Asterisk could prolong a resync for hours. */
  @Test
  void endsAttemptAfterDeadlineAndContinuesInNextOne() throws Exception {
    List<String> devices = names("deviceState:", 2_100);
    subscriptions.addSources("app", devices);
    duration = Duration.ofSeconds(10);
    try (CapturedLog log = new CapturedLog()) {
      assertThat(restore())
          .isEqualTo("subscriptions not restored: 1500 after 30 s, the others follow");
      assertThat(requests).hasSize(3);
      assertThat(restore()).isEmpty();
      assertThat(requests).hasSize(5);
      assertThat(restoreLines(log))
          .containsExactly(
              "Restored at Asterisk: 1500 subscriptions, 0 event filters",
              "Restored at Asterisk: 600 subscriptions, 0 event filters");
    }
    assertThat(subscribed).containsExactlyInAnyOrderElementsOf(devices);
  }

  /** Asterisk rejects most of them, and each request takes as long as an attempt can. */
  @Test
  void eachAttemptRestoresOrRejectsSomething() throws Exception {
    missing = Set.copyOf(names("endpoint:PJSIP/", 5));
    subscriptions.addSources("app", names("endpoint:PJSIP/", 7));
    duration = SubscriptionRestore.MAX_DURATION;
    int attempts = 1;
    try (CapturedLog log = new CapturedLog()) {
      while (!restore().isEmpty()) {
        attempts++;
        assertThat(attempts).isLessThan(10);
      }
      assertThat(restoreLines(log))
          .filteredOn(line -> line.startsWith("Restore failed for 1 "))
          .hasSize(5);
    }
    assertThat(subscribed).containsExactlyInAnyOrder("endpoint:PJSIP/5", "endpoint:PJSIP/6");
  }

  private static List<String> restoreLines(CapturedLog log) {
    return log.proxyEvents().stream()
        .filter(event -> event.getLoggerName().equals(SubscriptionRestore.class.getName()))
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  private String restore() {
    return restore.restore(client, JSON.createArrayNode().add(application()), progress);
  }

  private ObjectNode application() {
    ObjectNode application = JSON.createObjectNode().put("name", "app");
    ArrayNode devices = application.putArray("device_names");
    ArrayNode endpoints = application.putArray("endpoint_ids");
    for (String source : subscribed) {
      String name = source.substring(source.indexOf(':') + 1);
      (source.startsWith("deviceState:") ? devices : endpoints).add(name);
    }
    application.putArray("events_allowed");
    application.putArray("events_disallowed");
    return application;
  }

  /** Like Asterisk, subscribes to sources in order until one does not exist. */
  private void respond(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    if (exchange.getRequestURI().getPath().equals("/asterisk/ping")) {
      send(exchange, 200, "{}");
      return;
    }
    nanos.addAndGet(duration.toNanos());
    int status = listStatus;
    int count = 0;
    if (exchange.getRequestMethod().equals("POST")) {
      assertThat(body).hasSizeLessThanOrEqualTo(40_960);
      JsonNode sources = JSON.readTree(body).path("eventSource");
      List<String> names = new ArrayList<>();
      if (sources.isArray()) {
        sources.forEach(source -> names.add(source.asText()));
      } else {
        names.add(sources.asText());
      }
      count = names.size();
      for (String name : names) {
        if (missing.contains(name)) {
          status = 422;
        }
        if (status != 200) {
          break;
        }
        subscribed.add(name);
      }
    }
    requests.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " " + count);
    send(exchange, status, application().toString());
  }

  private static void send(HttpExchange exchange, int status, String json) throws IOException {
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private static List<String> names(String prefix, int count) {
    return IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
  }
}
