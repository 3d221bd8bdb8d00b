// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Tests calls started by commands on either of two real Asterisk servers, versions 22 and 16, each
 * with its proxy.
 */
@ExtendWith(KafkaExtension.class)
class TwoRealAsterisksIT {

  private static final String APP = "ari-proxy-two";

  @Test
  @FullRun("GenericCommandsIT does so with simulated ones")
  void spreadsCallsAndFailsOver(KafkaBroker kafka) {
    try (RealAsterisk first = RealAsterisk.start("sid");
        RealAsterisk second = RealAsterisk.start("bullseye");
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
      String topic = "generic-" + UUID.randomUUID();
      kafka.createTopic(topic, 8);
      ProxySettings firstSettings = settings(first, kafka, topic);
      ProxySettings secondSettings =
          settings(second, kafka, topic)
              .with(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC, firstSettings.eventsTopic());
      try (EmbeddedProxy firstProxy = EmbeddedProxy.start(firstSettings);
          EmbeddedProxy secondProxy = EmbeddedProxy.start(secondSettings);
          Controller controller = new Controller(firstSettings, kafka)) {
        Calls calls = new Calls(writer, controller, topic);
        calls.awaitHandledBy(firstSettings);
        calls.awaitHandledBy(secondSettings);

        first.kill();
        List<String> startedCalls = calls.start(20);
        // a command in flight when Asterisk dies has an unknown outcome; all others succeed
        startedCalls.removeIf(call -> calls.status(call) == 504);
        Awaitility.await("proxy without an Asterisk stops consuming")
            .until(
                () ->
                    firstProxy
                        .context()
                        .getRouteController()
                        .getRouteStatus("generic-commands")
                        .isStopped());
        startedCalls.addAll(calls.start(20));
        for (String call : startedCalls) {
          assertThat(calls.completeCall(call).commandsTopic())
              .isEqualTo(secondSettings.commandsTopic());
        }

        first.start();
        calls.awaitHandledBy(firstSettings);
        assertThat(controller.unmapped())
            .noneMatch(event -> event.record().text().contains("StasisStart"));
      }
    }
  }

  private static ProxySettings settings(RealAsterisk asterisk, KafkaBroker kafka, String topic) {
    return ProxySettings.of(asterisk, APP, kafka)
        .with(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, topic)
        .with(Setting.KAFKA_GENERIC_GROUP_ID, topic);
  }

  /** Starts calls with commands on the generic topic. */
  private record Calls(TopicWriter writer, Controller controller, String topic) {

    List<String> start(int count) {
      List<String> calls = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        String callContext = "call-" + UUID.randomUUID();
        calls.add(callContext);
        writer.send(
            topic,
            callContext,
            command(
                callContext,
                callContext,
                "POST",
                "/channels?endpoint=Local/3000@default&app=" + APP));
      }
      return calls;
    }

    int status(String callContext) {
      return controller.response(callContext).status();
    }

    /** Checks the call's events, hangs it up and returns its RESPONSE. */
    Response completeCall(String callContext) {
      Response response = controller.response(callContext).assertStatus(200);
      String channel = controller.event(callContext, "STASIS_START").channelId();
      assertThat(response.resources().get(0).id()).isEqualTo(channel);
      String commandsTopic = response.commandsTopic();
      writer.send(
          commandsTopic,
          callContext,
          command(callContext, "end-of-" + callContext, "DELETE", "/channels/" + channel));
      controller.response("end-of-" + callContext).assertStatus(204);
      controller.event(callContext, "STASIS_END");
      return response;
    }

    void awaitHandledBy(ProxySettings proxy) {
      Awaitility.await(proxy.commandsTopic() + " responds")
          .until(
              () ->
                  start(8).stream().map(this::completeCall).toList().stream()
                      .anyMatch(
                          response -> proxy.commandsTopic().equals(response.commandsTopic())));
    }

    private static String command(String callContext, String commandId, String method, String url) {
      return "{\"callContext\":\"%s\",\"commandId\":\"%s\",\"ariCommand\":{\"method\":\"%s\",\"url\":\"%s\"}}"
          .formatted(callContext, commandId, method, url);
    }
  }
}
