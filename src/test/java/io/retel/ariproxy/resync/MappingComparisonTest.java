// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.ari.http.AriHttpClient;
import io.retel.ariproxy.ari.http.AriLogin;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.metrics.Meters;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.net.ssl.SSLContext;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the comparison on a simulated Asterisk, in which no mapped resource exists by default. */
class MappingComparisonTest {

  private static final long MAX_LIST_BYTES = 4_000;

  private final SimulatedAsterisk asterisk = SimulatedAsterisk.start();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final CallContexts callContexts =
      new CallContexts(Duration.ofDays(1), Duration.ofHours(1), Ticker.systemTicker());
  private final StasisApplications applications =
      new StasisApplications(List.of("own", "other"), callContexts);
  private boolean gap;
  private Duration slow = DefaultTimeout.DURATION;
  private Duration responseTimeout = DefaultTimeout.DURATION;
  private volatile ResourceLookup lookup;

  @AfterEach
  void stop() throws Exception {
    lookup.close();
    asterisk.close();
  }

  @Test
  void endsMappingsOfContinuedCallsWithOneList() throws Exception {
    mapChannels("gone-", 10_000);
    mapChannels("live-", 30);
    respond("/channels", 200, list("live-", 30));

    compare(true);

    assertThat(activeIds()).hasSize(30).allMatch(id -> id.startsWith("live-"));
    assertThat(asterisk.requestCounts().keySet())
        .containsExactlyInAnyOrder("GET /asterisk/ping", "GET /channels");
    assertThat(meters.get(Meters.COMPARISON_MAPPINGS_ENDED.meterName()).counter().count())
        .isEqualTo(10_000);
  }

  @Test
  void queriesFewChannelsAndAllMediaOneByOne() throws Exception {
    for (String state : List.of("gone", "live")) {
      map(ResourceType.CHANNEL, state);
      map(ResourceType.BRIDGE, state);
      map(ResourceType.PLAYBACK, state);
      map(ResourceType.RECORDING, state + "/1");
    }
    for (String path :
        List.of(
            "/channels/live", "/bridges/live", "/playbacks/live", "/recordings/live/live%2F1")) {
      respond(path, 200, "{}");
    }

    compare(true);

    assertThat(activeIds()).containsExactlyInAnyOrder("live", "live/1");
    assertThat(callContexts.active()).hasSize(4);
    assertThat(asterisk.requestCount("GET", "/channels")).isZero();
  }

  @Test
  void longDescriptionDoesNotEndTheComparison() throws Exception {
    mapChannels("gone-", 40);
    mapChannels("long-", 1);
    slow = Duration.ofSeconds(DefaultTimeout.SECONDS);
    String description = "\"" + "x".repeat(2 << 20) + "\"";
    respond("/channels/long-0", 200, description);
    respond("/channels/gone-0", 404, description);

    compare(true);

    assertThat(activeIds()).containsExactly("long-0");
  }

  /** Of what answers in Asterisk's place. */
  @ParameterizedTest
  @ValueSource(ints = {200, 503})
  void longResponseToPingIsNone(int status) throws Exception {
    mapChannels("channel-", 3);
    respond("/asterisk/ping", status, "x".repeat(2 << 20));

    compare(true);

    assertThat(activeIds()).hasSize(3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"500", "malformed", "truncated", "no array", "too large"})
  void queriesOneByOneWithoutList(String fault) throws Exception {
    mapChannels("gone-", 60);
    mapChannels("live-", 1);
    mapChannels("unknown-", 1);
    respond("/channels/live-0", 200, "{}");
    respond("/channels/unknown-0", 500, "{\"error\":\"Allocation failed\"}");
    switch (fault) {
      case "500" -> respond("/channels", 500, "{\"error\":\"Allocation failed\"}");
      case "malformed" -> respond("/channels", 200, "[{\"id\":\"x\"},]");
      case "truncated" -> respond("/channels", 200, "[{\"id\":\"x\"}");
      case "no array" -> respond("/channels", 200, "{\"id\":\"x\"}");
      default -> respond("/channels", 200, "[" + " ".repeat(5_000) + "]");
    }

    compare(true);

    assertThat(activeIds()).containsExactlyInAnyOrder("live-0", "unknown-0");
    assertThat(asterisk.requestCount("GET", "/channels")).isOne();
  }

