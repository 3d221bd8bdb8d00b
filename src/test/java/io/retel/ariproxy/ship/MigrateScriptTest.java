// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.fixtures.FreePort;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.HttpReceiver;
import io.retel.ariproxy.fixtures.RawHttpServer;
import io.retel.ariproxy.fixtures.Tool;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code MigrationIT} runs it with a real Asterisk and two proxies. */
class MigrateScriptTest {

  private static final String OLD = "old-app";
  private static final String NEW = "new-app";
  private static final String WAITS = "the script waits; faster: switchWaitsForLastCall";

  @TempDir private Path folder;
  @AutoClose private final SimulatedAsterisk asterisk = SimulatedAsterisk.start();
  @AutoClose private final HttpReceiver proxy = HttpReceiver.start();
  private final List<String> options = new ArrayList<>();
  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void setUp() throws IOException {
    Tool.CURL.path();
    proxy.answer(200, "{\"ok\":true,\"errors\":[]}");
    asterisk.register(OLD);
    asterisk.register(NEW);
    setVariable(OLD);
    options.addAll(List.of("--old", OLD, "--new", NEW, "--health", proxy.url("/health")));
    environment.put("ARI_URL", asterisk.url());
    environment.put("ARI_USERNAME", asterisk.username());
    environment.put("ARI_PASSWORD", asterisk.password());
    // does not wait for long
    program("sleep", "exec /bin/sleep 0.05");
    environment.put("PATH", folder + ":" + System.getenv("PATH"));
  }

  @Test
  void switchWaitsForLastCall() {
    SimulatedCall first = asterisk.call(OLD);
    SimulatedCall last = asterisk.call(OLD);
    try (MigrateScript script = start("switch")) {
      script.awaitOutput(OLD + ": channels 2, bridges 0");
      assertThat(variable()).isEqualTo(NEW);
      first.hangup();
      script.awaitOutput(OLD + ": channels 1, bridges 0");
      assertThat(script.isRunning()).isTrue();
      last.hangup();
      script.assertExit(0, OLD + " has no calls; the old proxy can be stopped");
    }
  }

  /** Asterisk does not end the subscription if the last channel is hung up in the bridge. */
  @ParameterizedTest
  @FullRun(WAITS)
  @ValueSource(strings = {"remaining", "room:1/a%20b"})
  void waitsForBridgeUntilItHasNoChannels(String id) {
    String bridge = id.replace("/", "%2F");
    SimulatedCall call = asterisk.call(NEW);
    asterisk.request("POST", "/channels/" + call.id() + "/answer");
    asterisk.request("POST", "/bridges?type=mixing&bridgeId=" + bridge);
    asterisk.request("POST", "/bridges/" + bridge + "/addChannel?channel=" + call.id());
    asterisk.request("POST", "/applications/" + OLD + "/subscription?eventSource=bridge:" + bridge);
    try (MigrateScript script = start("switch")) {
      script.awaitOutput(OLD + ": channels 0, bridges 1\n");
      asterisk.request("POST", "/bridges/" + bridge + "/removeChannel?channel=" + call.id());
      script.assertExit(0, "can be stopped");
      assertThat(script.output()).contains(OLD + ": channels 0, bridges 1 without channels");
    }
  }

  @Test
  void checkChangesNothing() {
    assertExit(0, "ready to switch", "check");
    assertThat(variable()).isEqualTo(OLD);
    assertThat(asterisk.requestCount("POST", "/asterisk/variable")).as("by the setup").isOne();
  }

  @Test
  void rollbackSwitchesBackAndWaitsForNewApplication() {
    assertExit(0, "not waiting", "switch", "--no-wait");
    SimulatedCall call = asterisk.call(NEW);
    // such as the reason for the rollback
    proxy.answer(503, "{\"ok\":false,\"errors\":[\"kafka\"]}");
    try (MigrateScript script = start("rollback")) {
      script.awaitOutput(NEW + ": channels 1, bridges 0");
      assertThat(variable()).isEqualTo(OLD);
      call.hangup();
      script.assertExit(0, NEW + " has no calls; the new proxy can be stopped");
    }
  }

  @Test
  @FullRun(WAITS)
  void waitContinuesAfterInterruption() {
    SimulatedCall call = asterisk.call(OLD);
    try (MigrateScript script = start("switch")) {
      script.awaitOutput(OLD + ": channels 1");
      script.terminate();
      script.assertExit(130, "interrupted; new calls go to " + NEW);
    }
    call.hangup();
    assertExit(0, OLD + " has no calls", "wait");
  }

