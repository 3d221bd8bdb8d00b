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
import java.util.stream.Stream;
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
  void boundsRequestsInWork() {
    try (JolokiaHandler handler = listen(new Secret(""))) {
      String slow = "[" + "{\"type\":\"list\"},".repeat(3_000) + "{\"type\":\"version\"}]";
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + JolokiaHandler.PATH))
              .header("Content-Type", "application/json")
              .POST(BodyPublishers.ofString(slow))
              .build();
      HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
      List<CompletableFuture<HttpResponse<Void>>> responses =
          Stream.generate(() -> client.sendAsync(request, BodyHandlers.discarding()))
              .limit(60)
              .toList();
      assertThat(responses)
          .extracting(response -> response.join().statusCode())
          .containsOnly(200, 503);
      assertThat(client.sendAsync(request, BodyHandlers.discarding()).join().statusCode())
          .isEqualTo(200);
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
    return HttpClient.newHttpClient().send(request, BodyHandlers.discarding()).statusCode();
  }
}