  @ParameterizedTest
  @ValueSource(strings = {"slow", "hanging", "rejecting", "unreachable"})
  void endsNothingWithoutCertainty(String fault) throws Exception {
    mapChannels("channel-", 60);
    switch (fault) {
      case "slow" -> {
        slow = Duration.ofMillis(100);
        asterisk.faults().delayResponses(Duration.ofMillis(200));
      }
      case "hanging" -> {
        responseTimeout = Duration.ofMillis(200);
        asterisk.faults().hang(request -> true);
      }
      case "rejecting" -> asterisk.faults().respondWith(request -> true, 401, "Unauthorized");
      default -> asterisk.disconnectNetwork();
    }

    compare(true);

    assertThat(callContexts.active()).hasSize(60);
    assertThat(asterisk.requestCount("GET", "/channels")).isZero();
    assertThat(asterisk.requests()).hasSizeLessThan(3);
  }

  /** Such as what answers in Asterisk's place, or Asterisk without ARI after a reload. */
  @Test
  void endsNothingIfPingIsNotFoundEither() throws Exception {
    mapChannels("channel-", 3);
    asterisk.faults().respondWith(request -> true, 404, "Not Found");

    compare(true);

    assertThat(callContexts.active()).hasSize(3);
  }

  @Test
  void queriesNothingWhileGapIsOpen() throws Exception {
    mapChannels("channel-", 1);
    gap = true;

    compare(true);

    assertThat(callContexts.active()).hasSize(1);
    assertThat(asterisk.requests()).isEmpty();
  }

  @Test
  void endsNothingIfWebsocketIsInterrupted() throws Exception {
    mapChannels("channel-", 1);

    compare(false);
    compare(resource -> gap = true);

    assertThat(callContexts.active()).hasSize(1);
  }

  /** A command creates a resource with the same id, or an event shows it, after the query. */
  @Test
  void preservesMappingThatChanges() throws Exception {
    List<Consumer<Resource>> changes =
        List.of(
            channel -> callContexts.register(channel, "call", false),
            channel -> callContexts.register(channel, "call", true),
            channel -> callContexts.replace(channel, "call"),
            callContexts::confirm,
            channel -> callContexts.enterStasis(channel, "app"));
    for (Consumer<Resource> change : changes) {
      Resource channel = map(ResourceType.CHANNEL, "again");

      compare(resource -> change.accept(channel));

      assertThat(callContexts.mapping(channel))
          .hasValueSatisfying(mapping -> assertThat(mapping.ended()).isFalse());
      callContexts.evict(channel);
    }
  }

  @Test
  void preservesPendingMappingAndCallContextOfLateEvents() throws Exception {
    Resource pending = new Resource(ResourceType.CHANNEL, "pending");
    callContexts.register(pending, "call", false);
    Resource ended = map(ResourceType.CHANNEL, "gone");

    compare(true);

    assertThat(callContexts.mapping(pending).orElseThrow().ended()).isFalse();
    assertThat(callContexts.mapping(ended).orElseThrow().ended()).isTrue();
    assertThat(callContexts.lookup(ended)).contains("call");
  }

  /** A resync publishes these ends after the application has been reclaimed. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void preservesMappingsOfLostApplication(boolean lostDuringComparison) throws Exception {
    for (String application : List.of("own", "other")) {
      Resource channel = map(ResourceType.CHANNEL, application, "call-" + application);
      callContexts.enterStasis(channel, application);
      map(ResourceType.BRIDGE, application, "call-" + application);
    }
    if (lostDuringComparison) {
      compare(moment -> applications.lose("other"));
    } else {
      applications.lose("other");
      compare(true);
      assertThat(asterisk.requests()).hasSize(4);
    }

    assertThat(callContexts.active().keySet())
        .containsExactlyInAnyOrder(
            new Resource(ResourceType.CHANNEL, "other"),
            new Resource(ResourceType.BRIDGE, "other"));
    applications.reclaim("other");
    compare(true);
    assertThat(callContexts.active()).isEmpty();
  }

  /** After a 504, Asterisk can still execute the command. */
  @Test
  void preservesMappingsOfUnknownOutcomesUntilEvent() throws Exception {
    List<Resource> created =
        List.of(
            new Resource(ResourceType.CHANNEL, "channel"),
            new Resource(ResourceType.BRIDGE, "bridge"),
            new Resource(ResourceType.PLAYBACK, "playback", "channel:1"),
            new Resource(ResourceType.RECORDING, "recording", "channel:1"));
    for (Resource resource : created) {
      callContexts.register(resource, "call", false);
      callContexts.recordUnknownOutcome(resource);
    }

    compare(true);
    assertThat(callContexts.active().keySet()).containsExactlyInAnyOrderElementsOf(created);
    assertThat(asterisk.requests()).isEmpty();

    // events
    callContexts.lookup(new Resource(ResourceType.CHANNEL, "channel", "2026-01-01"));
    callContexts.lookup(new Resource(ResourceType.BRIDGE, "bridge", "2026-01-01"));
    callContexts.start(created.get(2));
    callContexts.start(created.get(3));
    compare(true);
    assertThat(callContexts.active()).isEmpty();
  }

