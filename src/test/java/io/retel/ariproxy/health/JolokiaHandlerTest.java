// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link ManagementAccessIT} tests it in a proxy. */
class JolokiaHandlerTest {

  private static final String FIRST = "the-first-token-of-operators";
  private static final String SECOND = "the-second-token-of-operators";

  private final Vertx vertx = Vertx.vertx();
  private int port;

  @TempDir private Path folder;

  @Test
  void followsReplacedToken() throws Exception {
    Path file = Files.writeString(folder.resolve("token"), FIRST);
    Settings settings =
        Settings.read(
            folder.resolve("none"),
            Map.of(
                "ARI_APP", "app",
                "ARI_USERNAME", "user",
                "ARI_PASSWORD", "password",
                "KAFKA_EVENTS_AND_RESPONSES_TOPIC", "events",
                "KAFKA_COMMANDS_TOPIC", "commands",
                "MANAGEMENT_TOKEN_FILE", file.toString()));
    try (JolokiaHandler handler = listen(settings.get(Setting.MANAGEMENT_TOKEN))) {
      assertThat(status(port, FIRST)).isEqualTo(200);
      assertThat(status(port, SECOND)).isEqualTo(401);

      Files.move(
          Files.writeString(folder.resolve("next"), SECOND), file, StandardCopyOption.ATOMIC_MOVE);
      Awaitility.await("the second token is required")
          .untilAsserted(() -> assertThat(status(port, SECOND)).isEqualTo(200));
      assertThat(status(port, FIRST)).isEqualTo(401);

      Files.delete(file);
      assertThat(status(port, SECOND)).as("remains in use").isEqualTo(200);
    }
  }

  /** As of a client that sends requests in a loop, and does not wait for the responses. */
  @Test
  void boundsRequestsInWork() throws Exception {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    ObjectName name = new ObjectName("metrics:type=gauges,name=boundsRequestsInWork");
    CountDownLatch released = new CountDownLatch(1);
    server.registerMBean(new Slow(released), name);
    try (JolokiaHandler handler = listen(new Secret(""))) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + JolokiaHandler.PATH))
              .header("Content-Type", "application/json")
              .POST(BodyPublishers.ofString("{\"type\":\"read\",\"mbean\":\"" + name + "\"}"))
              .build();
      HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
      List<CompletableFuture<Integer>> statuses =
          Stream.generate(() -> client.sendAsync(request, BodyHandlers.discarding()))
              .limit(60)
              .map(response -> response.thenApply(HttpResponse::statusCode))
              .toList();
      Awaitility.await("the others are refused")
          .until(() -> statuses.stream().filter(CompletableFuture::isDone).count() == 40);
      assertThat(statuses)
          .filteredOn(CompletableFuture::isDone)
          .extracting(CompletableFuture::join)
          .containsOnly(503);
      released.countDown();
      assertThat(statuses).extracting(CompletableFuture::join).contains(200);
      assertThat(client.send(request, BodyHandlers.discarding()).statusCode()).isEqualTo(200);
    } finally {
      released.countDown();
      server.unregisterMBean(name);
    }
  }

  /** A gauge whose value can be read once it is released. */
  public interface SlowMBean {
    int getValue() throws InterruptedException;
  }

  private record Slow(CountDownLatch released) implements SlowMBean {
    @Override
    public int getValue() throws InterruptedException {
      released.await();
      return 0;
    }
  }

  private JolokiaHandler listen(Secret token) {
    JolokiaHandler handler =
        new JolokiaHandler(
            vertx, token, new RefusedRequests(new SimpleMeterRegistry()), routing -> {});
    Router router = Router.router(vertx);
    handler.addTo(router);
    port =
        vertx
            .createHttpServer()
            .requestHandler(router)
            .listen(0, "127.0.0.1")
            .toCompletionStage()
            .toCompletableFuture()
            .join()
            .actualPort();
    return handler;
  }

  @AfterEach
  void close() {
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }

  private static int status(int port, String token) throws IOException, InterruptedException {
    URI version = URI.create("http://127.0.0.1:" + port + JolokiaHandler.PATH + "/version");
    HttpRequest request =
        HttpRequest.newBuilder(version).header("Authorization", "Bearer " + token).build();
    // as the port, which does not upgrade to HTTP/2
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    return client.send(request, BodyHandlers.discarding()).statusCode();
  }
}
