// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.golden.GoldenEvent;
import io.retel.ariproxy.metrics.Meters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * Randomly damaged events and commands, each of which has one outcome. The console is disabled: a
 * line for each message takes as much CPU as its route.
 */
@FullRun("sends 120,000 messages")
class MutatedMessagesIT {

  private static final int EVENTS = 100_000;
  private static final int COMMANDS = 20_000;

  /** Messages between two checks. */
  private static final int BATCH = 500;

  private static final String FRAGMENTS = "{}[]\",:\\\0\n\u001b\ud800\u202eé0-.eE+tfn%/?#&=";

  private final Random random = new Random(18);

  @Test
  void everyEventIsPublishedOrCounted() throws Exception {
    List<String> originals = GoldenEvent.all().stream().map(GoldenEvent::event).toList();
    try (CapturedLog log = CapturedLog.asShipped();
        RoutesUnderTest routes = RoutesUnderTest.start()) {
      for (int sent = 0; sent < EVENTS; sent += BATCH) {
        int uncounted = counted(routes);
        for (int number = 0; number < BATCH; number++) {
          routes.sendEvent(mutated(originals.get(random.nextInt(originals.size()))));
        }
        assertThat(
                routes.mappedTopic().getReceivedCounter()
                    + routes.unmappedTopic().getReceivedCounter()
                    + counted(routes)
                    - uncounted)
            .as("outcomes after %d events", sent)
            .isEqualTo(BATCH);
        routes.reset();
      }
      assertThat(routes.counterValue(Meters.EVENTS_MALFORMED)).isGreaterThan(EVENTS / 20);
      assertThat(routes.counterValue(Meters.EVENTS_LOST)).isZero();
    }
  }

  private static int counted(RoutesUnderTest routes) {
    return routes.counterValue(Meters.EVENTS_INTERNAL)
        + routes.counterValue(Meters.EVENTS_MALFORMED)
        + routes.counterValue(Meters.EVENTS_LOST);
  }

  @Test
  void everyCommandGetsOneResponse() throws Exception {
    List<String> originals;
    try (Stream<Path> files =
        Files.list(Path.of("src", "test", "resources", "golden", "commands"))) {
      originals =
          files
              .filter(file -> file.toString().endsWith(".in.txt"))
              .sorted()
              .map(MutatedMessagesIT::command)
              .toList();
    }
    try (CapturedLog log = CapturedLog.asShipped();
        RoutesUnderTest routes = RoutesUnderTest.start()) {
      for (int sent = 0; sent < COMMANDS; sent += BATCH) {
        routes.reset();
        routes
            .ari()
            .whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, 204, ""));
        for (int number = 0; number < BATCH; number++) {
          String command = mutated(originals.get(random.nextInt(originals.size())));
          routes.sendRecord(command.getBytes(StandardCharsets.UTF_8), Map.of());
        }
        Awaitility.await("RESPONSEs after " + sent + " commands")
            .until(
                () ->
                    routes.offset().committed() >= BATCH
                        && routes.context().getInflightRepository().size() == 0);
        assertThat(routes.offset().committed()).isEqualTo(BATCH);
        assertThat(routes.mappedTopic().getReceivedCounter()).isEqualTo(BATCH);
        assertThat(routes.ari().getReceivedCounter()).isLessThan(BATCH);
      }
      assertThat(routes.counterValue(Meters.RESPONSES_LOST)).isZero();
    }
  }

  private static String command(Path file) {
    try {
      return Files.readString(file).split("\n--- ", 2)[0];
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns a text with up to four random changes. */
  private String mutated(String original) {
    StringBuilder text = new StringBuilder(original);
    for (int changes = 1 + random.nextInt(4); changes > 0 && text.length() > 1; changes--) {
      int position = random.nextInt(text.length());
      int end = Math.min(text.length(), position + 1 + random.nextInt(20));
      String fragment = String.valueOf(FRAGMENTS.charAt(random.nextInt(FRAGMENTS.length())));
      switch (random.nextInt(6)) {
        case 0 -> text.delete(position, end);
        case 1 -> text.insert(position, fragment);
        case 2 -> text.replace(position, position + 1, fragment);
        case 3 -> text.insert(position, text.substring(position, end));
        case 4 -> text.insert(position, fragment.repeat(1 + random.nextInt(2_000)));
        default -> text.setLength(position);
      }
    }
    return text.toString();
  }
}
