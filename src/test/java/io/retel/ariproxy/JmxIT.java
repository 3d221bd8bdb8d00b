package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagedBean;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import io.retel.ariproxy.logging.PayloadLog;
import io.retel.ariproxy.settings.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

/** What an operator sees and does over JMX. */
@ExtendWith(KafkaExtension.class)
class JmxIT {

  private static final String APP = "managed";

  /** Steps that stand in a file as {@code - process:} with an id, and the like. */
  private static final Pattern STEP =
      Pattern.compile("- (?:process|to|choice|filter|split|setProperty|stop):\\s+id: (\\S+)");

  @AutoClose private final Closer closer = new Closer();
  private final CapturedLog log = closer.register(new CapturedLog());
  private final SimulatedAsterisk asterisk = closer.register(SimulatedAsterisk.start());
  private RunningProxy proxy;
  private Controller controller;

  @BeforeEach
  void start(KafkaBroker kafka) {
    ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
    String generic = settings.commandsTopic() + "-generic";
    settings
        .with(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, generic)
        .with(Setting.KAFKA_GENERIC_GROUP, generic);
    proxy = closer.register(RunningProxy.start(settings));
    controller = closer.register(new Controller(settings, kafka));
    asterisk.awaitConnected(APP);
  }

  @Test
  void callContextsAreCountedFoundLookedUpAndEvicted() {
    ManagedBean callContexts = proxy.jmx("CallContexts");
    SimulatedCall given = call(Map.of("CALL_CONTEXT", "given"));
    SimulatedCall generated = call(Map.of());
    String key = "CHANNEL:" + generated.id();

    assertThat(callContexts.get("Resources")).isEqualTo(2);
    assertThat(callContexts.get("CallContexts")).isEqualTo(2);
    CompositeData row = (CompositeData) callContexts.call("lookUp", key);
    String callContext = (String) row.get("callContext");
    assertThat(row.get("application")).isEqualTo(APP);
    assertThat(find(callContexts, "giv", 10).keySet().toString()).contains(given.id());
    assertThat(find(callContexts, generated.id(), 10).values()).singleElement().isEqualTo(row);
    assertThat(find(callContexts, "", 1).values()).hasSize(1);

    assertThat(callContexts.call("evict", key)).isEqualTo(callContext);
    assertThat(callContexts.call("evictCallContext", "given")).isEqualTo(1);

    assertThat(callContexts.get("Resources")).isEqualTo(0);
    assertThat(log.lines(Level.INFO))
        .filteredOn(line -> line.startsWith("Evicted by an operator"))
        .hasSize(2)
        .anySatisfy(line -> assertThat(line).contains(key).contains(callContext));
    generated.dtmf("1");
    TopicRecord unmapped =
        controller.awaitUnmapped(
            event -> "CHANNEL_DTMF_RECEIVED".equals(event.json().path("type").asText()));
    assertThat(unmapped.text()).contains(generated.id());
  }

  @Test
  void argumentsThatAreWrongAreToldWhatIsWrong() {
    ManagedBean callContexts = proxy.jmx("CallContexts");
    assertThatThrownBy(() -> callContexts.call("find", "", 0))
        .hasMessage("atMost must be from 1 to 1000 and is 0");
    assertThatThrownBy(() -> callContexts.call("lookUp", "1532965104.0"))
        .hasMessage(
            "1532965104.0 is no resource: write its type and id, such as CHANNEL:1532965104.0; types are"
                + " [CHANNEL, BRIDGE, PLAYBACK, RECORDING, SNOOPING]");
    assertThatThrownBy(() -> callContexts.call("evict", "PHONE:1")).hasMessageContaining("types");
    assertThatThrownBy(() -> callContexts.call("evict", "CHANNEL:nobody"))
        .hasMessage("Nothing is remembered of CHANNEL:nobody");
    assertThatThrownBy(() -> callContexts.call("evictCallContext", " "))
        .hasMessage("The call context is missing");
    assertThatThrownBy(() -> callContexts.call("evictCallContext", "nobody"))
        .hasMessage("No resource of call context nobody is remembered");
  }

