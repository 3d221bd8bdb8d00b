// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StoredSubscriptionsTest {

  private static final String STORED = "{\"sources\":[\"deviceState:a\"]}";

  private final Subscriptions subscriptions =
      new Subscriptions(WriteBehind.noop(new SimpleMeterRegistry()));
  private final StoredSubscriptions stored = new StoredSubscriptions(List.of("own"));

  @Test
  void restoresLastValueOfEachApplication() {
    stored.put("SUBSCRIPTIONS:own", "not JSON");
    stored.put("SUBSCRIPTIONS:own", STORED);
    stored.put("SUBSCRIPTIONS:other", STORED);
    stored.put("SUBSCRIPTIONS:deleted", STORED);
    stored.put("SUBSCRIPTIONS:deleted", null);
    assertThat(restored()).containsExactly("other", "own");
  }

  /** Anyone who may write to the store can invent applications. */
  @Test
  void othersNeitherFillTheHeapNorTakeThePlaceOfOwn() {
    String large = STORED + " ".repeat(900_000);
    try (CapturedLog log = new CapturedLog()) {
      for (int i = 0; i < 1_000; i++) {
        stored.put("SUBSCRIPTIONS:invented" + i, large);
      }
      stored.put("SUBSCRIPTIONS:own", large);
      assertThat(restored()).containsExactly("invented0", "invented1", "own");
      assertThat(log.lines(Level.WARN))
          .singleElement()
          .asString()
          .startsWith("998 values of subscriptions in the call-context store not restored");
    }
  }

  /** Each would otherwise be a line at each start. */
  @Test
  void malformedValuesOfOthersAreOneLine() {
    try (CapturedLog log = new CapturedLog()) {
      for (int i = 0; i < 1_000; i++) {
        stored.put("SUBSCRIPTIONS:invented" + i, "x");
      }
      stored.put("SUBSCRIPTIONS:own", "y");
      assertThat(restored()).isEmpty();
      assertThat(log.lines(Level.WARN))
          .hasSize(2)
          .satisfies(
              lines -> {
                assertThat(lines.get(0))
                    .startsWith("Ignoring malformed stored value of SUBSCRIPTIONS:own: ");
                assertThat(lines.get(1))
                    .startsWith("Ignoring malformed stored value of SUBSCRIPTIONS:invented0: ")
                    .endsWith("; and 999 more of other applications");
              });
    }
  }

  /** The limits are those of all applications. */
  @Test
  void restoresOwnFirst() {
    String many =
        IntStream.range(0, Subscriptions.MAX_SOURCES)
            .mapToObj(i -> "\"deviceState:" + i + "\"")
            .collect(Collectors.joining(",", "{\"sources\":[", "]}"));
    for (int i = 0; i < 10; i++) {
      stored.put("SUBSCRIPTIONS:" + i, many);
    }
    stored.put("SUBSCRIPTIONS:own", STORED);
    assertThat(restored()).containsExactly("0", "own");
  }

  @Test
  void valueBeyondTheLimitIsNotRestored() {
    stored.put("SUBSCRIPTIONS:own", STORED + " ".repeat(StoredSubscriptions.MAX_CHARACTERS));
    assertThat(restored()).isEmpty();
  }

  private List<String> restored() {
    stored.restoreTo(subscriptions);
    return subscriptions.applications();
  }
}
