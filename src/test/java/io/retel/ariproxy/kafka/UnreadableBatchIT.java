// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ManagedBean;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Tests a batch of commands that is corrupt on the broker's disk. */
class UnreadableBatchIT {

  @Test
  void stopsOnlyItsPartitionUntilAnOperatorSkipsIt() {
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers());
        CapturedLog log = new CapturedLog()) {
      ProxySettings settings = ProxySettings.of(asterisk, "unreadable", kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.execute("call", "GET", "/asterisk/ping");
        ManagedBean commands = proxy.managedBean("Commands");
        commands.invoke("pause");
        Awaitility.await().until(() -> commands.getAttribute("State").equals("DRAINED"));
        String marker = "corrupt-this";
        long offset = writer.send(command(settings, 0, marker)).offset();
        writer.send(command(settings, 0, "behind"));
        kafka.corrupt(settings.commandsTopic(), 0, marker);
        commands.invoke("resume");

        // the other partition is consumed
        writer.send(command(settings, 1, "other"));
        controller.response("other");
        Awaitility.await("health reports the batch")
            .until(
                () ->
                    proxy
                        .health("commands")
                        .startsWith(
                            "DOWN: Cannot read commands of %s-0 from offset %d: "
                                .formatted(settings.commandsTopic(), offset)));
        writer.send(command(settings, 1, "another"));
        controller.response("another");
        assertThat(executed(asterisk)).containsExactly("other", "another");
        assertThat(log.lines(Level.ERROR)).as("one line, not one for each poll").hasSize(1);
        assertThat(log.lines(Level.WARN)).noneMatch(line -> line.contains("corrupt"));

        assertThat((String[]) commands.invoke("skipUnreadable"))
            .containsExactly(
                "offsets %d to %d of %s-0".formatted(offset, offset, settings.commandsTopic()));

        controller.response("behind");
        assertThat(executed(asterisk)).containsExactly("other", "another", "behind");
        assertThat(proxy.counter("ari-proxy.commands.skipped", "reason", "unreadable")).isOne();
        assertThat(proxy.health("commands")).isEqualTo("UP");
        assertThat(log.lines(Level.WARN))
            .filteredOn(line -> line.contains("Skipped 1 commands"))
            .hasSize(1);
        assertThat((String[]) commands.invoke("skipUnreadable")).isEmpty();
      }
    }
  }

  private static ProducerRecord<String, byte[]> command(
      ProxySettings settings, int partition, String id) {
    return new ProducerRecord<>(
        settings.commandsTopic(),
        partition,
        "call-" + partition,
        """
        {"callContext": "call-%d", "commandId": "%s", "ariCommand": {"method": "GET", "url": "/deviceStates/%s"}}"""
            .formatted(partition, id, id)
            .getBytes(StandardCharsets.UTF_8));
  }

  private static List<String> executed(SimulatedAsterisk asterisk) {
    return asterisk.requests().stream()
        .map(RecordedRequest::uri)
        .filter(uri -> uri.contains("/deviceStates/"))
        .map(uri -> uri.substring(uri.lastIndexOf('/') + 1))
        .toList();
  }
}
