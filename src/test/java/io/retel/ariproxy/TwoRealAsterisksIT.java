package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import io.retel.ariproxy.settings.Setting;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Calls that any of two real Asterisks may begin: an Asterisk 22 and a 16, each with its proxy. */
@ExtendWith(KafkaExtension.class)
class TwoRealAsterisksIT {

  private static final String APP = "ari-proxy-two";

  @Test
  void callsSpreadOverBothAndOverTheOtherWhileOneIsDown(KafkaBroker kafka) {
    try (RealAsterisk first = RealAsterisk.start("sid");
        RealAsterisk second = RealAsterisk.start("bullseye");
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
      String topic = "generic-" + UUID.randomUUID();
      kafka.createTopic(topic, 8);
      ProxySettings one = settings(first, kafka, topic);
      ProxySettings two =
          settings(second, kafka, topic)
              .with(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC, one.eventsTopic());
      try (RunningProxy proxyOne = RunningProxy.start(one);
          RunningProxy proxyTwo = RunningProxy.start(two);
          Controller controller = new Controller(one, kafka)) {
        Calls calls = new Calls(writer, controller, topic);
        calls.awaitAnsweredBy(one);
        calls.awaitAnsweredBy(two);

        first.kill();
        List<String> begun = calls.begin(20);
        // what was on its way to an Asterisk that dies has an unknown outcome, and no other one
        begun.removeIf(call -> calls.status(call) == 504);
        Awaitility.await("the one without an Asterisk takes part no more")
            .until(
                () ->
                    proxyOne
                        .context()
                        .getRouteController()
                        .getRouteStatus("generic-commands")
                        .isStopped());
        begun.addAll(calls.begin(20));
        for (String call : begun) {
          assertThat(calls.begun(call).json().path("commandsTopic").asText())
              .isEqualTo(two.commandsTopic());
        }

        first.startAgain();
        calls.awaitAnsweredBy(one);
        assertThat(controller.unmapped())
            .noneMatch(
                record ->
                    new String(record.value(), StandardCharsets.UTF_8).contains("StasisStart"));
      }
    }
  }

  private static ProxySettings settings(RealAsterisk asterisk, KafkaBroker kafka, String topic) {
    return ProxySettings.of(asterisk, APP, kafka)
        .with(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, topic)
        .with(Setting.KAFKA_GENERIC_GROUP, topic);
  }

  /** Begins calls with commands on the generic topic. */
  private record Calls(TopicWriter writer, Controller controller, String topic) {

    List<String> begin(int count) {
      List<String> calls = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        String call = "call-" + UUID.randomUUID();
        calls.add(call);
        writer.send(
            topic,
            call,
            command(call, call, "POST", "/channels?endpoint=Local/3000@default&app=" + APP));
      }
      return calls;
    }

    int status(String call) {
      return controller.response(call).json().at("/payload/status_code").asInt();
    }

    /** Its RESPONSE, when its events come under its call context and it could be ended there. */
    TopicRecord begun(String call) {
      TopicRecord response = controller.response(call);
      assertThat(response.json().at("/payload/status_code").asInt())
          .as(response.text())
          .isEqualTo(200);
      String channel =
          controller
              .event(call, "STASIS_START", any -> true)
              .json()
              .at("/payload/channel/id")
              .asText();
      assertThat(response.json().at("/resources/0/id").asText()).isEqualTo(channel);
      String commandsTopic = response.json().path("commandsTopic").asText();
      writer.send(
          commandsTopic, call, command(call, "end-of-" + call, "DELETE", "/channels/" + channel));
      assertThat(controller.response("end-of-" + call).json().at("/payload/status_code").asInt())
          .isEqualTo(204);
      controller.event(call, "STASIS_END", any -> true);
      return response;
    }

    void awaitAnsweredBy(ProxySettings proxy) {
      Awaitility.await(proxy.commandsTopic() + " answers")
          .until(
              () ->
                  begin(8).stream().map(this::begun).toList().stream()
                      .anyMatch(
                          response ->
                              proxy
                                  .commandsTopic()
                                  .equals(response.json().path("commandsTopic").asText())));
    }

    private static String command(String call, String id, String method, String url) {
      return "{\"callContext\":\"%s\",\"commandId\":\"%s\",\"ariCommand\":{\"method\":\"%s\",\"url\":\"%s\"}}"
          .formatted(call, id, method, url);
    }
  }
}
