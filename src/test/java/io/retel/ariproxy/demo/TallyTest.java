// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.demo.Envelope.Kind;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class TallyTest {

  private static final Duration TIMEOUT = Duration.ofMillis(50);

  private final Tally tally = new Tally();

  @Test
  void measuresTimeFromCommandToResponse() throws Exception {
    count(Kind.COMMAND, 1_000, "{'commandId':'c1'}");

    assertThat(tally.awaitResponses(TIMEOUT)).isFalse();
    assertThat(tally.summary()).endsWith("1 command, 1 WITHOUT RESPONSE");
    assertThat(count(Kind.EVENT, 1_007, "{'type':'RESPONSE','commandId':'c1'}")).isEqualTo(7);
    assertThat(tally.awaitResponses(TIMEOUT)).isTrue();
  }

  @Test
  void acceptsResponseBeforeCommand() throws Exception {
    assertThat(count(Kind.EVENT, 1_000, "{'type':'RESPONSE','commandId':'c1'}")).isEqualTo(-1);
    count(Kind.COMMAND, 1_000, "{'commandId':'c1'}");

    assertThat(tally.awaitResponses(TIMEOUT)).isTrue();
  }

  @Test
  void tracksCompleteCalls() throws Exception {
    count(Kind.EVENT, 1_000, "{'type':'STASIS_START','callContext':'call'}");
    assertThat(tally.awaitCompleteCalls(1, TIMEOUT)).isFalse();

    count(Kind.COMMAND, 1_001, "{'commandId':'c1','callContext':'call'}");
    count(Kind.EVENT, 1_002, "{'type':'STASIS_END','callContext':'call'}");
    assertThat(tally.awaitCompleteCalls(1, TIMEOUT)).isFalse();

    count(Kind.EVENT, 1_003, "{'type':'RESPONSE','commandId':'c1','callContext':'call'}");
    assertThat(tally.awaitCompleteCalls(1, TIMEOUT)).isTrue();
    assertThat(tally.awaitCompleteCalls(2, TIMEOUT)).isFalse();
    assertThat(tally.summary())
        .isEqualTo("1 call, 2 events, 1 command, every command got a RESPONSE");
  }

  private long count(Kind topic, long timestamp, String json) throws Exception {
    JsonNode envelope = new ObjectMapper().readTree(json.replace('\'', '"'));
    return tally.count(Envelope.of(topic, timestamp, envelope));
  }
}