  @Test
  @FullRun(WAITS)
  void switchCanBeRepeated() {
    assertExit(0, "not waiting", "switch", "--no-wait");
    assertExit(0, OLD + " has no calls", "switch");
    assertThat(asterisk.requestCount("POST", "/asterisk/variable")).isEqualTo(2);
  }

  @Test
  void lostResponseDoesNotFailSwitch() {
    asterisk.faults().dropAfterExecution(request -> request.matches("POST", "/asterisk/variable"));
    assertExit(0, "not waiting", "switch", "--no-wait");
    assertThat(variable()).isEqualTo(NEW);
  }

  @Test
  @FullRun(WAITS)
  void endsWhenOldProxyHasDisconnected() {
    asterisk.call(OLD);
    try (MigrateScript script = start("switch")) {
      script.awaitOutput(OLD + ": channels 1");
      asterisk
          .faults()
          .respondWith(
              request -> request.path().equals("/applications/" + OLD),
              404,
              "Application not found");
      script.assertExit(0, "the old proxy can be stopped");
      assertThat(script.output()).contains(OLD + " no longer exists");
    }
  }

  @Test
  void endsAfterTimeoutIfCallsHaveEnded() {
    assertExit(0, "can be stopped", "switch", "--timeout", "0s");
  }

  @Test
  void namesRemainingCallsAfterTimeout() {
    SimulatedCall call = asterisk.call(OLD);
    assertExit(
        4, "channels 1, bridges 0 after 0 s: \"" + call.id() + "\"", "switch", "--timeout", "0s");
    assertThat(variable()).isEqualTo(NEW);
  }

  @Test
  @FullRun(WAITS)
  void namesExtensionFromWhichNewCallsEnterOldApplication() {
    SimulatedCall call = asterisk.call(OLD);
    try (MigrateScript script = start("switch")) {
      script.awaitOutput(OLD + ": channels 1");
      SimulatedCall late = asterisk.call(OLD, "100", "4711", Map.of());
      String place = "in old-app, in extension 4711 of context default; unless a command";
      script.awaitOutput("new channel \"" + late.id() + "\" is " + place);
      SimulatedCall later = asterisk.call(OLD, "100", "4711", Map.of());
      script.awaitOutput(OLD + ": channels 3");
      List.of(call, late, later).forEach(SimulatedCall::hangup);
      script.assertExit(0, "can be stopped");
      assertThat(script.output()).containsOnlyOnce(place);
    }
  }

  @Test
  @FullRun(WAITS)
  void namesLineThatWasRestored() throws IOException {
    console("Stasis(${STASIS_APP})");
    asterisk.call(OLD);
    try (MigrateScript script = start("switch", "--console", "console -rx")) {
      script.awaitOutput(OLD + ": channels 1");
      console("Stasis(old-app)", "Stasis(${STASIS_APP})");
      asterisk.call(OLD);
      script.assertExit(5, "the dialplan does not use STASIS_APP: Stasis(old-app)");
    }
  }

  /** A command for a call of the old application, or from a controller to change. */
  @Test
  @FullRun(WAITS)
  void countsChannelsThatCommandsOriginate() {
    SimulatedCall call = asterisk.call(OLD);
    try (MigrateScript script = start("switch")) {
      script.awaitOutput(OLD + ": channels 1");
      asterisk.request("POST", "/channels/outgoing?endpoint=PJSIP/1&app=" + OLD);
      script.awaitOutput(OLD + ": channels 2, bridges 0, new channels 1");
      asterisk.request("DELETE", "/channels/outgoing");
      call.hangup();
      script.assertExit(0, "can be stopped");
      assertThat(script.output()).doesNotContain("unless a command created it");
    }
  }

  @Test
  @FullRun(WAITS)
  void noticesThatReloadResetsVariable() {
    asterisk.call(OLD);
    try (MigrateScript script = start("switch")) {
      script.awaitOutput(OLD + ": channels 1");
      setVariable(OLD);
      script.assertExit(5, "STASIS_APP is '" + OLD + "' instead of " + NEW);
    }
  }

  @Test
  @FullRun(WAITS)
  void waitSurvivesShortOutageOfAri() {
    SimulatedCall call = asterisk.call(OLD);
    try (MigrateScript script = start("switch")) {
      script.awaitOutput(OLD + ": channels 1");
      var fault =
          asterisk.faults().respondWith(request -> request.path().startsWith("/app"), 503, "Busy");
      script.awaitOutput("ARI responds with 503");
      fault.clear();
      call.hangup();
      script.assertExit(0, "can be stopped");
    }
  }

