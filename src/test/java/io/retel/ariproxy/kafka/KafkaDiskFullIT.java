// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaProcess;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests a broker whose disk is full. */
class KafkaDiskFullIT {

  private static final String APP = "disk-full";

  @TempDir private Path folder;
  private Path disk;

  @BeforeEach
  void mount() throws Exception {
    disk = Files.createDirectory(folder.resolve("disk"));
    assumeTrue(
        run("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk.toString()) == 0,
        "a small disk needs the permission to mount one (root)");
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", disk.toString());
  }

  private static int run(String... command) throws Exception {
    return new ProcessBuilder(command).redirectErrorStream(true).start().waitFor();
  }

  @Test
  @FullRun("starts Kafka twice in a process")
  void publishesAllEventsOnceThereIsSpace() throws IOException {
    Path filler = disk.resolve("filler");
    try (KafkaProcess kafka = new KafkaProcess(disk.resolve("data"), folder.resolve("kafka.log"));
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        Flood flood = asterisk.flood(APP, 200, 20);
        controller.events(200);
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);

        fill(filler);
        Awaitility.await("the broker stops").until(() -> !kafka.isAlive());
        Awaitility.await("reported").until(() -> proxy.health("kafka").startsWith("DOWN: "));
        Files.delete(filler);
        kafka.start();

        controller.assertPublishedOnceInOrder(flood);
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        Awaitility.await().until(() -> proxy.health("kafka").equals("UP"));
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
        assertThat(asterisk.totalWebsocketCount()).isOne();
      }
    }
  }

  private static void fill(Path file) throws IOException {
    try (OutputStream out = Files.newOutputStream(file)) {
      byte[] block = new byte[4_096];
      while (true) {
        out.write(block);
      }
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("No space left on device");
    }
  }
}
