// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Cache;
import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each file pair in {@code golden/commands}: command in, request and RESPONSE out, byte for byte.
 *
 * <p>{@code .in.txt} contains the record's value and, after {@code ---}, Asterisk's behavior: its
 * status, content type and body, or {@code down}, {@code hangs}, {@code disconnects}, {@code no
 * request}. {@code .out.txt} contains the request on the wire, if any, and, after {@code ---}, the
 * RESPONSE's key and value. Values can span several lines; line breaks and leading blanks are
 * ignored. All methods but PUT are allowed.
 */
class GoldenCommandsTest {

  private static final Path FOLDER = Path.of("src", "test", "resources", "golden", "commands");
  private static final String IN = ".in.txt";
  private static final String OUT = ".out.txt";

  @AutoClose private static final Closer CLOSER = new Closer();
  private static SimulatedAsterisk asterisk;
  private static RoutesUnderTest routes;

  private int requestsBefore;

  @BeforeAll
  static void start() throws Exception {
    asterisk = CLOSER.register(SimulatedAsterisk.builder().user("user", "password").start());
    routes =
        CLOSER.register(
            RoutesUnderTest.startWithAsterisk(
                asterisk.port(),
                Map.of(
                    Setting.COMMANDS_ALLOWED,
                    "GET /**, POST /**, DELETE /**",
                    // one case waits for it
                    Setting.ARI_RESPONSE_TIMEOUT,
                    "3000ms")));
  }

  @BeforeEach
  void reset() {
    routes.reset();
    // generated ids are the same in each case, since all records have one position
    routes.context().getRegistry().lookupByNameAndType("callContexts", Cache.class).invalidateAll();
    requestsBefore = asterisk.requests().size();
  }

  @AfterEach
  void clearFaults() {
    asterisk.faults().clear();
    asterisk.reconnectNetwork();
  }

  static List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(IN))
          .map(name -> name.substring(0, name.length() - IN.length()))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("names")
  void matchesGoldenRequestAndResponse(String name) throws IOException {
    GoldenFile in = GoldenFile.read(FOLDER.resolve(name + IN));
    GoldenFile out = GoldenFile.read(FOLDER.resolve(name + OUT));
    prepare(in.title(), in.second());

    routes.sendRecord(in.first().equals("(tombstone)") ? null : bytes(in.first()), Map.of());
    routes.awaitResponse();

    assertThat(routes.mappedTopic().getReceivedExchanges()).hasSize(1);
    Message response = routes.mappedTopic().getReceivedExchanges().get(0).getMessage();
    assertThat(wireRequests()).as("requests on the wire").isEqualTo(out.first());
    assertThat(response.getHeader(KafkaConstants.KEY)).isEqualTo(out.title());
    assertThat(
            new String(response.getBody(byte[].class), StandardCharsets.UTF_8)
                // the server's port differs on each run
                .replace("localhost:" + asterisk.port(), "localhost:8088")
                // the operating system's message, in its language
                .replaceAll("8088 failed: [^\"]*", "8088 failed: Connection refused"))
        .isEqualTo(out.second());
  }

  private static void prepare(String behavior, String body) {
    switch (behavior) {
      case "no request" -> {
        // the comparison detects any request
      }
      case "down" -> asterisk.disconnectNetwork();
      case "hangs" -> asterisk.faults().hang(request -> true);
      case "disconnects" -> asterisk.faults().dropBeforeExecution(request -> true);
      default -> {
        String[] response = behavior.split(" ", 2);
        asterisk
            .faults()
            .respondWith(
                request -> true,
                Integer.parseInt(response[0]),
                response.length == 2 ? response[1] : null,
                bytes(body));
      }
    }
  }

  private String wireRequests() {
    List<RecordedRequest> requests = asterisk.requests();
    return requests.subList(requestsBefore, requests.size()).stream()
        .map(
            request ->
                request
                    + (request.header("Content-Type") == null ? "" : request.header("Content-Type"))
                    + request.bodyAsString())
        .collect(Collectors.joining());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** A file of a pair: two texts and the separator between them. */
  private record GoldenFile(String first, String title, String second) {

    static GoldenFile read(Path file) throws IOException {
      List<String> lines = Files.readAllLines(file);
      int separator = 0;
      while (!lines.get(separator).startsWith("--- ")) {
        separator++;
      }
      return new GoldenFile(
          join(lines.subList(0, separator)),
          lines.get(separator).substring("--- ".length()),
          join(lines.subList(separator + 1, lines.size())));
    }

    private static String join(List<String> lines) {
      return lines.stream().map(String::stripLeading).collect(Collectors.joining());
    }
  }
}
