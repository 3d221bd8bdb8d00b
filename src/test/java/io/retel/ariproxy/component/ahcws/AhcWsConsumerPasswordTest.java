// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.RuntimeMBeanException;
import org.apache.camel.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The password is sent to the server in a header and appears in no log, URI or MBean. */
class AhcWsConsumerPasswordTest extends AhcWsTestSupport {

  private static final String USER = "somebody";

  @Override
  boolean isJmxEnabled() {
    return true;
  }

  @ParameterizedTest
  @ValueSource(strings = {"not-to-be-seen", ")(&{{x}}%+ü"})
  void sendsPasswordToServerOnly(String password) throws Exception {
    AhcWsComponent component = context.getComponent("ahc-ws", AhcWsComponent.class);
    component.setAuthorization(basicAuth(USER, password));
    Fault refusal = asterisk.faults().rejectUpgrades(401);
    List<String> visibleTexts = new ArrayList<>();
    try (CapturedLog log = CapturedLog.atDebug()) {
      context.addRoutes(
          route(
              "refusedMaximumDelay=100",
              exchange -> received.add(exchange.getMessage().getBody())));
      context.start();
      refusal.awaitHits(2);
      for (Endpoint endpoint : context.getEndpoints()) {
        visibleTexts.add(endpoint.getEndpointUri());
        visibleTexts.add(endpoint.getEndpointKey());
        visibleTexts.add(endpoint.toString());
      }
      visibleTexts.add(
          health().getMessage().orElse("") + health().getDetails() + health().getError());
      visibleTexts.addAll(mbeanValues());
      // neither a lost connection nor a failing route exposes it
      context.getRouteController().stopRoute(ROUTE);
      context.stop();
      for (ILoggingEvent event : log.events()) {
        visibleTexts.add(event.getFormattedMessage());
        visibleTexts.add(ThrowableProxyUtil.asString(event.getThrowableProxy()));
      }
    }
    assertThat(visibleTexts).hasSizeGreaterThan(100);
    for (String form : encodedForms(password)) {
      assertThat(visibleTexts).noneMatch(text -> text != null && text.contains(form));
    }
    assertThat(asterisk.requests())
        .isNotEmpty()
        .allMatch(request -> basicAuth(password).equals(request.header("Authorization")))
        .noneMatch(request -> request.uri().contains(password));
  }

  @Test
  void asksForLoginBeforeEachAttempt() throws Exception {
    List<URI> asked = new CopyOnWriteArrayList<>();
    AhcWsComponent component = context.getComponent("ahc-ws", AhcWsComponent.class);
    component.setAuthorization(
        uri -> {
          asked.add(uri);
          return asked.size() == 1 ? Optional.of("Basic first") : Optional.empty();
        });
    asterisk.faults().rejectUpgrades(401);
    context.addRoutes(route("refusedMaximumDelay=100", exchange -> {}));
    context.start();
    await().until(() -> asterisk.requests().size() >= 2);
    assertThat(asked)
        .allMatch(uri -> uri.getHost().equals("localhost") && uri.getPort() == asterisk.port());
    assertThat(asterisk.requests().get(0).header("Authorization")).isEqualTo("Basic first");
    assertThat(asterisk.requests().get(1).header("Authorization")).isNull();
  }

  private static List<String> encodedForms(String password) {
    return List.of(
        password,
        URLEncoder.encode(password, StandardCharsets.UTF_8),
        password.replace("&", "&amp;"),
        basicAuth(password).substring("Basic ".length()));
  }

  private static String basicAuth(String password) {
    return "Basic "
        + Base64.getEncoder()
            .encodeToString((USER + ":" + password).getBytes(StandardCharsets.UTF_8));
  }

  /** All attributes of the context's MBeans, and its routes as XML. */
  private List<String> mbeanValues() throws JMException {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    List<String> values = new ArrayList<>();
    for (ObjectName name :
        server.queryNames(
            new ObjectName("org.apache.camel:context=" + context.getManagementName() + ",*"),
            null)) {
      values.add(name.toString());
      for (MBeanAttributeInfo attribute : server.getMBeanInfo(name).getAttributes()) {
        try {
          values.add(String.valueOf(server.getAttribute(name, attribute.getName())));
        } catch (RuntimeMBeanException | JMException e) {
          values.add(e.toString() + e.getCause());
        }
      }
      if ("context".equals(name.getKeyProperty("type"))) {
        values.add(
            (String)
                server.invoke(
                    name,
                    "dumpRoutesAsXml",
                    new Object[] {true},
                    new String[] {boolean.class.getName()}));
      }
    }
    assertThat(values).anyMatch(value -> value.contains("<route"));
    return values;
  }
}
