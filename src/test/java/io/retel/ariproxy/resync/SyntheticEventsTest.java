// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.time.Moment;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SyntheticEventsTest {

  private final SyntheticEvents events = new SyntheticEvents(Moment.now(), "asterisk", false);

  /** A list of millions would take many times the heap of its text. */
  @ParameterizedTest
  @CsvSource({"Stasis, 'app,', ','", "StasisBroadcast, '5,filter,', ':'"})
  void startHasAsManyArgumentsAsAsteriskTakes(String application, String start, String separator) {
    String data = start + ("x" + separator).repeat(1_000);
    JsonNode args =
        events
            .stasisStart(new ChannelDescription("", "", application, data, "{}", 0), "app")
            .json()
            .path("args");
    assertThat(args).hasSize(128);
    assertThat(args.get(0).asText()).isEqualTo("x");
    assertThat(args.get(127).asText()).isEqualTo(("x" + separator).repeat(873));
  }
}
