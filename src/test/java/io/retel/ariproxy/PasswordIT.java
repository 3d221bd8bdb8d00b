package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.RuntimeMBeanException;
import org.apache.camel.Route;
import org.apache.camel.api.management.ManagedCamelContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

/** Who looks for the password for ARI does not find it, whatever the proxy is doing. */
@ExtendWith(KafkaExtension.class)
class PasswordIT {

  private static final String APP = "secretive";
  private static final String USERNAME = "someone";
  private static final String PASSWORD = "p)4&ss{{w}}%+#\u00fc";

  @Test
  void itStandsInNoLogNoJmxAttributeNoRouteAndNoMessage(KafkaBroker kafka) throws Exception {
    Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    Logger camel = (Logger) LoggerFactory.getLogger("org.apache.camel");
    Level before = camel.getLevel();
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    List<String> seen = new ArrayList<>();
    try (SimulatedAsterisk asterisk =
        SimulatedAsterisk.builder().user(USERNAME, PASSWORD).start()) {
      root.addAppender(log);
      camel.addAppender(log);
      camel.setAdditive(false);
      camel.setLevel(Level.DEBUG);
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        seen.add(controller.ask("call", "GET", "/asterisk/ping").toString());
        seen.add(controller.ask("call", "GET", "/channels/{{ari.password}}").toString());
        seen.add(controller.ask("call", "GET", "/channels/%7B%7Bari.password%7D%7D").toString());
        asterisk.faults().refuseUpgrades(401);
        asterisk.cutConnections();
        asterisk.awaitDisconnected(APP, Duration.ofSeconds(10));
        seen.add(controller.ask("call", "GET", "/asterisk/ping").toString());

        seen.addAll(jmxAttributes());
        for (Route route : proxy.context().getRoutes()) {
          seen.add(route.getEndpoint().toString());
          seen.add(dump(proxy, route.getId()));
        }
        proxy.context().getEndpoints().forEach(endpoint -> seen.add(endpoint.getEndpointUri()));
        seen.add(proxy.context().getPropertiesComponent().loadProperties().toString());
      }
    } finally {
      camel.setLevel(before);
      camel.setAdditive(true);
      camel.detachAppender(log);
      root.detachAppender(log);
    }
    for (ILoggingEvent event : log.list) {
      seen.add(event.getFormattedMessage());
      if (event.getThrowableProxy() != null) {
        seen.add(ThrowableProxyUtil.asString(event.getThrowableProxy()));
      }
    }
    String encoded =
        Base64.getEncoder()
            .encodeToString((USERNAME + ":" + PASSWORD).getBytes(StandardCharsets.UTF_8));

    assertThat(seen).as("what was looked at").hasSizeGreaterThan(1_000);
    assertThat(seen).noneMatch(text -> text.contains(PASSWORD) || text.contains(encoded));
  }

  private static String dump(RunningProxy proxy, String routeId) throws Exception {
    return proxy
        .context()
        .getCamelContextExtension()
        .getContextPlugin(ManagedCamelContext.class)
        .getManagedRoute(routeId)
        .dumpRouteAsXml(true);
  }

  private static List<String> jmxAttributes() throws JMException {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    List<String> values = new ArrayList<>();
    Set<ObjectName> names = server.queryNames(new ObjectName("org.apache.camel:*"), null);
    Set<ObjectName> own = server.queryNames(new ObjectName("io.retel.ariproxy:*"), null);
    assertThat(own).isNotEmpty();
    names.addAll(own);
    for (ObjectName name : names) {
      for (MBeanAttributeInfo attribute : server.getMBeanInfo(name).getAttributes()) {
        try {
          Object value = server.getAttribute(name, attribute.getName());
          values.add(
              value instanceof Object[] array ? Arrays.deepToString(array) : String.valueOf(value));
        } catch (RuntimeMBeanException | JMException e) {
          values.add(e.toString());
        }
      }
    }
    return values;
  }
}