  @Test
  void endsMappingShownBeforeUnknownOutcome() throws Exception {
    Resource channel = new Resource(ResourceType.CHANNEL, "channel");
    callContexts.register(channel, "call", false);
    callContexts.lookup(new Resource(ResourceType.CHANNEL, "channel", "2026-01-01"));
    callContexts.recordUnknownOutcome(channel);

    compare(true);

    assertThat(callContexts.active()).isEmpty();
  }

  @Test
  void closeAbortsRequestWithoutWarning() throws Exception {
    mapChannels("channel-", 60);
    Fault hang = asterisk.faults().hang(request -> request.matches("GET", "/channels"));
    try (CapturedLog log = new CapturedLog()) {
      AtomicReference<Exception> failure = new AtomicReference<>();
      Thread comparison =
          new Thread(
              () -> {
                try {
                  compare(true);
                } catch (Exception e) {
                  failure.set(e);
                }
              });
      comparison.start();
      hang.awaitHits(1);
      lookup.close();
      // the request would hang for the default timeout
      comparison.join(Duration.ofSeconds(10).toMillis());

      assertThat(comparison.isAlive()).isFalse();
      assertThat(failure).hasNullValue();
      assertThat(log.lines(Level.WARN)).isEmpty();
    }
    assertThat(callContexts.active()).hasSize(60);
  }

  private void mapChannels(String prefix, int count) {
    IntStream.range(0, count).forEach(i -> map(ResourceType.CHANNEL, prefix + i));
  }

  private Resource map(ResourceType type, String id) {
    return map(type, id, "call");
  }

  private Resource map(ResourceType type, String id, String callContext) {
    Resource resource = new Resource(type, id);
    callContexts.assignIfAbsent(resource, callContext);
    return resource;
  }

  private void respond(String path, int status, String json) {
    asterisk
        .faults()
        .respondWith(
            request -> request.matches("GET", path),
            status,
            "application/json",
            json.getBytes(StandardCharsets.UTF_8));
  }

  private static String list(String prefix, int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i -> "{\"name\":\"x\",\"caller\":{\"id\":\"gone-1\"},\"id\":\"" + prefix + i + "\"}")
        .collect(Collectors.joining(",", "[", "]"));
  }

  private Set<String> activeIds() {
    return callContexts.active().keySet().stream().map(Resource::id).collect(Collectors.toSet());
  }

  private void compare(Consumer<Object> beforeEnd) throws Exception {
    compare(
        (since, until) -> {
          beforeEnd.accept(since);
          return true;
        });
  }

  private void compare(boolean receivedAllEvents) throws Exception {
    compare((since, until) -> receivedAllEvents);
  }

  private void compare(MappingComparison.EventStream events) throws Exception {
    if (lookup == null) {
      SSLContext tls = SSLContext.getDefault();
      lookup =
          new ResourceLookup(
              new AriClient(
                  new AriHttpClient(
                      new AriLogin(
                          URI.create(asterisk.url()),
                          asterisk.username(),
                          new Secret(asterisk.password())),
                      () -> tls,
                      1,
                      DefaultTimeout.DURATION.toMillis(),
                      responseTimeout.toMillis(),
                      "/ari",
                      meters),
                  URI.create(asterisk.url())),
              slow,
              MAX_LIST_BYTES);
    }
    new MappingComparison(
            new DefaultCamelContext(),
            callContexts,
            applications,
            lookup,
            events,
            () -> !gap,
            Duration.ZERO,
            Duration.ofMillis(100),
            meters)
        .compare();
  }
}
