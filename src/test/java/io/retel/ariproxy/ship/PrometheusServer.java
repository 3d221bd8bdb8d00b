// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.FreePort;
import io.retel.ariproxy.fixtures.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;

/** Real Prometheus with the shipped configuration, but shorter intervals and another target. */
final class PrometheusServer implements AutoCloseable {

  /** Shortened for tests that wait for alerts; promtool's tests use the shipped durations. */
  private static final Pattern FOR_CLAUSE = Pattern.compile("for: \\d+s");

  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http = HttpClient.newHttpClient();
  private final int port = FreePort.find();
  private final Process process;

  private PrometheusServer(Path folder, Path configuration) throws IOException {
    process =
        new ProcessBuilder(
                Tool.PROMETHEUS.path().toString(),
                "--config.file=" + configuration,
                "--storage.tsdb.path=" + folder.resolve("data"),
                "--web.listen-address=127.0.0.1:" + port)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("prometheus.log").toFile())
            .start();
  }

  /**
   * Starts a server that scrapes a proxy each second, or skips the test if Prometheus is not
   * installed.
   *
   * @param folder an empty folder for its data
   */
  static PrometheusServer launch(Path folder, int managementPort) throws IOException {
    Tool.PROMETHEUS.path();
    YAMLMapper yaml = new YAMLMapper();
    ObjectNode shipped =
        (ObjectNode) yaml.readTree(PromQlQuery.ALERTS.resolveSibling("prometheus.yml").toFile());
    ((ObjectNode) shipped.path("global"))
        .put("scrape_interval", "1s")
        .put("evaluation_interval", "1s");
    ObjectNode job = (ObjectNode) shipped.at("/scrape_configs/0");
    job.putArray("static_configs")
        .addObject()
        .putArray("targets")
        .add("127.0.0.1:" + managementPort);
    Files.writeString(
        folder.resolve(PromQlQuery.ALERTS.getFileName()),
        FOR_CLAUSE.matcher(Files.readString(PromQlQuery.ALERTS)).replaceAll("for: 1s"));
    Path configuration = folder.resolve("prometheus.yml");
    yaml.writeValue(configuration.toFile(), shipped);
    PrometheusServer server = new PrometheusServer(folder, configuration);
    Awaitility.await("Prometheus is ready")
        .ignoreExceptions()
        .failFast("Prometheus has exited", () -> !server.process.isAlive())
        .until(() -> server.get("/-/ready").statusCode() == 200);
    return server;
  }

  /** Returns the series that currently match a query. */
  List<JsonNode> query(String promQl) {
    return getJson("/api/v1/query?query=" + URLEncoder.encode(promQl, StandardCharsets.UTF_8))
        .at("/data/result")
        .valueStream()
        .toList();
  }

  /** Returns the loaded rules with the result of their last evaluation. */
  List<JsonNode> rules() {
    return getJson("/api/v1/rules").at("/data/groups/0/rules").valueStream().toList();
  }

  private JsonNode getJson(String path) {
    HttpResponse<String> response = get(path);
    if (response.statusCode() != 200) {
      throw new IllegalStateException(path + ": " + response.body());
    }
    try {
      return JSON.readTree(response.body());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private HttpResponse<String> get(String path) {
    try {
      return http.send(
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build(),
          BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(DefaultTimeout.SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
