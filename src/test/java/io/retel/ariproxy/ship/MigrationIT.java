// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.asterisk.WebSocketTap;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Migrates as in {@code docs/migrate.md}: two proxies on two applications of a real Asterisk, with
 * one events-and-responses topic. The first proxy stands for the older ari-proxy.
 */
@FullRun("calls of a real Asterisk that last; faster: MigrateScriptTest")
class MigrationIT {

  private static final String OLD = "ari-proxy-old";
  private static final String NEW = "ari-proxy-new";

  @TempDir private Path folder;
  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(OLD);

  private RealAsterisk asterisk;
  private WebSocketTap oldTap;
  private WebSocketTap newTap;
  private EmbeddedProxy oldProxy;
  private ProxySettings newSettings;
  private Controller controller;
  private Controller newController;
  private final List<String> options = new ArrayList<>(List.of("--old", OLD, "--new", NEW));
  private final Map<String, String> environment = new HashMap<>();

  @Test
  void callsStayInTheirApplicationUntilTheirEnd() {
    callsStayInTheirApplicationUntilTheirEnd("sid");
  }

  @Test
  void callsStayInTheirApplicationUntilTheirEndOnAsterisk16() {
    callsStayInTheirApplicationUntilTheirEnd("bullseye");
  }

  private void callsStayInTheirApplicationUntilTheirEnd(String suite) {
    start(suite);
    String first = call("first", OLD);
    String second = call("second", OLD);
    execute(controller, "first", "POST", "/channels/" + first + "/answer").assertStatus(204);
    execute(controller, "first", "POST", "/bridges/conference?type=mixing").assertStatus(200);
    execute(controller, "first", "POST", "/bridges/conference/addChannel?channel=" + first)
        .assertStatus(204);
    controller.event("first", "CHANNEL_ENTERED_BRIDGE");

    MigrateScript script = run("switch", "--console", asterisk.consoleCommand());
    script.awaitOutput("new calls go to " + NEW);
    script.awaitOutput(OLD + ": channels 2, bridges 1");
    String third = call("third", NEW);
    execute(newController, "third", "POST", "/channels/" + third + "/answer").assertStatus(204);

    // re-enters with the value that the dialplan has kept in the channel
    execute(
            controller,
            "second",
            "POST",
            "/channels/%s/continue?context=default&extension=var-second&priority=1"
                .formatted(second))
        .assertStatus(204);
    Awaitility.await("second StasisStart")
        .until(
            () ->
                published(OLD)
                        .filter(event -> event.hasType("STASIS_START"))
                        .filter(event -> event.isOfChannel(second))
                        .count()
                    == 2);

    // commands of both calls, also such that create channels
    originate(controller, "first", OLD);
    script.awaitOutput("new channels 2");
    execute(controller, "first", "POST", "/bridges/conference/addChannel?channel=leg-first")
        .assertStatus(204);
    controller.event("first", "CHANNEL_ENTERED_BRIDGE", event -> event.isOfChannel("leg-first"));
    originate(newController, "third", NEW);

    hangUp(controller, "second", second);
    hangUp(controller, "first", first);
    script.awaitOutput(OLD + ": channels 2, bridges 1");
    assertThat(script.isRunning()).isTrue();
    hangUp(controller, "first", "leg-first");
    script.assertExit(0, OLD + " has no calls; the old proxy can be stopped");
    assertThat(script.output()).doesNotContain("unless a command created it");

    oldProxy.close();
    String fourth = call("fourth", NEW);
    hangUp(newController, "fourth", fourth);
    hangUp(newController, "third", third);
    hangUp(newController, "third", "leg-third");

    assertEverythingPublished(oldTap, OLD, List.of("first", "second"));
    assertEverythingPublished(newTap, NEW, List.of("third", "fourth"));
  }

  @Test
  void rollbackSendsNewCallsToOldApplication() {
    start("sid");
    run("switch", "--no-wait").assertExit(0, "not waiting for the calls of " + OLD);
    String second = call("second", NEW);

    MigrateScript script = run("rollback");
    script.awaitOutput(NEW + ": channels 1, bridges 0");
    String third = call("third", OLD);
    execute(newController, "second", "POST", "/channels/" + second + "/answer").assertStatus(204);
    assertThat(script.isRunning()).isTrue();
    hangUp(newController, "second", second);
    script.assertExit(0, NEW + " has no calls; the new proxy can be stopped");

    hangUp(controller, "third", third);
    assertEverythingPublished(oldTap, OLD, List.of("third"));
    assertEverythingPublished(newTap, NEW, List.of("second"));
  }

  @Test
  void namesCallsThatDoNotFollowTheVariable() {
    start("sid");
    call("first", OLD);

    MigrateScript script = run("switch", "--console", asterisk.consoleCommand());
    script.awaitOutput(OLD + ": channels 1");
    asterisk.originateLastingCall("ctx-late~" + OLD);
    script.awaitOutput("in extension ctx-late~%s of context default".formatted(OLD));
    asterisk.runCli("dialplan reload");
    script.assertExit(5, "STASIS_APP is 'ari-proxy-demo' instead of " + NEW);
    run("wait").assertExit(1, "STASIS_APP is 'ari-proxy-demo', neither");
  }

