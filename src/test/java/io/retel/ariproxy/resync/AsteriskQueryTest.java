// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import com.github.benmanes.caffeine.cache.Ticker;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.ari.http.AriHttpClient;
import io.retel.ariproxy.ari.http.AriLogin;
import io.retel.ariproxy.ari.http.RequestLimit;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.RawHttpServer;
import io.retel.ariproxy.time.Moment;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import javax.net.ssl.SSLContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The attempts of a resync, each started by the test instead of a timer. */
class AsteriskQueryTest {

  private static final Resource CHANNEL = new Resource(ResourceType.CHANNEL, "c");
  private static final Resource PLAYBACK = new Resource(ResourceType.PLAYBACK, "p");

  private static final int MAX_DESCRIPTION_BYTES = 2_000_000;

  private static final String NONE_LISTED = "[{\"name\":\"app\",\"channel_ids\":[]}]";
  private static final String LISTED = "[{\"name\":\"app\",\"channel_ids\":[\"c\"]}]";
  private static final String IN_DIALPLAN = "{\"id\":\"c\",\"dialplan\":{\"app_name\":\"Wait\"}}";
  private static final String IN_STASIS =
      "{\"id\":\"c\",\"dialplan\":{\"app_name\":\"Stasis\",\"app_data\":\"app\"}}";

