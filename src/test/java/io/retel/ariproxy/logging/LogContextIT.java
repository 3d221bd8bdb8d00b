// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Each log line has the identity of its own exchange in the MDC, on any thread. */
class LogContextIT {

  private static final String APP = "whose";

  /** Identity of a command in a log line. */
  private static final Pattern COMMAND = Pattern.compile("\\(command \"([^\"]+)\" of ([^,]+), ");

  @RegisterExtension private static final ProxyExtension fixture = new ProxyExtension(APP);
  private static SimulatedAsterisk asterisk;
  private static Controller controller;
  @AutoClose private final CapturedLog log = new CapturedLog();

  @BeforeAll
  static void start() {
    asterisk = fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.COMMANDS_ALLOWED, "GET /**, POST /channels/{channelId}/answer");
    fixture.startProxy();
    controller = fixture.controller();
  }

  @Test
  void tagsRejectedCommand() {
    String id = controller.send("call", "DELETE", "/channels/42.1");
    controller.response(id);

    assertThat(lines("403 for DELETE"))
        .singleElement()
        .extracting(ILoggingEvent::getMDCPropertyMap)
        .isEqualTo(Map.of("callContext", "call", "commandId", id, "resource", "CHANNEL:42.1"));
  }

  @Test
  void hidesQueriesAndEndpointAddresses() {
    String known =
        controller.send("call", "PUT", "/endpoints/PJSIP/4711/sendMessage?from=4711&body=4711");
    String unknown = controller.send("call", "POST", "/endpoints/PJSIP/4711/unknown?to=4711");
    controller.response(known);
    controller.response(unknown);

    assertThat(lines("403 for"))
        .hasSize(2)
        .noneMatch(line -> line.getFormattedMessage().contains("4711"))
        .noneMatch(line -> line.getMDCPropertyMap().toString().contains("4711"))
        .anyMatch(line -> line.getFormattedMessage().contains("/endpoints/PJSIP/***/sendMessage"));
  }

  @Test
  void tagsConcurrentCallsSeparately() {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      // rejections run on the lane's thread, responses on Kafka's
      ids.add(
          controller.send(
              "call-" + i % 60, i % 3 == 0 ? "GET" : "DELETE", "/channels/" + i % 60 + ".1"));
    }
    ids.forEach(controller::response);

    assertThat(lines("403 for")).hasSize(400).allSatisfy(LogContextIT::assertTaggedWithCommand);
  }

  @Test
  void tagsRetriedCommandOnAnotherThread() {
    asterisk.killWhileIdle();
    try {
      List<String> ids = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        ids.add(controller.send("call-" + i, "GET", "/channels/" + i + ".1"));
      }
      ids.forEach(controller::response);
    } finally {
      asterisk.restart();
      asterisk.awaitConnected(APP);
    }

    assertThat(lines("503 for")).hasSize(20).allSatisfy(LogContextIT::assertTaggedWithCommand);
    assertThat(lines("Lost connection to ")).isNotEmpty().allSatisfy(LogContextIT::assertUntagged);
  }

  @Test
  void tagsUnpublishedEventOnKafkaThread() throws IOException {
    String channel = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "large-call")).id();
    String start = controller.event("large-call", "STASIS_START").payloadText();
    assertThat(new ObjectMapper().readTree(start).at("/channel/id").asText()).isEqualTo(channel);
    String large =
        start.substring(0, start.length() - 1) + ",\"more\":\"" + "x".repeat(2_000_000) + "\"}";

    asterisk.emit(APP, large);

    Awaitility.await().until(() -> !lines("Event not published").isEmpty());
    assertThat(lines("Event not published"))
        .singleElement()
        .satisfies(
            line -> {
              assertThat(line.getMDCPropertyMap())
                  .isEqualTo(Map.of("callContext", "large-call", "resource", "CHANNEL:" + channel));
              assertThat(line.getThreadName()).doesNotContain("ahc-ws");
            });
  }

  @Test
  void logsMaskedPayloadsAtDebug() {
    log.close();
    try (CapturedLog debug = CapturedLog.atDebug()) {
      asterisk.call(APP, "4711", Map.of("CALL_CONTEXT", "shown"));
      controller.event("shown", "STASIS_START");
      String id = controller.send("shown", "GET", "/channels/c/variable?variable=x&value=4711");
      controller.response(id);

      List<ILoggingEvent> lines =
          debug.events().stream()
              .filter(line -> line.getLoggerName().equals(PayloadLog.class.getName()))
              .filter(line -> "shown".equals(line.getMDCPropertyMap().get("callContext")))
              .toList();
      assertThat(lines)
          .extracting(ILoggingEvent::getFormattedMessage)
          .anyMatch(line -> line.startsWith("to Kafka: {\"type\":\"STASIS_START\""))
          .anyMatch(line -> line.startsWith("from Kafka: {\"callContext\":\"shown\""))
          .anyMatch(line -> line.startsWith("to Kafka: {\"type\":\"RESPONSE\""))
          .noneMatch(line -> line.contains("4711"));
      assertThat(lines).allMatch(line -> line.getLevel() == Level.DEBUG);
    }
  }

  private List<ILoggingEvent> lines(String text) {
    return log.events().stream().filter(line -> line.getFormattedMessage().contains(text)).toList();
  }

  private static void assertTaggedWithCommand(ILoggingEvent line) {
    Matcher matcher = COMMAND.matcher(line.getFormattedMessage());
    assertThat(matcher.find()).as(line.getFormattedMessage()).isTrue();
    String call = matcher.group(2);
    assertThat(line.getMDCPropertyMap())
        .isEqualTo(
            Map.of(
                "commandId",
                matcher.group(1),
                "callContext",
                call,
                "resource",
                "CHANNEL:" + call.replace("call-", "") + ".1"));
  }

  private static void assertUntagged(ILoggingEvent line) {
    assertThat(line.getMDCPropertyMap()).isEmpty();
  }
}