  @Test
  void changesNothingIfPrerequisiteIsMissing() {
    start("sid");
    options.set(3, "ari-proxy-demo");
    run("switch", "--console", asterisk.consoleCommand())
        .assertExit(1, "application ari-proxy-demo does not exist in Asterisk");
    asterisk.register("ari-proxy-demo");
    run("switch", "--console", asterisk.consoleCommand())
        .assertExit(1, "the dialplan does not use STASIS_APP: '1000' => 1. Stasis(ari-proxy-demo)");
    environment.put("ARI_PASSWORD", "wrong");
    run("switch").assertExit(3, "ARI rejects the login of user ari (401)");
    assertThat(asterisk.request("GET", "/asterisk/variable?variable=STASIS_APP")).contains(OLD);
  }

  private void start(String suite) {
    asterisk = fixture.startRealAsterisk(suite);
    asterisk.request("POST", "/asterisk/variable?variable=STASIS_APP&value=" + OLD);
    oldTap = fixture.register(WebSocketTap.open(asterisk.url()));
    newTap = fixture.register(WebSocketTap.open(asterisk.url()));
    int port = ManagementClient.freePort();
    fixture.settings().with(Setting.ARI_URL, oldTap.url());
    newSettings =
        ProxySettings.of(asterisk, NEW, fixture.kafka())
            .with(Setting.ARI_URL, newTap.url())
            .with(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC, fixture.settings().eventsTopic())
            .with(Setting.MANAGEMENT_PORT, Integer.toString(port));
    oldProxy = fixture.startProxy();
    controller = fixture.controller();
    fixture.register(EmbeddedProxy.start(newSettings));
    newController = fixture.register(new Controller(newSettings, fixture.kafka()));
    try (ManagementClient management = new ManagementClient(port)) {
      management.await("/health", 200);
    }
    asterisk.await(
        "/applications", applications -> applications.findValuesAsText("name").contains(NEW));
    options.addAll(List.of("--health", "http://127.0.0.1:" + port + "/health", "--interval", "1s"));
    environment.put("ARI_URL", asterisk.url());
    environment.put("ARI_USERNAME", RealAsterisk.USERNAME);
    environment.put("ARI_PASSWORD", RealAsterisk.PASSWORD);
  }

  private MigrateScript run(String command, String... more) {
    return fixture.register(
        MigrateScript.start(
            folder,
            environment,
            Stream.of(Stream.of(command), options.stream(), Stream.of(more))
                .flatMap(arguments -> arguments)
                .toArray(String[]::new)));
  }

  /** Starts a call from the dialplan, and returns the channel that enters the application. */
  private String call(String callContext, String app) {
    asterisk.originateLastingCall("var-" + callContext);
    EventEnvelope start = controller.event(callContext, "STASIS_START");
    assertThat(application(start)).isEqualTo(app);
    assertThat(start.commandsTopic())
        .isEqualTo((app.equals(OLD) ? fixture.settings() : newSettings).commandsTopic());
    return start.channelId();
  }

  private void originate(Controller sender, String callContext, String app) {
    String leg = "leg-" + callContext;
    execute(
            sender,
            callContext,
            "POST",
            "/channels?endpoint=Local/3002@default&app=%s&channelId=%s".formatted(app, leg))
        .assertStatus(200);
    EventEnvelope start =
        controller.event(callContext, "STASIS_START", event -> event.isOfChannel(leg));
    assertThat(application(start)).isEqualTo(app);
  }

  private void hangUp(Controller sender, String callContext, String channel) {
    execute(sender, callContext, "DELETE", "/channels/" + channel).assertStatus(204);
    controller.event(callContext, "STASIS_END", event -> event.isOfChannel(channel));
  }

  /** Both controllers number their commands, so an id alone is ambiguous. */
  private Response execute(Controller sender, String callContext, String method, String url) {
    String id = sender.send(callContext, method, url);
    return controller.awaitResponse(
        response -> id.equals(response.commandId()) && callContext.equals(response.callContext()));
  }

  /** What Asterisk has sent to an application is published once, and in the call of its channel. */
  private void assertEverythingPublished(WebSocketTap tap, String app, List<String> callContexts) {
    Awaitility.await("events of " + app)
        .untilAsserted(
            () ->
                assertThat(published(app).map(EventEnvelope::payloadText))
                    .containsExactlyInAnyOrderElementsOf(tap.messages()));
    assertThat(published(app).map(EventEnvelope::key).distinct().filter(key -> key != null))
        .containsExactlyInAnyOrderElementsOf(callContexts);
    assertThat(published(app)).noneMatch(EventEnvelope::isSynthetic);
  }

  private Stream<EventEnvelope> published(String app) {
    return Stream.concat(controller.events().stream(), controller.unmapped().stream())
        .filter(event -> app.equals(application(event)));
  }

  private static String application(EventEnvelope event) {
    JsonNode application = event.payload().path("application");
    return application.asText();
  }
}