  @Test
  void theWebsocketIsSeenAndOpenedAnewWhichIsAGapThatIsMadeUpFor() {
    ManagedBean websocket = proxy.jmx("Websocket");
    call(Map.of("CALL_CONTEXT", "lives on"));
    assertThat(websocket.get("Connected")).isEqualTo(true);
    assertThat(websocket.get("Address"))
        .isEqualTo("ws://localhost:" + asterisk.port() + "/ari/events");
    assertThat(websocket.get("LastError")).isEqualTo("");
    assertThat(websocket.get("Failures")).isEqualTo(0);
    assertThat(websocket.get("BufferedMessages")).isEqualTo(0);
    assertThat(websocket.get("BufferedBytes")).isEqualTo(0L);
    assertThat(websocket.get("BufferLimit")).isEqualTo(67_108_864L);

    websocket.call("reconnect");

    TopicRecord restored = controller.event("lives on", "ARI_CONNECTION_RESTORED", payload -> true);
    assertThat(restored.json().at("/payload/gap_start").asText()).startsWith("20");
    assertThat(websocket.get("Connected")).isEqualTo(true);
    assertThat(websocket.get("Reconnects")).isEqualTo(1L);
    assertThat(websocket.get("LastError")).isEqualTo("an operator asks for a new one");
    assertThat(asterisk.websocketsTotal()).isEqualTo(2);
  }

  @Test
  void payloadsAloneAreLoggedFromWhenTheirLoggerIsLowered() {
    ManagedBean logging = proxy.jmx("Logging");
    String payloads = PayloadLog.class.getName();
    try {
      call(Map.of("CALL_CONTEXT", "before"));
      assertThat(logging.call("level", payloads)).isEqualTo("INFO");

      logging.call("setLevel", payloads, "DEBUG");
      call(Map.of("CALL_CONTEXT", "while"));

      assertThat(logging.call("level", payloads)).isEqualTo("DEBUG");
      assertThat(log.lines(Level.INFO))
          .contains(
              "Set by an operator: " + payloads + " writes from DEBUG on, before from INFO on");
      assertThat(log.events())
          .filteredOn(line -> line.getLevel() == Level.DEBUG)
          .isNotEmpty()
          .allMatch(line -> line.getLoggerName().equals(payloads))
          .noneMatch(line -> line.getFormattedMessage().contains("before"))
          .anyMatch(
              line ->
                  line.getFormattedMessage().startsWith("to Kafka: {\"type\":\"STASIS_START\""));
      assertThatThrownBy(() -> logging.call("setLevel", "org.apache.hc", "DEBUG"))
          .hasMessageStartingWith("org.apache.hc stays at INFO or above");
    } finally {
      ((Logger) LoggerFactory.getLogger(payloads)).setLevel(null);
    }
  }

  @Test
  void routesAndTheirStepsAreFoundUnderTheNamesThatTheFilesGiveThem() throws IOException {
    awaitGeneric("Started");
    for (Path file : RoutesUnderTest.paths()) {
      String name = file.getFileName().toString().replace(".camel.yaml", "");
      Route route = proxy.context().getRoute(name);
      if (route != null) {
        ManagedBean bean = proxy.camelJmx("routes", name);
        assertThat(bean.get("Description")).isEqualTo(route.getDescription());
        List<String> steps =
            STEP.matcher(Files.readString(file)).results().map(step -> step.group(1)).toList();
        assertThat(steps)
            .isNotEmpty()
            .allMatch(step -> proxy.camelJmx("processors", step).isThere());
      }
    }
  }

  @Test
  void aRouteOfGenericCommandsThatAnOperatorStopsStaysStoppedUntilItIsStarted() {
    ManagedBean route = proxy.camelJmx("routes", "generic-commands");
    awaitGeneric("Started");

    route.call("stop");
    asterisk.cutConnections();
    Awaitility.await("the websocket is open again")
        .until(() -> asterisk.websocketsTotal() == 2 && asterisk.isConnected(APP));
    proxy.jmx("Commands").call("pause");
    proxy.jmx("Commands").call("resume");
    Awaitility.await("commands are taken again")
        .until(
            () ->
                "RUNNING".equals(proxy.jmx("Commands").get("State"))
                    && Arrays.equals(readBy(), new String[] {"commands"}));
    assertThat(route.get("State")).isEqualTo("Stopped");

    route.call("start");
    awaitGeneric("Started");
    assertThat(readBy()).containsExactly("commands", "generic-commands");
  }

  private String[] readBy() {
    return (String[]) proxy.jmx("Commands").get("ReadBy");
  }

  private void awaitGeneric(String state) {
    Awaitility.await("generic-commands is " + state)
        .until(() -> proxy.camelJmx("routes", "generic-commands").get("State"), state::equals);
  }

  private SimulatedCall call(Map<String, String> variables) {
    SimulatedCall call = asterisk.call(APP, "100", variables);
    controller.await(
        event ->
            "STASIS_START".equals(event.json().path("type").asText())
                && event.text().contains(call.id()));
    return call;
  }

  private static TabularData find(ManagedBean callContexts, String beginning, int atMost) {
    return (TabularData) callContexts.call("find", beginning, atMost);
  }
}