  @Test
  @FullRun(WAITS)
  void waitEndsWithLongOutageOfAri() {
    asterisk.call(OLD);
    try (MigrateScript script = start("switch")) {
      script.awaitOutput(OLD + ": channels 1");
      asterisk.stop();
      script.assertExit(3, "ARI responds with 000: curl: (7)");
    }
  }

  /** Such as from a server in front of Asterisk. */
  @ParameterizedTest
  @FullRun(WAITS)
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "200 | <html>Maintenance</html>",
        "404 | <html>Not Found</html>",
        "404 | {\"message\":\"Resource not found\"}",
        "200 | {}",
        "200 | {\"name\":\"other\",\"channel_ids\":[],\"bridge_ids\":[]}",
        "200 | {\"name\":\"old-app\",\"channel_ids\":[",
        "200 | {\"name\":\"old-app\",\"channel_ids\":[],\"bridge_ids\":[\"b",
        "200 | {\"name\":\"old-app\",\"bridge_ids\":[]}"
      })
  void waitContinuesAfterResponseWithoutApplication(int status, String body) {
    asterisk.call(OLD);
    try (MigrateScript script = start("switch")) {
      script.awaitOutput(OLD + ": channels 1");
      respond("/applications/" + OLD, status, body);
      script.assertExit(3, unexpected(status, body) + "; new calls go to " + NEW);
      assertThat(script.output()).contains(unexpected(status, body) + "; trying again");
    }
  }

  @ParameterizedTest
  @FullRun(WAITS)
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "200 | <html>Maintenance</html>",
        "404 | <html>Not Found</html>",
        "200 | {\"channels\":[",
      })
  void waitContinuesAfterResponseWithoutBridge(int status, String body) {
    asterisk.request("POST", "/bridges?type=mixing&bridgeId=room");
    asterisk.request("POST", "/applications/" + OLD + "/subscription?eventSource=bridge:room");
    // each character of the id is percent-encoded
    respond("/bridges/%72%6f%6f%6d", status, body);
    assertExit(3, unexpected(status, body), "switch");
  }

  @Test
  @FullRun(WAITS)
  void waitContinuesAfterResponseWithoutVariable() {
    asterisk.call(OLD);
    try (MigrateScript script = start("switch")) {
      script.awaitOutput(OLD + ": channels 1");
      respond("/asterisk/variable", 200, "<html>Maintenance</html>");
      script.assertExit(3, unexpected(200, "<html>Maintenance</html>"));
    }
  }

  /** The connection ends within the response, after JSON that looks complete. */
  @Test
  @FullRun(WAITS)
  void waitContinuesAfterIncompleteResponse() {
    String without = "{\"name\":\"old-app\",\"channel_ids\":[],\"bridge_ids\":[]}";
    AtomicBoolean incomplete = new AtomicBoolean();
    try (RawHttpServer server =
        RawHttpServer.start(
            (request, out) -> {
              if (request.contains("/asterisk/variable")) {
                send(out, "{\"value\":\"" + NEW + "\"}", 0);
              } else if (request.contains("/asterisk/ping")) {
                send(out, "{\"ping\":\"pong\"}", 0);
              } else if (incomplete.get()) {
                send(out, without, 1000);
                throw new EOFException();
              } else {
                send(out, without.replace("[]", "[\"a\"]"), 0);
              }
            })) {
      server.answerNoPings();
      environment.put("ARI_URL", "http://127.0.0.1:" + server.port() + "/ari");
      try (MigrateScript script = start("wait")) {
        script.awaitOutput(OLD + ": channels 1");
        incomplete.set(true);
        script.assertExit(3, "ARI responds with 000: curl: (18)");
      }
    }
  }

  private static void send(OutputStream out, String body, int missing) throws IOException {
    out.write(
        RawHttpServer.bytes(
            "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(body.length() + missing, body)));
  }

  private static String unexpected(int status, String body) {
    return "ARI responds with %d, incomplete or not from Asterisk: %s".formatted(status, body);
  }

  // Prerequisites

  @Test
  void namesAriThatDoesNotRespond() {
    environment.put("ARI_URL", "http://127.0.0.1:" + FreePort.find() + "/ari");
    assertExit(3, "ARI does not respond at http://127.0.0.1:", "check");
  }

  @Test
  void namesUrlThatIsNotAri() {
    environment.put("ARI_URL", asterisk.url().replace("/ari", "/other"));
    assertExit(3, "is not ARI (status 404)", "check");
  }

  @Test
  void namesRejectedLogin() {
    environment.put("ARI_PASSWORD", "wrong");
    assertExit(3, "ARI rejects the login of user %s (401)".formatted(asterisk.username()), "check");
  }

  @Test
  void namesReadOnlyUser() {
    asterisk
        .faults()
        .respondWith(request -> request.method().equals("POST"), 403, "Write access denied");
    assertExit(3, "is it read_only in ari.conf?", "switch");
    assertThat(variable()).isEqualTo(OLD);
  }

  @Test
  void namesErrorOfAri() {
    asterisk
        .faults()
        .respondWith(request -> request.matches("GET", "/applications/" + OLD), 500, "Broken");
    assertExit(
        3,
        "ARI responds with 500 to GET /applications/" + OLD + ": {\"message\":\"Broken\"}",
        "check");
  }

  @ParameterizedTest
  @CsvSource({
    "/applications/old-app, 200",
    "/applications/new-app, 404",
    "/asterisk/variable, 200"
  })
  void namesResponseThatIsNotFromAsterisk(String path, int status) {
    respond(path, status, "<html>Maintenance</html>");
    assertExit(3, unexpected(status, "<html>Maintenance</html>"), "check");
  }

  @ParameterizedTest
  @CsvSource({"--old, old", "--new, new"})
  void namesUnknownApplication(String option, String which) {
    options.set(options.indexOf(option) + 1, "unknown");
    assertExit(
        1, "application unknown does not exist in Asterisk; is the " + which + " proxy", "switch");
    assertThat(variable()).isEqualTo(OLD);
  }

  @Test
  void rollbackRequiresOldApplication() {
    setVariable(NEW);
    options.set(options.indexOf("--old") + 1, "unknown");
    assertExit(1, "application unknown does not exist", "rollback");
    assertThat(variable()).isEqualTo(NEW);
  }

  @Test
  void namesReasonWhyProxyIsNotReady() {
    proxy.answer(503, "{\"ok\":false,\n\"errors\":[\"kafka: \u009b1m\"]}");
    assertExit(1, "responds with 503: {\"ok\":false, \"errors\":[\"kafka: ??1m\"]}", "switch");
    assertThat(variable()).isEqualTo(OLD);
  }

  @Test
  void namesProxyThatDoesNotRespond() {
    String closed = "http://127.0.0.1:" + FreePort.find() + "/health";
    assertExit(1, "the new proxy does not respond at " + closed, "switch", "--health", closed);
  }

  @ParameterizedTest
  @CsvSource({
    "'', global variable STASIS_APP is not set; change the dialplan first",
    "third-app, 'global variable STASIS_APP is ''third-app'', neither'"
  })
  void namesUnexpectedValueOfVariable(String value, String message) {
    setVariable(value);
    assertExit(1, message, "switch");
    assertThat(variable()).isEqualTo(value);
  }

  @Test
  void namesVariableThatCannotBeSet() {
    asterisk
        .faults()
        .respondWith(request -> request.matches("POST", "/asterisk/variable"), 500, "Broken");
    assertExit(5, "STASIS_APP is 'old-app' after it was set to new-app (response: 500", "switch");
  }

  /** Another server can respond at {@code ARI_URL}. */
  @Test
  void escapesValueThatWasNotSet() {
    AtomicBoolean set = new AtomicBoolean();
    try (RawHttpServer server =
        RawHttpServer.start(
            (request, out) -> {
              set.compareAndSet(false, request.startsWith("POST"));
              String name = request.contains(NEW) ? NEW : OLD;
              send(
                  out,
                  request.contains("/asterisk/variable")
                      ? "{\"value\":\"" + (set.get() ? "\u001b[2J done" : OLD) + "\"}"
                      : "{\"ping\":\"pong\",\"name\":\"%s\",\"channel_ids\":[],\"bridge_ids\":[]}"
                          .formatted(name),
                  0);
            })) {
      server.answerNoPings();
      environment.put("ARI_URL", "http://127.0.0.1:" + server.port() + "/ari");
      assertExit(5, "STASIS_APP is '?[2J done' after it was set to new-app", "switch");
    }
  }

  @Test
  void responseWithoutEndIsNotRead() {
    byte[] block = new byte[1 << 16];
    Arrays.fill(block, (byte) '\n');
    try (RawHttpServer server =
        RawHttpServer.start(
            (request, out) -> {
              out.write(RawHttpServer.bytes("HTTP/1.1 200 OK\r\n\r\n"));
              for (int i = 0; i < 5_000; i++) {
                out.write(block);
              }
              throw new EOFException();
            })) {
      server.answerNoPings();
      environment.put("ARI_URL", "http://127.0.0.1:" + server.port() + "/ari");
      assertExit(3, "ARI does not respond at " + environment.get("ARI_URL"), "rollback");
      assertThat(server.sentBytes()).isLessThan(100_000_000);
    }
  }

  /** Such as with {@code subscribeAll=true}: Asterisk lists a topic instead of its channels. */
  @Test
  void rejectsApplicationWithAllChannels() {
    asterisk
        .faults()
        .respondWith(
            request -> request.matches("GET", "/applications/" + OLD),
            200,
            "application/json",
            """
            {"name":"old-app","channel_ids":["__AST_CHANNEL_ALL_TOPIC"],"bridge_ids":[]}"""
                .getBytes(StandardCharsets.UTF_8));
    assertExit(1, "is subscribed to all channels", "switch");
    assertThat(variable()).isEqualTo(OLD);
  }

  /** {@code pretty = yes} in ari.conf. */
  @Test
  void readsIndentedJsonWithHostileIds() throws IOException {
    asterisk
        .faults()
        .respondWith(
            request -> request.matches("GET", "/applications/" + OLD),
            200,
            "application/json",
            """
            {
              "name": "old-app",
              "channel_ids": [
                "a \\"bridge_ids\\": [ ] * ",
                "$(touch %s/made)"
              ],
              "bridge_ids": [
                "b"
              ]
            }
            """
                .formatted(folder)
                .getBytes(StandardCharsets.UTF_8));
    assertExit(4, "channels 2, bridges 1 after 0 s", "switch", "--timeout", "0s");
    assertThat(folder.resolve("made")).doesNotExist();
  }

  // Dialplan

  @ParameterizedTest
  @ValueSource(strings = {"Stasis(${STASIS_APP})", "Stasis(${STASIS_APP},${EXTEN})"})
  void acceptsDialplanWithVariable(String line) throws IOException {
    console(
        "1. " + line + "   [extensions.conf:12]",
        "2. Stasis(old-app-2)",
        "3. Stasis(oldXapp)",
        // added by Asterisk 22
        "'_.' => 1. Stasis(old-app)   [res_stasis]");
    assertExit(0, "ready to switch", "check", "--console", "console -rx");
  }

  @ParameterizedTest
  @ValueSource(strings = {"Stasis(old-app)", "Stasis(new-app,${EXTEN})"})
  void rejectsDialplanWithoutVariable(String line) throws IOException {
    console("1. Stasis(${STASIS_APP})", "  2. " + line + "   [extensions.conf:12]");
    assertExit(
        1,
        "the dialplan does not use STASIS_APP: 2. " + line + " [extensions.conf:12]",
        "switch",
        "--console",
        "console -rx");
    assertThat(variable()).isEqualTo(OLD);
  }

  @Test
  void rejectsDialplanWithoutStasis() throws IOException {
    console("1. Hangup()");
    assertExit(1, "contains no Stasis(${STASIS_APP})", "check", "--console", "console -rx");
  }

  @Test
  void namesConsoleThatFails() throws IOException {
    program("console", "echo 'Unable to connect'; exit 1");
    assertExit(1, "'console -rx' fails: Unable to connect", "check", "--console", "console -rx");
  }

  // Secrets

  @Test
  void curlGetsPasswordNeitherAsArgumentNorInEnvironment() throws IOException {
    Path curls = folder.resolve("curls");
    program(
        "curl",
        "{ printf '%%s\\n' \"$@\"; env; } >>%s\nexec %s \"$@\"".formatted(curls, Tool.CURL.path()));
    assertExit(0, "ready to switch", "check");
    assertThat(Files.readString(curls)).contains("-K").doesNotContain(asterisk.password());
  }

  @ParameterizedTest
  @ValueSource(strings = {"pass word\"\\#", "trailing\\", "%41:@/?&$(id)`id`"})
  void readsPasswordFromFile(String password) throws IOException {
    try (SimulatedAsterisk other = SimulatedAsterisk.builder().user("user", password).start()) {
      other.register(OLD);
      other.register(NEW);
      other.request("POST", "/asterisk/variable?variable=STASIS_APP&value=" + OLD);
      environment.putAll(Map.of("ARI_URL", other.url() + "/", "ARI_USERNAME", "user"));
      environment.remove("ARI_PASSWORD");
      environment.put(
          "ARI_PASSWORD_FILE", Files.writeString(folder.resolve("password"), password).toString());
      assertExit(0, "ready to switch", "check");
    }
  }

  // Arguments

  @Test
  void documentedCommandsMigrateAndRollBack() throws IOException {
    program("asterisk", "echo 'Stasis(${STASIS_APP})'");
    List<String> commands =
        MarkdownPage.codeBlocks("text").stream()
            .flatMap(block -> block.lines().stream())
            .filter(line -> line.startsWith("bin/migrate "))
            .toList();
    assertThat(commands).hasSize(3);
    for (String command : commands) {
      String script = "packaging/%s --health %s".formatted(command, proxy.url("/health"));
      Distribution.Result result =
          Distribution.runToExit(
              Path.of("").toAbsolutePath(), environment, List.of("sh", "-c", script));
      assertThat(result.exitCode()).as(command + ": " + result.output()).isZero();
    }
  }

  @Test
  void helpListsExitCodes() {
    try (MigrateScript script = start("--help")) {
      script.assertExit(0);
      assertThat(script.output()).contains("Usage: migrate COMMAND", "Exit codes:");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "unknown, '', unknown command 'unknown'",
    "check, --colour red, unknown option '--colour'",
    "check, --timeout, --timeout needs a value",
    "check, --timeout 5, '--timeout must be a number with s, m or h'",
    "check, --timeout xs, '--timeout must be a number with s, m or h'",
    "check, --interval 0s, --interval must be at least 1s",
    "check, --new old-app, --old and --new are the same",
    "check, --new a/b, '--new must consist of'",
    "check, --variable A-B, '--variable must consist of'"
  })
  void namesInvalidArgument(String command, String arguments, String message) {
    List<String> all = new ArrayList<>();
    if (!arguments.isEmpty()) {
      all.addAll(List.of(arguments.split(" ")));
    }
    options.addAll(all);
    assertExit(2, message, command);
  }

  @ParameterizedTest
  @CsvSource({
    "ARI_USERNAME, '', ARI_USERNAME is not set",
    "ARI_PASSWORD, '', neither ARI_PASSWORD_FILE nor ARI_PASSWORD is set",
    "ARI_PASSWORD_FILE, /no/file, ARI_PASSWORD_FILE /no/file cannot be read",
    "ARI_URL, 127.0.0.1:8088/ari, ARI_URL must start with http",
    "ARI_URL, http://user:secret@host/ari, ARI_URL must not contain a login"
  })
  void namesInvalidVariable(String name, String value, String message) {
    environment.put(name, value);
    try (MigrateScript script = start("check")) {
      script.assertExit(2, message);
      assertThat(script.output()).hasLineCount(1).doesNotContain("secret");
    }
  }

  private void assertExit(int code, String message, String command, String... more) {
    try (MigrateScript script = start(command, more)) {
      script.assertExit(code, message);
    }
  }

  private MigrateScript start(String command, String... more) {
    List<String> arguments = new ArrayList<>(List.of(command));
    arguments.addAll(options);
    arguments.addAll(List.of(more));
    return MigrateScript.start(folder, environment, arguments.toArray(String[]::new));
  }

  private void console(String... dialplan) throws IOException {
    Files.writeString(folder.resolve("dialplan"), String.join("\n", dialplan) + "\n");
    program("console", "[ \"$2\" = 'dialplan show' ] && cat " + folder.resolve("dialplan"));
  }

  private void program(String name, String script) throws IOException {
    Path file = Files.writeString(folder.resolve(name), "#!/bin/sh\n" + script + "\n");
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  private void respond(String path, int status, String body) {
    asterisk
        .faults()
        .respondWith(
            request -> request.matches("GET", path),
            status,
            "text/html",
            body.getBytes(StandardCharsets.UTF_8));
  }

  private void setVariable(String value) {
    asterisk.request("POST", "/asterisk/variable?variable=STASIS_APP&value=" + value);
  }

  private String variable() {
    try {
      return new ObjectMapper()
          .readTree(asterisk.request("GET", "/asterisk/variable?variable=STASIS_APP"))
          .path("value")
          .asText();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
