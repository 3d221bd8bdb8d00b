// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.callcontext.CallContexts;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ResponseCacheTest {

  private static final Duration WINDOW = Duration.ofMinutes(5);

  private static final RecordPosition ORIGIN =
      new RecordPosition("commands", 0, 0, "key", Instant.EPOCH);

  private final CommandParser parser =
      new CommandParser(new CallContexts(WINDOW, WINDOW, Ticker.systemTicker()));

  /** A character outside Latin-1 makes each one take two bytes. */
  @Test
  void idsCountWithTwoBytesOfEachCharacter() {
    ResponseCache cache = new ResponseCache(WINDOW, 1_000_000, Ticker.systemTicker());
    List<Command> commands =
        IntStream.range(0, 60)
            .mapToObj(number -> command("漢" + "x".repeat(30_000) + number))
            .toList();
    commands.forEach(command -> cache.put(command, new byte[100]));
    assertThat(commands.stream().filter(command -> cache.get(command).isPresent()).count())
        .isBetween(10L, 16L);
  }

  private Command command(String id) {
    String json =
        """
        {"callContext":"call","commandId":"%s","ariCommand":{"method":"GET","url":"/ari/channels"}}
        """
            .formatted(id);
    return parser.parse(ORIGIN, json.getBytes(StandardCharsets.UTF_8));
  }
}
