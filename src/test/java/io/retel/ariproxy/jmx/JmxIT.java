// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.jmx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ManagedBean;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.logging.PayloadLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.TabularData;
import org.apache.camel.Route;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.LoggerFactory;

/** Tests the attributes and operations available to an operator over JMX. */
class JmxIT {

  private static final String APP = "managed";

  /** a step with an id, such as {@code - process:} */
  private static final Pattern STEP_ID =
      Pattern.compile("- (?:process|to|choice|filter|split|setProperty|stop):\\s+id: (\\S+)");

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);
  @AutoClose private final CapturedLog log = new CapturedLog();
  private SimulatedAsterisk asterisk;
  private EmbeddedProxy proxy;
  private Controller controller;

  @BeforeEach
  void start() {
    asterisk = fixture.startSimulatedAsterisk();
    ProxySettings settings = fixture.settings();
    String generic = settings.commandsTopic() + "-generic";
    settings
        .withStepMBeans()
        .with(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, generic)
        .with(Setting.KAFKA_GENERIC_GROUP_ID, generic);
    proxy = fixture.startProxy();
    controller = fixture.controller();
  }

  @Test
  void countsFindsAndEvictsCallContexts() {
    ManagedBean callContexts = proxy.managedBean("CallContexts");
    SimulatedCall given = call(Map.of("CALL_CONTEXT", "given"));
    SimulatedCall generated = call(Map.of());
    String key = "CHANNEL:" + generated.id();

    assertThat(callContexts.getAttribute("Resources")).isEqualTo(2);
    assertThat(callContexts.getAttribute("CallContexts")).isEqualTo(2);
    CompositeData row = (CompositeData) callContexts.invoke("lookUp", key);
    String callContext = (String) row.get("callContext");
    assertThat(row.get("application")).isEqualTo(APP);
    assertThat(find(callContexts, "giv", 10).keySet().toString()).contains(given.id());
    assertThat(find(callContexts, generated.id(), 10).values()).singleElement().isEqualTo(row);
    assertThat(find(callContexts, "", 1).values()).hasSize(1);

    assertThat(callContexts.invoke("evict", key)).isEqualTo(callContext);
    assertThat(callContexts.invoke("evictCallContext", "given")).isEqualTo(1);

    assertThat(callContexts.getAttribute("Resources")).isEqualTo(0);
    assertThat(log.lines(Level.INFO))
        .filteredOn(line -> line.contains(" evicted by operator: "))
        .hasSize(2)
        .anySatisfy(line -> assertThat(line).contains(key).contains(callContext));
    generated.dtmf("1");
    EventEnvelope unmapped =
        controller.awaitUnmapped(event -> event.hasType("CHANNEL_DTMF_RECEIVED"));
    assertThat(unmapped.channelId()).isEqualTo(generated.id());
  }

  @Test
  void rejectsInvalidArguments() {
    ManagedBean callContexts = proxy.managedBean("CallContexts");
    assertThatThrownBy(() -> callContexts.invoke("find", "", 0))
        .hasMessage("limit must be from 1 to 1000, but is 0");
    assertThatThrownBy(() -> callContexts.invoke("lookUp", "1532965104.0"))
        .hasMessage(
            "1532965104.0 is not a resource: use type and id, such as CHANNEL:1532965104.0; types are"
                + " [CHANNEL, BRIDGE, PLAYBACK, RECORDING, SNOOPING]");
    assertThatThrownBy(() -> callContexts.invoke("evict", "PHONE:1")).hasMessageContaining("types");
    assertThatThrownBy(() -> callContexts.invoke("evict", "CHANNEL:nobody"))
        .hasMessage("CHANNEL:nobody has no mapping");
    assertThatThrownBy(() -> callContexts.invoke("evictCallContext", " "))
        .hasMessage("The call context is missing");
    assertThatThrownBy(() -> callContexts.invoke("evictCallContext", "nobody"))
        .hasMessage("Call context nobody has no mappings");
  }

  @Test
  void reconnectsWebsocketAndResyncs() {
    ManagedBean websocket = proxy.managedBean("Websocket");
    call(Map.of("CALL_CONTEXT", "active"));
    assertThat(websocket.getAttribute("Connected")).isEqualTo(true);
    assertThat(websocket.getAttribute("Address"))
        .isEqualTo("ws://localhost:" + asterisk.port() + "/ari/events");
    assertThat(websocket.getAttribute("LastError")).isEqualTo("");
    assertThat(websocket.getAttribute("Failures")).isEqualTo(0);
    assertThat(websocket.getAttribute("BufferedMessages")).isEqualTo(0);
    assertThat(websocket.getAttribute("BufferedBytes")).isEqualTo(0L);
    assertThat(websocket.getAttribute("BufferLimit")).isEqualTo(67_108_864L);

    websocket.invoke("reconnect");

    EventEnvelope restored = controller.event("active", "ARI_CONNECTION_RESTORED");
    assertThat(restored.payload().path("gap_start").asText()).startsWith("20");
    assertThat(websocket.getAttribute("Connected")).isEqualTo(true);
    assertThat(websocket.getAttribute("Reconnects")).isEqualTo(1L);
    assertThat(websocket.getAttribute("LastError")).isEqualTo("reconnect requested by an operator");
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(2);
  }

  @Test
  void logsOnlyPayloadsAtDebugLevel() {
    ManagedBean logging = proxy.managedBean("Logging");
    String payloads = PayloadLog.class.getName();
    try {
      call(Map.of("CALL_CONTEXT", "before"));
      assertThat(logging.invoke("level", payloads)).isEqualTo("INFO");

      logging.invoke("setLevel", payloads, "DEBUG");
      call(Map.of("CALL_CONTEXT", "while"));

      assertThat(logging.invoke("level", payloads)).isEqualTo("DEBUG");
      assertThat(log.lines(Level.INFO))
          .contains("Log level of " + payloads + " set to DEBUG (was INFO) by operator");
      assertThat(log.events())
          .filteredOn(line -> line.getLevel() == Level.DEBUG)
          .isNotEmpty()
          .allMatch(line -> line.getLoggerName().equals(payloads))
          .noneMatch(line -> line.getFormattedMessage().contains("before"))
          .anyMatch(
              line ->
                  line.getFormattedMessage().startsWith("to Kafka: {\"type\":\"STASIS_START\""));
      assertThatThrownBy(() -> logging.invoke("setLevel", "org.apache.hc", "DEBUG"))
          .hasMessageStartingWith("org.apache.hc stays at INFO or above");
    } finally {
      ((Logger) LoggerFactory.getLogger(payloads)).setLevel(null);
    }
  }

  @Test
  void exposesRoutesAndStepsByYamlId() throws IOException {
    awaitGenericRoute("Started");
    List<Path> files = new ArrayList<>(RoutesUnderTest.routeFiles());
    files.addAll(RoutesUnderTest.compiledRouteFiles());
    for (Path file : files) {
      String name = file.getFileName().toString().replace(".camel.yaml", "");
      Route route = proxy.context().getRoute(name);
      if (route != null) {
        ManagedBean bean = proxy.camelManagedBean("routes", name);
        assertThat(bean.getAttribute("Description")).isEqualTo(route.getDescription());
        List<String> steps =
            STEP_ID.matcher(Files.readString(file)).results().map(step -> step.group(1)).toList();
        assertThat(steps)
            .isNotEmpty()
            .allMatch(step -> proxy.camelManagedBean("processors", step).isRegistered());
      }
    }
  }

  @Test
  void manuallyStoppedRouteStaysStoppedUntilStarted() {
    ManagedBean route = proxy.camelManagedBean("routes", "generic-commands");
    awaitGenericRoute("Started");

    route.invoke("stop");
    asterisk.dropConnections();
    Awaitility.await("websocket reopened")
        .until(() -> asterisk.totalWebsocketCount() == 2 && asterisk.isConnected(APP));
    proxy.managedBean("Commands").invoke("pause");
    proxy.managedBean("Commands").invoke("resume");
    Awaitility.await("commands consumed")
        .until(
            () ->
                "RUNNING".equals(proxy.managedBean("Commands").getAttribute("State"))
                    && Arrays.equals(activeRoutes(), new String[] {"commands"}));
    assertThat(route.getAttribute("State")).isEqualTo("Stopped");

    route.invoke("start");
    awaitGenericRoute("Started");
    assertThat(activeRoutes()).containsExactly("commands", "generic-commands");
  }

  private String[] activeRoutes() {
    return (String[]) proxy.managedBean("Commands").getAttribute("ActiveRoutes");
  }

  private void awaitGenericRoute(String state) {
    Awaitility.await("generic-commands is " + state)
        .until(
            () -> proxy.camelManagedBean("routes", "generic-commands").getAttribute("State"),
            state::equals);
  }

  private SimulatedCall call(Map<String, String> variables) {
    SimulatedCall call = asterisk.call(APP, "100", variables);
    controller.awaitEvent(event -> event.hasType("STASIS_START") && event.isOfChannel(call.id()));
    return call;
  }

  private static TabularData find(ManagedBean callContexts, String prefix, int limit) {
    return (TabularData) callContexts.invoke("find", prefix, limit);
  }
}
