// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.nio.file.Path;
import java.util.Map;
import org.apache.camel.Route;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Files replace compiled routes and route configurations of the same id, and restore them. */
@ExtendWith(KafkaExtension.class)
class CompiledRouteReplacementIT {

  private static final String APP = "edited";
  private static final String REJECTED_STEP = "                ref: respondRejected\n";

  @AutoClose private final Closer closer = new Closer();
  private final CapturedLog log = closer.register(new CapturedLog());
  private final SimulatedAsterisk asterisk = closer.register(SimulatedAsterisk.start());
  private RoutesDirectory routes;
  private ProxySettings settings;
  private EmbeddedProxy proxy;
  private Controller controller;
  private int callCount;

  @BeforeEach
  void copyRoutes(KafkaBroker kafka, @TempDir Path folder) {
    routes = RoutesDirectory.copyTo(folder);
    settings =
        ProxySettings.of(asterisk, APP, kafka).with(Setting.ROUTES_DIRECTORY, folder.toString());
  }

  @Test
  void fileReplacesRouteUntilDeleted(KafkaBroker kafka) {
    start(kafka);
    assertCompiled("resync");

    routes.write("resync.camel.yaml", edited("resync", "Compares mappings", "Edited, compares"));
    awaitLogLine(Level.INFO, "resync.camel.yaml loaded; it replaces compiled [resync]");
    assertThat(route("resync").getDescription()).startsWith("Edited, compares");
    assertResyncs();

    routes.delete("resync.camel.yaml");
    awaitLogLine(Level.INFO, "resync.camel.yaml deleted: compiled [resync] restored");
    assertCompiled("resync");
    assertResyncs();
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  @Test
  void fileReplacesRouteConfigurationUntilDeleted(KafkaBroker kafka) {
    start(kafka);
    assertThat(headerOfRejection()).isNull();

    routes.write("my-errors.camel.yaml", editedCommandErrors("fra"));
    awaitLogLine(Level.INFO, "my-errors.camel.yaml loaded; it replaces compiled [command-errors]");
    assertThat(headerOfRejection()).isEqualTo("fra");

    routes.write("my-errors.camel.yaml", editedCommandErrors("muc"));
    Awaitility.await("second edit").until(() -> "muc".equals(headerOfRejection()));

    routes.delete("my-errors.camel.yaml");
    awaitLogLine(Level.INFO, "my-errors.camel.yaml deleted: compiled [command-errors] restored");
    assertThat(headerOfRejection()).isNull();
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  @Test
  void filesReplaceBothAtStartup(KafkaBroker kafka) {
    routes.write("resync.camel.yaml", edited("resync", "Compares mappings", "Edited, compares"));
    routes.write("command-errors.camel.yaml", editedCommandErrors("fra"));
    start(kafka);
    awaitLogLine(Level.INFO, "resync.camel.yaml loaded; it replaces compiled [resync]");
    awaitLogLine(
        Level.INFO, "command-errors.camel.yaml loaded; it replaces compiled [command-errors]");
    assertThat(route("resync").getDescription()).startsWith("Edited, compares");
    assertThat(headerOfRejection()).isEqualTo("fra");

    routes.delete("resync.camel.yaml");
    routes.delete("command-errors.camel.yaml");
    awaitLogLine(Level.INFO, "deleted: compiled [resync] restored");
    awaitLogLine(Level.INFO, "deleted: compiled [command-errors] restored");
    assertCompiled("resync");
    assertThat(headerOfRejection()).isNull();
    assertResyncs();
  }

  @Test
  void invalidFilesRollBackToCompiled(KafkaBroker kafka) {
    start(kafka);
    routes.write(
        "command-errors.camel.yaml", edited("command-errors", "respondRejected", "nobody"));
    awaitLogLine(Level.ERROR, "command-errors.camel.yaml failed to load: ");
    awaitLogLine(Level.WARN, "execute-command.camel.yaml rolled back to its previous version");
    assertThat(headerOfRejection()).isNull();

    routes.write("resync.camel.yaml", edited("resync", "startResync", "nobody"));
    awaitLogLine(Level.ERROR, "resync.camel.yaml failed to load: ");
    awaitLogLine(Level.WARN, "Rolled back to compiled [resync]");
    assertCompiled("resync");
    assertResyncs();

    routes.write("command-errors.camel.yaml", editedCommandErrors("fra"));
    awaitLogLine(Level.INFO, "it replaces compiled [command-errors]");
    assertThat(headerOfRejection()).isEqualTo("fra");
    routes.write(
        "command-errors.camel.yaml", edited("command-errors", "respondRejected", "nobody"));
    Awaitility.await("third failure").until(() -> log.lines(Level.ERROR).size() == 3);
    Awaitility.await("previous version").until(() -> "fra".equals(headerOfRejection()));
  }

  @Test
  void rejectsSecondFileWithConfigurationId(KafkaBroker kafka) {
    start(kafka);
    routes.write("a.camel.yaml", editedCommandErrors("fra"));
    awaitLogLine(Level.INFO, "a.camel.yaml loaded");
    routes.write("b.camel.yaml", editedCommandErrors("muc"));
    awaitLogLine(
        Level.ERROR,
        "b.camel.yaml rejected: route configuration id command-errors belongs to a.camel.yaml");
    assertThat(headerOfRejection()).isEqualTo("fra");
  }

  private void start(KafkaBroker kafka) {
    proxy = closer.register(EmbeddedProxy.start(settings));
    controller = closer.register(new Controller(settings, kafka));
    asterisk.awaitConnected(APP);
  }

  /** Returns the compiled route or configuration as YAML, with an edit. */
  private static String edited(String id, String original, String replacement) {
    String yaml = RoutesDirectory.compiled(id);
    assertThat(yaml).contains(original);
    return yaml.replace(original, replacement);
  }

  /** Returns {@code command-errors} with a header for RESPONSEs to rejected commands. */
  private static String editedCommandErrors(String site) {
    String indent = " ".repeat(16);
    return edited(
        "command-errors",
        REJECTED_STEP,
        REJECTED_STEP
            + indent.substring(4)
            + "- setHeader:\n"
            + indent
            + "id: add-site\n"
            + indent
            + "name: site\n"
            + indent
            + "constant:\n"
            + indent
            + "  expression: "
            + site
            + "\n");
  }

  private Route route(String id) {
    return proxy.context().getRoute(id);
  }

  private void assertCompiled(String routeId) {
    assertThat(route(routeId).getSourceResource()).isNull();
    assertThat(proxy.context().getRouteController().getRouteStatus(routeId).isStarted()).isTrue();
  }

  /** Sends a rejected command and returns a header of its RESPONSE. */
  private String headerOfRejection() {
    callCount++;
    return controller
        .response(controller.send("call-" + callCount, "GET", "/../secret"))
        .header("site");
  }

  /** A call that survives a gap is reported after the reconnect. */
  private void assertResyncs() {
    callCount++;
    String callContext = "call-" + callCount;
    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", callContext));
    controller.event(callContext, "STASIS_START");
    asterisk.dropConnections();
    controller.event(callContext, "ARI_CONNECTION_RESTORED");
  }

  private void awaitLogLine(Level level, String text) {
    Awaitility.await(text)
        .until(() -> log.lines(level).stream().anyMatch(line -> line.contains(text)));
  }
}