  private final CallContexts callContexts =
      new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.systemTicker());
  private final StasisApplications applications =
      new StasisApplications(List.of("app", "other"), callContexts);
  private final CallContextRules rules = new CallContextRules(callContexts);

  /** Bodies, or statuses, by path. */
  private final Map<String, String> responses =
      new ConcurrentHashMap<>(
          Map.of(
              "/asterisk/info",
              "{\"system\":{\"entity_id\":\"asterisk\"}}",
              "/applications",
              NONE_LISTED,
              "/channels",
              "[]",
              "/bridges",
              "[]"));

  /** What happens before a response, by path. */
  private final Map<String, Runnable> hooks = new ConcurrentHashMap<>();

  private final CountDownLatch end = new CountDownLatch(1);
  private final AtomicInteger findings = new AtomicInteger();
  private final AttemptTimer attempts = new AttemptTimer();
  private final ExecutorService serverThreads = Executors.newCachedThreadPool();
  private final CountDownLatch applicationsListed = new CountDownLatch(1);

  /** One thread and a short queue, so that the policy for a full queue applies. */
  private final ExecutorService requests =
      new ThreadPoolExecutor(
          1,
          1,
          0,
          TimeUnit.SECONDS,
          new ArrayBlockingQueue<>(6),
          new ThreadPoolExecutor.CallerRunsPolicy());

  private final ExecutorService longQueue = Executors.newSingleThreadExecutor();

  private final RequestLimit limit = new RequestLimit(8);

  private HttpServer server;
  private ApplicationsRequest applicationsRequest;
  private AsteriskQuery query;

  /** Those of the first attempt. */
  private List<Observation> observations;

  @BeforeEach
  void startServer() throws Exception {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(serverThreads);
    server.createContext("/", this::respond);
    server.start();
    applicationsRequest = applicationsRequest(url(), Duration.ofSeconds(DefaultTimeout.SECONDS));
  }

  @AfterEach
  void stop() {
    end.countDown();
    if (query != null) {
      query.close();
    }
    applicationsRequest.close();
    server.stop(0);
    List.of(requests, longQueue, attempts, serverThreads).forEach(ExecutorService::shutdownNow);
  }

  @Test
  void schedulesOneAttemptAtATime() throws Exception {
    callContexts.move(PLAYBACK, "call");
    responses.put("/playbacks/p", "500");
    start();
    for (int i = 0; i < 4; i++) {
      query.askAgain(Set.of());
      assertThat(attempts.pending()).hasSize(1);
      attempt();
    }
    assertThat(attempts.pending()).hasSize(1);
  }

  @Test
  void cancelsNextAttemptAtClose() throws Exception {
    callContexts.move(PLAYBACK, "call");
    responses.put("/playbacks/p", "500");
    start();
    query.close();
    assertThat(attempts.pending()).isEmpty();
  }

  @Test
  void completesAfterTransientFailureOfListWithoutOpenResources() throws Exception {
    responses.put("/bridges", "503");
    responses.put("/channels", "503");
    start();
    assertThat(query.pending()).isEqualTo(2);
    attempt();
    assertThat(query.pending()).isZero();
    assertThat(query.isComplete()).isTrue();
  }

  @Test
  void completesAfterFailureOfApplicationsOnceChannelsHaveEnded() throws Exception {
    callContexts.move(CHANNEL, "call");
    responses.put("/channels", "503");
    start();
    responses.put("/applications", "503");
    attempt();
    assertThat(query.isComplete()).isFalse();
    callContexts.end(CHANNEL);
    attempt();
    assertThat(query.status()).doesNotContain("resources", "responded");
    assertThat(query.isComplete()).isTrue();
  }

  @Test
  void asksForApplicationsAgainBeforeLaterObservations() throws Exception {
    callContexts.move(CHANNEL, "call");
    responses.put("/channels", "[" + IN_DIALPLAN + "]");
    start();

    enterStasis("app");
    responses.put("/applications", LISTED);
    responses.put("/channels", "[" + IN_STASIS + "]");
    query.askAgain(List.of(CHANNEL));
    attempt();
    assertThat(query.take().observations())
        .singleElement()
        .satisfies(
            observation -> {
              assertThat(observation.isIn("app")).isTrue();
              assertThat(observation.before().application()).isEqualTo("app");
            });
  }

  @Test
  void comparesSingleChannelWithMappingFromBeforeTheListOfApplications() throws Exception {
    callContexts.move(CHANNEL, "call");
    responses.put("/channels", "500");
    responses.put("/channels/c", IN_STASIS);
    hooks.put(
        "/channels",
        () -> {
          await(applicationsListed);
          enterStasis("app");
        });
    query = newQuery();
    query.start();
    query.awaitFirstAttempt(Duration.ofSeconds(DefaultTimeout.SECONDS));
    assertThat(query.take().observations())
        .singleElement()
        .matches(observation -> observation.isOutdated(callContexts.peek(CHANNEL).orElseThrow()));
  }

  @Test
  void discoversChannelsOnce() throws Exception {
    callContexts.move(PLAYBACK, "call");
    callContexts.move(CHANNEL, "call");
    responses.put("/channels", "503");
    start();
    responses.put("/channels", "[]");
    responses.put("/applications", "[{\"name\":\"app\",\"channel_ids\":[\"newer\"]}]");
    attempt();
    assertThat(query.take().observations())
        .extracting(Observation::resource)
        .containsExactly(CHANNEL);
    assertThat(query.isComplete()).isTrue();
  }

  /** A name takes many times its bytes. */
  @Test
  void comparesWithNoApplicationsThatListTooManyChannels() throws Exception {
    callContexts.move(CHANNEL, "call");
    StringBuilder ids = new StringBuilder("\"0\"");
    for (long i = 1; i <= AsteriskQuery.MAX_LISTED_CHANNELS; i++) {
      ids.append(",\"").append(Long.toString(i, 36)).append('"');
    }
    responses.put("/applications", "[{\"name\":\"app\",\"channel_ids\":[" + ids + "]}]");
    start();
    assertThat(query.status()).contains("GET /applications lists more than ");

    responses.put("/applications", NONE_LISTED);
    attempt();
    assertThat(query.isComplete()).isTrue();
  }

  /** Such as a page of what answers in Asterisk's place: an empty list would end all calls. */
  @ParameterizedTest
  @ValueSource(strings = {"{}", "null", "\"maintenance\"", "\r\n", "[] []"})
  void asksForSingleResourcesIfAsteriskRespondsWithoutList(String body) throws Exception {
    callContexts.move(CHANNEL, "call");
    responses.put("/channels", body);
    responses.put("/bridges", body);
    responses.put("/channels/c", IN_STASIS);
    responses.put("/applications", LISTED);
    query = newQuery();
    query.start();
    query.awaitFirstAttempt(Duration.ofSeconds(DefaultTimeout.SECONDS));
    assertThat(query.take().observations())
        .singleElement()
        .matches(observation -> observation.exists() && observation.isIn("app"));
    assertThat(query.isComplete()).isTrue();
  }

  /** Some 12,000 channels, of which one belongs to a call. */
  @Test
  void readsListOfChannelsThatExceedsTheLimitOfOtherResponses() throws Exception {
    callContexts.move(CHANNEL, "call");
    String other = "{\"id\":\"%s\",\"x\":\"" + "x".repeat(1_000) + "\"}";
    long count = Runtime.getRuntime().maxMemory() / 128 / 1_000 * 3 / 2;
    responses.put(
        "/channels",
        LongStream.range(0, count)
            .mapToObj(other::formatted)
            .collect(Collectors.joining(",", "[", "," + IN_STASIS + "]")));
    responses.put("/applications", LISTED);
    AtomicInteger single = new AtomicInteger();
    hooks.put("/channels/c", single::incrementAndGet);
    start();
    assertThat(observations)
        .singleElement()
        .matches(observation -> observation.exists() && observation.isIn("app"));
    assertThat(single).hasValue(0);
  }

  @Test
  void asksForSingleChannelsIfOneOfTheListIsTooLarge() throws Exception {
    callContexts.move(CHANNEL, "call");
    responses.put(
        "/channels",
        "[{\"id\":\"x\",\"x\":\"%s\"},%s]"
            .formatted("x".repeat((int) JsonList.MAX_ELEMENT_BYTES + 20_000), IN_STASIS));
    responses.put("/channels/c", IN_STASIS);
    responses.put("/applications", LISTED);
    start();
    assertThat(observations)
        .singleElement()
        .matches(observation -> observation.exists() && observation.isIn("app"));
  }

  /** A channel whose mapping has changed during that time can be younger than the list. */
  @Test
  void resourceThatIsAddedWhileListIsReadIsComparedWithTheNextOne() throws Exception {
    Resource added = new Resource(ResourceType.CHANNEL, "added");
    callContexts.move(CHANNEL, "call");
    hooks.put(
        "/channels",
        () -> {
          callContexts.move(added, "call");
          query.askAgain(List.of(added));
        });
    start();
    assertThat(observations).extracting(Observation::resource).containsExactly(CHANNEL);
    assertThat(query.pending()).isOne();
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "null", "\r\n"})
  void asksForSingleApplicationsIfAsteriskRespondsWithoutList(String body) throws Exception {
    callContexts.move(CHANNEL, "call");
    responses.put("/channels", "[" + IN_STASIS + "]");
    responses.put("/applications", body);
    responses.put("/applications/app", "{\"name\":\"app\",\"channel_ids\":[\"c\"]}");
    query = newQuery();
    query.start();
    query.awaitFirstAttempt(Duration.ofSeconds(DefaultTimeout.SECONDS));
    assertThat(query.take().observations())
        .singleElement()
        .matches(observation -> observation.isIn("app"));
  }

  /** Each request that hangs occupies a thread of Asterisk, also without its client. */
  @ParameterizedTest
  @ValueSource(strings = {"/applications", "/applications/app"})
  void hangingRequestForApplicationsIsTheOnlyOne(String path) throws Exception {
    applicationsRequest.close();
    applicationsRequest = applicationsRequest(url(), Duration.ofSeconds(2));
    AtomicInteger requestsForApplications = new AtomicInteger();
    for (String each : List.of("/applications", "/applications/app", "/applications/other")) {
      hooks.put(each, requestsForApplications::incrementAndGet);
    }
    hooks.put(
        path,
        () -> {
          requestsForApplications.incrementAndGet();
          await(end);
        });
    if (!path.equals("/applications")) {
      responses.put("/applications", "500");
    }
    callContexts.move(CHANNEL, "call");
    callContexts.move(PLAYBACK, "call");
    responses.put("/channels", "[" + IN_STASIS + "]");

    start();
    assertThat(observations)
        .as("what needs no application")
        .extracting(Observation::resource)
        .containsExactly(PLAYBACK);
    attempt();
    int until = requestsForApplications.get();
    assertThat(query.status())
        .isEqualTo(
            "1 resource not compared with Asterisk, GET %s hangs in Asterisk, and is not sent"
                    .formatted(path)
                + " again until it responds");
    attempt();
    // a reconnect
    query.close();
    start();
    assertThat(query.status()).contains("GET " + path + " hangs in Asterisk");
    assertThat(requestsForApplications).as("further requests").hasValue(until);

    responses.put("/applications", LISTED);
    end.countDown();
    while (!query.isComplete()) {
      attempt();
      query.take();
    }
    assertThat(query.status()).isEqualTo("waiting for Asterisk");
  }

  /** It would end all calls, or complete a resync that has learned nothing. */
  @ParameterizedTest
  @ValueSource(strings = {"{}", "{\"message\":\"maintenance\"}"})
  void pageInPlaceOfEachResponseAnswersNothing(String page) throws Exception {
    callContexts.move(CHANNEL, "call");
    callContexts.move(PLAYBACK, "call");
    for (String path :
        List.of(
            "/asterisk/info",
            "/applications",
            "/applications/app",
            "/applications/other",
            "/channels",
            "/channels/c",
            "/bridges",
            "/playbacks/p")) {
      responses.put(path, page);
    }
    start();
    assertThat(query.take().observations()).isEmpty();
    assertThat(query.isComplete()).isFalse();
    assertThat(query.pending()).isGreaterThanOrEqualTo(4);
  }

  /** It would be in no event; those of other calls would be lost with it. */
  @ParameterizedTest
  @ValueSource(strings = {"\r\n", "[]", "\"text\"", "NESTED"})
  void descriptionThatNoEventCanContainIsNone(String body) throws Exception {
    String nested = "{\"id\":\"c\",\"x\":" + "[".repeat(998) + "]".repeat(998) + "}";
    callContexts.move(CHANNEL, "call");
    responses.put("/channels", "500");
    responses.put("/channels/c", body.equals("NESTED") ? nested : body);
    responses.put("/channels/c/dtmf", "412");
    responses.put("/applications", LISTED);
    start();
    assertThat(query.isComplete()).isFalse();
    assertThat(query.status()).contains("GET /channels/c responded with");
  }

  /** Each synthetic event contains it. */
  @Test
  void ignoresLongIdOfAsterisk() throws Exception {
    responses.put(
        "/asterisk/info", "{\"system\":{\"entity_id\":\"%s\"}}".formatted("x".repeat(65)));
    start();
    assertThat(query.take().asteriskId()).isEmpty();
    assertThat(query.isComplete()).isTrue();
  }

  /** It is retained as long as the question is open. */
  @Test
  void keepsShortReasonOfMalformedResponse() throws Exception {
    callContexts.move(PLAYBACK, "call");
    try (RawHttpServer malformed =
        RawHttpServer.start(
            (request, out) ->
                out.write(("HTTP/1.1 " + "\1".repeat(8_000) + "\r\n\r\n").getBytes(US_ASCII)))) {
      Answer answer =
          Answer.of(
              client(URI.create("http://localhost:" + malformed.port())), "GET", "/playbacks/p");
      assertThat(answer.problem()).startsWith("GET /playbacks/p failed: ").hasSizeLessThan(1_000);
    }
  }

  /** Eight are read and parsed at the same time. */
  @Test
  void limitsDescriptionOfSingleResource() throws Exception {
    String description = "{\"id\":\"p\",\"x\":\"%s\"}";
    int limit = (int) JsonList.MAX_ELEMENT_BYTES;
    responses.put("/playbacks/p", description.formatted("x".repeat(limit - 100)));
    assertThat(Answer.of(client(url()), "GET", "/playbacks/p").isComplete()).isTrue();
    responses.put("/playbacks/p", description.formatted("x".repeat(limit)));
    assertThat(Answer.of(client(url()), "GET", "/playbacks/p").problem())
        .isEqualTo("GET /playbacks/p failed: the response has more than " + limit + " bytes");
  }

  @ParameterizedTest
  @CsvSource({"x, 3", "ä, 8", "漢, 8"})
  void countsDescriptionWithTheBytesOfItsCharacters(String text, int bytesPerCharacter)
      throws Exception {
    callContexts.move(CHANNEL, "call");
    String padding = text.repeat(10_000);
    responses.put("/applications", LISTED);
    responses.put(
        "/channels", "[" + IN_STASIS.replace("{\"id", "{\"x\":\"" + padding + "\",\"id") + "]");
    start();
    assertThat(observations.get(0).bytes())
        .isBetween(10_000L * bytesPerCharacter, 10_000L * bytesPerCharacter + 3_000);
  }

  /** The findings wait for the events thread. */
  @Test
  void keepsLimitedDescriptionsAndAsksForTheOthersAgain() throws Exception {
    int count = 20;
    AtomicInteger asked = new AtomicInteger();
    respondWithLargeChannels(count, "Stasis");
    IntStream.range(0, count).forEach(id -> hooks.put("/channels/" + id, asked::incrementAndGet));
    query = newQuery();
    query.start();
    query.awaitFirstAttempt(Duration.ofSeconds(DefaultTimeout.SECONDS));

    List<Observation> first = query.take().observations();
    assertThat(first).hasSize(7);
    assertThat(query.pending()).isEqualTo(count - 7);
    assertThat(query.status()).contains("descriptions of resources exceed");
    assertThat(attempts.pending()).containsExactly(Duration.ofSeconds(1));

    asked.set(0);
    attempt();
    assertThat(query.take().observations()).as("while the first ones are reported").isEmpty();
    assertThat(attempts.pending()).as("no progress").containsExactly(Duration.ofSeconds(2));
    assertThat(asked)
        .as("of which the first answer has shown that no other fits")
        .hasValueLessThan(count - 7);

    for (int reported = 7; reported < count; reported += 7) {
      query.releaseReported();
      attempt();
      assertThat(query.take().observations()).hasSize(Math.min(7, count - reported));
    }
    assertThat(query.isComplete()).isTrue();
  }

  /** A player of prompts can have left 100,000. */
  @Test
  void asksForNoPlaybackWhoseAnswerItCouldNotKeep() throws Exception {
    int count = 60;
    AtomicInteger asked = new AtomicInteger();
    for (int id = 0; id < count; id++) {
      callContexts.move(new Resource(ResourceType.PLAYBACK, "p" + id), "call");
      hooks.put("/playbacks/p" + id, asked::incrementAndGet);
    }
    query = newQuery(requests, new DescriptionHeap(20_000));
    query.start();
    query.awaitFirstAttempt(Duration.ofSeconds(DefaultTimeout.SECONDS));
    int observed = query.take().observations().size();
    assertThat(observed).isEqualTo(20);
    assertThat(asked).as("with those in the queue").hasValueLessThan(50);
    assertThat(query.pending()).isEqualTo(count - observed);

    while (!query.isComplete()) {
      query.releaseReported();
      attempt();
      observed += query.take().observations().size();
    }
    assertThat(observed).isEqualTo(count);
    assertThat(asked).as("in three attempts").hasValueLessThan(count + 3 * 30);
  }

  /** It has ended with its channel or bridge. */
  @Test
  void asksForNoPlaybackOfChannelThatDoesNotExist() throws Exception {
    Map<String, String> targets =
        Map.of(
            "p1", "channel:gone",
            "p2", "bridge:gone",
            "p3", "channel:c",
            "p4", "bridge:b",
            "p5", "endpoint:e",
            "p6", "");
    targets.forEach(
        (id, target) -> callContexts.move(new Resource(ResourceType.PLAYBACK, id, target), "call"));
    callContexts.move(new Resource(ResourceType.RECORDING, "r", "channel:gone"), "call");
    responses.put("/channels", "[" + IN_STASIS + "]");
    responses.put("/bridges", "[{\"id\":\"b\"}]");
    Set<String> asked = ConcurrentHashMap.newKeySet();
    targets.keySet().forEach(id -> hooks.put("/playbacks/" + id, () -> asked.add(id)));
    hooks.put("/recordings/live/r", () -> asked.add("r"));

    start();
    assertThat(asked).containsExactlyInAnyOrder("p3", "p4", "p5", "p6");
    assertThat(observations).hasSize(7).noneMatch(Observation::exists);
    assertThat(query.isComplete()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"500", "503", "[{\"id\":\"x\"}"})
  void asksForPlaybackIfListOfChannelsIsIncomplete(String list) throws Exception {
    callContexts.move(new Resource(ResourceType.PLAYBACK, "p", "channel:c"), "call");
    responses.put("/channels", list);
    responses.put("/playbacks/p", "{\"id\":\"p\"}");
    start();
    assertThat(observations).singleElement().matches(Observation::exists);
  }

  /** The new one can be on a new channel. */
  @Test
  void asksForPlaybackWhoseMappingChangesWhileChannelsAreListed() throws Exception {
    callContexts.move(new Resource(ResourceType.PLAYBACK, "p", "channel:gone"), "call");
    hooks.put("/channels", () -> callContexts.move(PLAYBACK, "moved"));
    responses.put("/playbacks/p", "{\"id\":\"p\"}");
    start();
    assertThat(observations).singleElement().matches(Observation::exists);
  }

  /** A list of thousands of resources occupies Asterisk. */
  @Test
  void sendsOneListAtATime() throws Exception {
    AtomicInteger lists = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    for (String path : List.of("/applications", "/channels", "/bridges")) {
      hooks.put(
          path,
          () -> {
            most.accumulateAndGet(lists.incrementAndGet(), Math::max);
            sleep();
            lists.decrementAndGet();
          });
    }
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      query = newQuery(threads);
      query.start();
      // a comparison
      int status = client(url()).readList("/channels", 1_000, body -> body.readAllBytes());
      assertThat(status).isEqualTo(200);
      query.awaitFirstAttempt(Duration.ofSeconds(DefaultTimeout.SECONDS));
      query.take();
      assertThat(query.isComplete()).isTrue();
      assertThat(most).hasValue(1);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void sendsLimitedNumberOfRequests() throws Exception {
    AtomicInteger current = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    for (int i = 0; i < 100; i++) {
      callContexts.move(new Resource(ResourceType.PLAYBACK, "p" + i), "call");
      hooks.put(
          "/playbacks/p" + i,
          () -> {
            most.accumulateAndGet(current.incrementAndGet(), Math::max);
            sleep();
            current.decrementAndGet();
          });
    }
    ExecutorService threads = Executors.newFixedThreadPool(20);
    try {
      query = newQuery(threads);
      query.start();
      query.awaitFirstAttempt(Duration.ofSeconds(DefaultTimeout.SECONDS));
      query.take();
      assertThat(query.isComplete()).isTrue();
      assertThat(most).as("in parallel").hasValueBetween(2, 8);
    } finally {
      threads.shutdownNow();
    }
  }

  /** All are queried before the first of them is. */
  @Test
  void keepsLimitedDescriptionsWhileItAsksWhetherChannelsAreInStasis() throws Exception {
    int count = 20;
    AtomicInteger asked = new AtomicInteger();
    respondWithLargeChannels(count, "Wait");
    IntStream.range(0, count)
        .mapToObj(id -> "/channels/" + id + "/dtmf")
        .forEach(
            path -> {
              responses.put(path, "412");
              hooks.put(path, asked::incrementAndGet);
            });
    query = newQuery(longQueue);
    query.start();
    query.awaitFirstAttempt(Duration.ofSeconds(DefaultTimeout.SECONDS));

    assertThat(asked).as("channels with a description that is kept").hasValue(7);
    assertThat(query.take().observations()).hasSize(7).allMatch(channel -> channel.isIn("app"));
    assertThat(query.status()).contains("descriptions of resources exceed");

    for (int reported = 7; reported < count; reported += 7) {
      query.releaseReported();
      attempt();
      assertThat(query.take().observations()).hasSize(Math.min(7, count - reported));
    }
    assertThat(query.isComplete()).isTrue();
  }

  /** It was ringing when the channels were listed; its start needs the arguments of Stasis. */
  @Test
  void describesChannelThatEntersStasisMeanwhile() throws Exception {
    responses.put("/applications", LISTED);
    responses.put("/channels", "[" + IN_DIALPLAN + "]");
    responses.put("/channels/c/dtmf", "400");
    responses.put("/channels/c", IN_STASIS.replace("\"app\"", "\"app,argument\""));
    query = newQuery();
    query.start();
    query.awaitFirstAttempt(Duration.ofSeconds(DefaultTimeout.SECONDS));
    assertThat(query.take().observations())
        .singleElement()
        .satisfies(channel -> assertThat(channel.isIn("app")).isTrue())
        .extracting(channel -> channel.channel().applicationData())
        .isEqualTo("app,argument");
  }

  @ParameterizedTest
  @CsvSource({"404, 0, true", "500, 1, false"})
  void channelThatLeavesStasisMeanwhileHasNoStart(
      String status, int undescribable, boolean complete) throws Exception {
    responses.put("/applications", LISTED);
    responses.put("/channels", "[" + IN_DIALPLAN + "]");
    responses.put("/channels/c/dtmf", "400");
    responses.put("/channels/c", status);
    query = newQuery();
    query.start();
    query.awaitFirstAttempt(Duration.ofSeconds(DefaultTimeout.SECONDS));
    assertThat(query.take().observations()).noneMatch(channel -> channel.isIn("app"));
    assertThat(query.undescribable()).isEqualTo(undescribable);
    assertThat(query.isComplete()).isEqualTo(complete);
  }

  @Test
  void doesNotAskAgainForChannelOfLostApplication() throws Exception {
    enterStasis("other");
    assertThat(applications.lose("other")).isTrue();
    // the application is subscribed to it
    responses.put("/applications", LISTED);
    responses.put("/channels", "[" + IN_DIALPLAN + "]");
    start();
    query.askAgain(List.of(CHANNEL));
    attempt();
    assertThat(query.take().observations()).isEmpty();
    assertThat(query.isComplete()).isTrue();
  }

  /** Asterisk responds with 200 and no body for a bridge that it cannot describe. */
  @Test
  void doesNotCompareWithCreationTimeOfEarlierAnswer() throws Exception {
    Resource bridge = new Resource(ResourceType.BRIDGE, "b", "2");
    callContexts.move(bridge, "call");
    responses.put("/bridges", "500");
    responses.put("/bridges/b", "");
    start();
    query.askAgain(List.of(new Resource(ResourceType.BRIDGE, "b", "1")));
    attempt();
    assertThat(query.take().observations())
        .singleElement()
        .matches(observation -> observation.exists(callContexts.peek(bridge).orElseThrow()));
  }

  @Test
  void namesNoApplicationThatIsNotConfigured() throws Exception {
    for (String application : List.of("removed", "other")) {
      Resource channel = new Resource(ResourceType.CHANNEL, application);
      callContexts.move(channel, "call");
      callContexts.enterStasis(channel, application);
    }
    query = newQuery();
    assertThat(query.applicationByCall()).containsExactly(Map.entry("call", "other"));
  }

  @Test
  void sendsRequestsOnTheirOwnThreads() throws Exception {
    for (int i = 0; i < 20; i++) {
      Resource playback = new Resource(ResourceType.PLAYBACK, "p" + i);
      callContexts.move(playback, "call");
      responses.put("/playbacks/p" + i, "503");
    }
    start();
    responses.keySet().forEach(path -> hooks.put(path, () -> await(end)));
    Async.run(attempts::runNext).orTimeout(DefaultTimeout.SECONDS, TimeUnit.SECONDS).join();
  }

  /** 400: the request line exceeds Asterisk's limit. */
  @ParameterizedTest
  @ValueSource(strings = {"500", "400"})
  void resourceThatAsteriskCannotDescribeIsNotPending(String status) throws Exception {
    callContexts.move(PLAYBACK, "call");
    responses.put("/playbacks/p", status);
    start();
    assertThat(query.undescribable()).isOne();
    assertThat(query.pending()).isZero();
  }

  /** Such as a page of what answers in Asterisk's place. */
  @Test
  void statusCountsWithoutItsLongBody() throws Exception {
    int length = (int) JsonList.MAX_ELEMENT_BYTES + 1;
    try (RawHttpServer other =
        RawHttpServer.start(
            (request, out) ->
                out.write(
                    ("HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%s"
                            .formatted(length, "x".repeat(length)))
                        .getBytes(US_ASCII)))) {
      Answer answer =
          Answer.of(client(URI.create("http://localhost:" + other.port())), "GET", "/playbacks/p");
      assertThat(answer.isNotFound()).isTrue();
    }
  }

  /** Such as one with thirty variables of 40 KB that Asterisk lists in {@code channelvars}. */
  @ParameterizedTest
  @CsvSource({"400, 1", "409, 0"})
  void channelWhoseDescriptionIsTooLargeIsNotPending(String dtmf, int undescribable)
      throws Exception {
    String channel =
        "{\"id\":\"c\",\"x\":\"%s\"}".formatted("x".repeat((int) JsonList.MAX_ELEMENT_BYTES));
    callContexts.move(CHANNEL, "call");
    responses.put("/channels", "[" + channel + "]");
    responses.put("/channels/c", channel);
    responses.put("/channels/c/dtmf", dtmf);
    responses.put("/applications", LISTED);
    start();
    assertThat(query.undescribable()).isEqualTo(undescribable);
    assertThat(query.pending()).isZero();
  }

  @Test
  void asksSoonForResourcesWithChangedMappings() throws Exception {
    callContexts.move(PLAYBACK, "call");
    responses.put("/playbacks/p", "500");
    start();
    attempt();
    attempt();
    assertThat(attempts.pending()).containsExactly(Duration.ofSeconds(4));
    query.askAgain(List.of(CHANNEL));
    assertThat(attempts.pending()).containsExactly(Duration.ofSeconds(1));
  }

  @Test
  void doesNotLogChangedMappingsAsFailures() throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      callContexts.move(PLAYBACK, "call");
      responses.put("/playbacks/p", "503");
      start();
      assertThat(log.lines(Level.WARN)).anyMatch(line -> line.contains("Resync incomplete"));
    }
    try (CapturedLog log = new CapturedLog()) {
      callContexts.move(CHANNEL, "call");
      responses.put("/playbacks/p", "404");
      hooks.put("/playbacks/p", () -> query.askAgain(List.of(CHANNEL)));
      attempt();
      assertThat(attempts.pending()).containsExactly(Duration.ofSeconds(1));
      assertThat(log.lines(Level.WARN)).noneMatch(line -> line.contains("Resync incomplete"));
    }
    attempt();
    query.take();
    assertThat(query.isComplete()).isTrue();
  }

  @Test
  void namesFailedListsOnlyIfNoResourceIsOpen() throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      responses.put("/channels", "403");
      start();
      assertThat(query.status()).isEqualTo("GET /channels responded with 403");
      callContexts.move(CHANNEL, "call");
      query.askAgain(List.of(CHANNEL));
      assertThat(query.status())
          .isEqualTo("1 resource not compared with Asterisk, GET /channels responded with 403");
      assertThat(log.lines(Level.WARN))
          .singleElement()
          .asString()
          .startsWith("Resync incomplete: GET /channels responded with 403; retrying in 1 s. If");
    }
  }

  /** Neither ari.url nor permissions are the cause. */
  @Test
  void logsRemedyForChannelThatAsteriskCannotDescribeOnce() throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      responses.put("/applications", LISTED);
      responses.put("/channels", "500");
      responses.put("/channels/c", "500");
      responses.put("/channels/c/dtmf", "400");
      start();
      attempt();
      attempt();
      assertThat(query.undescribable()).isOne();
      assertThat(log.lines(Level.INFO))
          .containsExactly("Resync queries resources one by one: GET /channels responded with 500");
      assertThat(log.lines(Level.WARN))
          .singleElement()
          .asString()
          .isEqualTo(
              "Asterisk cannot describe 1 of the resources: GET /channels/c responded with 500; all"
                  + " others are compared. End what it cannot describe in Asterisk (core show"
                  + " channels concise); querying again in 1 s");
    }
  }

  /** Runs the first attempt, and takes its findings. */
  private void start() throws Exception {
    query = newQuery();
    query.start();
    query.awaitFirstAttempt(Duration.ofSeconds(DefaultTimeout.SECONDS));
    observations = query.take().observations();
  }

  /** Runs the scheduled attempt. */
  private void attempt() {
    int before = findings.get();
    attempts.runNext();
    Awaitility.await("end of the attempt").until(() -> findings.get() > before);
  }

  /** Channels of which seven fit in the heap of descriptions, to be queried one by one. */
  private void respondWithLargeChannels(int count, String dialplanApplication) {
    String names = "x".repeat(MAX_DESCRIPTION_BYTES / 3 / 8);
    List<String> ids = IntStream.range(0, count).mapToObj(Integer::toString).toList();
    responses.put("/channels", "500");
    responses.put(
        "/applications",
        "[{\"name\":\"app\",\"channel_ids\":[\"" + String.join("\",\"", ids) + "\"]}]");
    ids.forEach(
        id ->
            responses.put(
                "/channels/" + id,
                "{\"id\":\"%s\",\"dialplan\":{\"app_name\":\"%s\",\"app_data\":\"app\"},\"x\":\"%s\"}"
                    .formatted(id, dialplanApplication, names)));
  }

  private AsteriskQuery newQuery() throws NoSuchAlgorithmException {
    return newQuery(requests);
  }

  private AsteriskQuery newQuery(ExecutorService executor) throws NoSuchAlgorithmException {
    return newQuery(executor, new DescriptionHeap(MAX_DESCRIPTION_BYTES));
  }

  private AsteriskQuery newQuery(ExecutorService executor, DescriptionHeap heap)
      throws NoSuchAlgorithmException {
    return new AsteriskQuery(
        Moment.now(),
        callContexts,
        applications,
        "",
        client(url()),
        applicationsRequest,
        executor,
        attempts,
        new SubscriptionRestore(
            new Subscriptions(WriteBehind.noop(new SimpleMeterRegistry())), applications),
        heap,
        new AsteriskQuery.Listener() {
          @Override
          public void onFindings() {
            findings.incrementAndGet();
          }

          @Override
          public void onFailedAttempt() {}
        });
  }

  private AriClient client(URI url) throws NoSuchAlgorithmException {
    return new AriClient(httpClient(url), url, limit);
  }

  private ApplicationsRequest applicationsRequest(URI url, Duration timeout)
      throws NoSuchAlgorithmException {
    return new ApplicationsRequest(
        AriClient.withLongTimeout(httpClient(url), url, limit), limit, timeout);
  }

  private static AriHttpClient httpClient(URI url) throws NoSuchAlgorithmException {
    SSLContext tls = SSLContext.getDefault();
    return new AriHttpClient(
        new AriLogin(url, "user", new Secret("password")),
        () -> tls,
        1,
        5000,
        60_000,
        "",
        new SimpleMeterRegistry());
  }

  private URI url() {
    return URI.create("http://localhost:" + server.getAddress().getPort());
  }

  private void enterStasis(String application) {
    rules.map(
        AriEvent.parse(
            "{\"type\":\"StasisStart\",\"application\":\"%s\",\"channel\":{\"id\":\"c\"}}"
                .formatted(application)));
  }

  private void respond(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    hooks.getOrDefault(path, () -> {}).run();
    String response = responses.getOrDefault(path, "404");
    boolean isStatus = response.length() == 3;
    byte[] body = (isStatus ? "{}" : response).getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(isStatus ? Integer.parseInt(response) : 200, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
    if (path.equals("/applications")) {
      applicationsListed.countDown();
    }
  }

  private static void sleep() {
    try {
      Thread.sleep(20);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await(DefaultTimeout.SECONDS * 2, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Runs attempts when the test requires it. */
  private static final class AttemptTimer extends ScheduledThreadPoolExecutor {

    private final List<Attempt> scheduled = new ArrayList<>();

    private record Attempt(Runnable start, Duration delay, Future<?> future) {}

    AttemptTimer() {
      super(1);
    }

    @Override
    public synchronized ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
      ScheduledFuture<?> future = super.schedule(command, 1, TimeUnit.DAYS);
      Duration duration = Duration.of(delay, unit.toChronoUnit());
      // a shorter delay is the one of late findings
      if (duration.toSeconds() > 0) {
        scheduled.add(new Attempt(command, duration, future));
      }
      return future;
    }

    /** Returns the delays of the scheduled attempts. */
    synchronized List<Duration> pending() {
      scheduled.removeIf(attempt -> attempt.future().isDone());
      return scheduled.stream().map(Attempt::delay).toList();
    }

    void runNext() {
      Attempt next;
      synchronized (this) {
        assertThat(pending()).isNotEmpty();
        next = scheduled.remove(0);
      }
      next.future().cancel(false);
      next.start().run();
    }
  }
}
