// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.HttpReceiver;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * The recipe {@code recordings-to-s3.camel.yaml}, with the component that the docs' Maven command
 * fetches.
 */
@ExtendWith(KafkaExtension.class)
@FullRun("fetches a component with Maven; faster: CheckRoutesTest loads the recipe")
@Tag(FullRun.ON_DEMAND)
class RecordingsToS3IT {

  private static final String APP = "recorded";
  private static final String FAILED = "recordings-failed";
  private static final Map<String, String> LOGIN =
      Map.of("AWS_ACCESS_KEY_ID", "key", "AWS_SECRET_ACCESS_KEY", "secret");

  @TempDir private Path work;
  @AutoClose private final HttpReceiver s3 = HttpReceiver.start();

  @Test
  void copiesFinishedRecordings(KafkaBroker kafka) throws Exception {
    kafka.createTopic(FAILED, 1);
    Distribution distribution = distribution();
    Path log = work.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (ProxyProcess proxy = distribution.start(settings, LOGIN, log);
          Controller controller = new Controller(settings, kafka);
          TopicReader failed = TopicReader.of(kafka.bootstrapServers(), FAILED)) {
        asterisk.awaitConnected(APP);
        while (puts().isEmpty()) {
          // the first ones end before the route has joined its new group
          record(asterisk, controller, "first part/" + System.nanoTime());
        }
        HttpReceiver.Request put = puts().get(0);
        assertThat(put.path()).startsWith("/recordings/call/first%20part/").contains(".wav");
        assertThat(put.contentType()).isEqualTo("audio/wav");
        assertThat(put.body()).contains("RIFF");
        Awaitility.await("the file is deleted")
            .until(() -> work.resolve("folder").toFile().list().length == 0);

        s3.answer(503, "");
        record(asterisk, controller, "refused");
        Awaitility.await("the dead letter")
            .until(() -> failed.records().stream().anyMatch(it -> it.text().contains("refused")));
        assertThat(asterisk.requestCount("GET", "/recordings/stored/refused/file")).isEqualTo(6);
        s3.answer(200, "");
        record(asterisk, controller, "next");
        Awaitility.await("the next recording")
            .until(() -> puts().stream().anyMatch(it -> it.path().contains("/next.wav")));
        Awaitility.await("it replaces the file of the refused one, and is deleted")
            .until(() -> work.resolve("folder").toFile().list().length == 0);
        assertThat(proxy.terminate()).isEqualTo(143);
      }
    }
    assertThat(Files.readString(log)).doesNotContain(" ERROR ");
  }

  @Test
  void copiesRecordingOfRealAsterisk(KafkaBroker kafka) throws Exception {
    Path log = work.resolve("proxy.log");
    try (RealAsterisk asterisk = RealAsterisk.start("sid")) {
      Distribution distribution = distribution();
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (ProxyProcess proxy = distribution.start(settings, LOGIN, log);
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();
        asterisk.originateLastingCall("ctx-call~" + APP);
        String channel = controller.event("call", "STASIS_START").channelId();
        while (puts().isEmpty()) {
          // the first ones end before the route has joined its new group
          record(controller, channel, "part/" + System.nanoTime());
        }
        HttpReceiver.Request put = puts().get(0);
        assertThat(put.path()).startsWith("/recordings/call/part/").contains(".wav");
        assertThat(put.contentType()).startsWith("audio/");
        assertThat(put.body()).contains("RIFF", "WAVE");
        assertThat(proxy.terminate()).isEqualTo(143);
      }
    }
    assertThat(Files.readString(log)).doesNotContain(" ERROR ");
  }

  private Distribution distribution() throws IOException {
    Distribution distribution = Distribution.unpack(Files.createDirectory(work.resolve("proxy")));
    distribution.addComponent("camel-aws2-s3");
    distribution.addRecipe(
        "recordings-to-s3.camel.yaml",
        """
        recordings.other-server = true
        recordings.server = %s
        recordings.folder = %s
        recordings.retry-delay = 10
        """
            .formatted(s3.url(""), work.resolve("folder")));
    return distribution;
  }

  private List<HttpReceiver.Request> puts() {
    return s3.requests().stream().filter(it -> it.method().equals("PUT")).toList();
  }

  private static void record(SimulatedAsterisk asterisk, Controller controller, String name) {
    record(controller, asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call")).id(), name);
  }

  /** Returns once the event is published, which does not wait for S3. */
  private static void record(Controller controller, String channel, String name) {
    String encoded = URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    assertThat(
            controller.execute(
                "call", "POST", "/channels/" + channel + "/record?format=wav&name=" + encoded))
        .satisfies(it -> assertThat(it.status()).as("%s", it).isEqualTo(201));
    // Asterisk discards a recording that is stopped before
    awaitEvent(controller, "RECORDING_STARTED", name);
    assertThat(controller.execute("call", "POST", "/recordings/live/" + encoded + "/stop"))
        .satisfies(it -> assertThat(it.status()).as("%s", it).isEqualTo(204));
    awaitEvent(controller, "RECORDING_FINISHED", name);
  }

  private static void awaitEvent(Controller controller, String type, String recording) {
    controller.event(
        "call", type, it -> it.payload().at("/recording/name").asText().equals(recording));
  }
}
