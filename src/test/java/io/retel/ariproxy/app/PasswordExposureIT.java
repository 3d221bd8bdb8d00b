// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.SecureKafkaBroker;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.RuntimeMBeanException;
import org.apache.camel.Route;
import org.apache.camel.api.management.ManagedCamelContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Tests that logs, JMX, RESPONSEs and route dumps never contain the passwords of ARI and Kafka. */
class PasswordExposureIT {

  private static final String APP = "secretive";
  private static final String USERNAME = "someone";
  private static final String PASSWORD = "p)4&ss{{w}}%+#\u00fc";

  @Test
  @FullRun("logs megabytes at level DEBUG, which takes 13 s of CPU time")
  void passwordsAreNotExposed(@TempDir Path folder) throws Exception {
    CertificateAuthority ca = CertificateAuthority.create(folder);
    CertificateAuthority.IssuedCertificate client = ca.forClient("client");
    Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    List<Logger> debugLoggers =
        Stream.of(
                "org.apache.camel",
                "org.apache.kafka.clients.admin",
                "org.apache.kafka.clients.consumer",
                "org.apache.kafka.clients.producer",
                "org.apache.kafka.common.config",
                "org.apache.kafka.common.security")
            .map(name -> (Logger) LoggerFactory.getLogger(name))
            .toList();
    List<Level> previousLevels = debugLoggers.stream().map(Logger::getLevel).toList();
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    List<String> output = new ArrayList<>();
    try (SecureKafkaBroker secure =
            SecureKafkaBroker.launch(ca.forLocalhost(), ca.certificateFile());
        SimulatedAsterisk asterisk = SimulatedAsterisk.builder().user(USERNAME, PASSWORD).start()) {
      KafkaBroker kafka = secure.plaintextBroker();
      root.addAppender(log);
      for (Logger logger : debugLoggers) {
        logger.addAppender(log);
        logger.setAdditive(false);
        logger.setLevel(Level.DEBUG);
      }
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .withStepMBeans()
              .with(Setting.KAFKA_BROKERS, secure.address("SASL_SSL"))
              .with(Setting.KAFKA_SECURITY_PROTOCOL, "SASL_SSL")
              .with(Setting.KAFKA_USERNAME, SecureKafkaBroker.USERNAME)
              .with(Setting.KAFKA_PASSWORD, SecureKafkaBroker.PASSWORD)
              .with(Setting.KAFKA_CA_FILE, ca.certificateFile().toString())
              .with(Setting.KAFKA_CERTIFICATE_FILE, client.certificate().toString())
              .with(Setting.KAFKA_KEY_FILE, client.key().toString());
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        output.add(controller.execute("call", "GET", "/asterisk/ping").toString());
        output.add(controller.execute("call", "GET", "/channels/{{ari.password}}").toString());
        output.add(
            controller.execute("call", "GET", "/channels/%7B%7Bari.password%7D%7D").toString());
        output.add(
            controller.execute("call", "GET", "/channels/%7B%7Bkafka.password%7D%7D").toString());
        asterisk.faults().rejectUpgrades(401);
        asterisk.dropConnections();
        asterisk.awaitDisconnected(APP);
        output.add(controller.execute("call", "GET", "/asterisk/ping").toString());

        output.addAll(jmxAttributes());
        for (Route route : proxy.context().getRoutes()) {
          output.add(route.getEndpoint().toString());
          output.add(dumpRoute(proxy, route.getId()));
        }
        proxy.context().getEndpoints().forEach(endpoint -> output.add(endpoint.getEndpointUri()));
        output.add(proxy.context().getPropertiesComponent().loadProperties().toString());
      }
    } finally {
      for (int i = 0; i < debugLoggers.size(); i++) {
        debugLoggers.get(i).setLevel(previousLevels.get(i));
        debugLoggers.get(i).setAdditive(true);
        debugLoggers.get(i).detachAppender(log);
      }
      root.detachAppender(log);
    }
    for (ILoggingEvent event : log.list) {
      output.add(event.getFormattedMessage());
      if (event.getThrowableProxy() != null) {
        output.add(ThrowableProxyUtil.asString(event.getThrowableProxy()));
      }
    }
    String encoded =
        Base64.getEncoder()
            .encodeToString((USERNAME + ":" + PASSWORD).getBytes(StandardCharsets.UTF_8));
    String key = Files.readAllLines(client.key()).get(1);

    assertThat(output).as("captured output").hasSizeGreaterThan(1_000);
    assertThat(output)
        .as("the clients log their login configuration")
        .anyMatch(text -> text.contains("sasl.jaas.config = [hidden]"));
    for (String secret :
        List.of(
            PASSWORD,
            encoded,
            SecureKafkaBroker.PASSWORD,
            // as quoted in the configuration of Kafka's client
            SecureKafkaBroker.PASSWORD.replace("\\", "\\\\").replace("\"", "\\\""),
            key)) {
      assertThat(output).noneMatch(text -> text.contains(secret));
    }
  }

  private static String dumpRoute(EmbeddedProxy proxy, String routeId) throws Exception {
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
    Set<ObjectName> names = server.queryNames(null, null);
    names.removeIf(
        name ->
            !name.getDomain().equals("org.apache.camel")
                && !name.getDomain().equals("io.retel.ariproxy")
                && !name.getDomain().startsWith("kafka"));
    assertThat(names).anyMatch(name -> name.getDomain().equals("io.retel.ariproxy"));
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
